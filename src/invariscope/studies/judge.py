"""Whether what a paper claims holds here: rules fixed before the measurement, on 95 % intervals."""

import math

from invariscope.studies.base import Verdict

FEWEST_SEEDS = 3


def direction(value: float, low: float, high: float, least: float = 0.0) -> Verdict:
    """Judge the claim that a difference is above zero, `least` being the smallest that matters.

    Args:
        value: the difference, oriented as the claim says.
        low: end of its 95 % interval; NaN where there is none.
        high: the other end.
        least: the smallest difference that matters.

    Returns:
        "holds" if the interval lies above 0 and the value is at least `least`, "does not hold" if the whole interval
        lies below `least`, else "undecided".

    Example:
        >>> direction(0.5, 0.3, 0.7, least=0.05), direction(0.01, -0.02, 0.04, least=0.05), direction(0.1, -0.2, 0.4)
        ('holds', 'does not hold', 'undecided')
    """
    if math.isnan(low) or math.isnan(high):
        return "undecided"
    if low > 0 and value >= least:
        return "holds"
    return "does not hold" if high < least else "undecided"


def equality(low: float, high: float, most: float) -> Verdict:
    """Judge the claim that there is no difference, `most` being the largest that does not matter.

    Args:
        low: end of the difference's 95 % interval; NaN where there is none.
        high: the other end.
        most: the largest difference that does not matter.

    Returns:
        "holds" if the interval lies inside ±most, "does not hold" if it lies outside, else "undecided".

    Example:
        >>> equality(-0.01, 0.01, most=0.02), equality(0.1, 0.2, most=0.02), equality(0.01, 0.2, most=0.02)
        ('holds', 'does not hold', 'undecided')
    """
    if math.isnan(low) or math.isnan(high):
        return "undecided"
    if -most <= low and high <= most:
        return "holds"
    return "does not hold" if low > most or high < -most else "undecided"


def nearness(low: float, high: float, target: float, around: float) -> Verdict:
    """Judge the claim that a number is `target`, give or take `around`.

    Args:
        low: end of the number's 95 % interval; NaN where there is none.
        high: the other end.
        target: the number that is claimed.
        around: how far from it still counts.

    Returns:
        "holds" if the interval lies in target ± around, "does not hold" if the two are apart, else "undecided".

    Example:
        >>> nearness(0.98, 1.0, target=1.0, around=0.05), nearness(0.7, 0.8, target=1.0, around=0.05)
        ('holds', 'does not hold')
    """
    return equality(low - target, high - target, around)


def all_of(verdicts: list[Verdict]) -> Verdict:
    """Judge a claim for every member: it holds if all do, and does not if one does not.

    Example:
        >>> all_of(["holds", "undecided"]), all_of(["holds", "does not hold"])
        ('undecided', 'does not hold')
    """
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if verdicts and all(verdict == "holds" for verdict in verdicts) else "undecided"
