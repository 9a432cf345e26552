"""Whether what a paper claims holds here: rules fixed before the measurement, on 95 % intervals."""

import math

from invariscope.findings.finding import Verdict
from invariscope.studies.compare import Estimate

FEWEST_SEEDS = 3


def direction(difference: Estimate, least: float = 0.0) -> Verdict:
    """Judge the claim that a difference is above zero, `least` being the smallest that matters.

    Args:
        difference: oriented as the claim says.
        least: the smallest difference that matters.

    Returns:
        "holds" if the interval lies above 0 and the value is at least `least`, "does not hold" if the whole interval
        lies below `least`, else "undecided"; "undecided" for fewer than three seeds.

    Example:
        >>> direction(Estimate(0.5, 0.3, 0.7, n=3), least=0.05), direction(Estimate(0.01, -0.02, 0.04, n=3), least=0.05)
        ('holds', 'does not hold')
        >>> direction(Estimate(0.1, -0.2, 0.4, n=3)), direction(Estimate(0.5, 0.3, 0.7, n=2))
        ('undecided', 'undecided')
    """
    if _unsure(difference):
        return "undecided"
    if difference.low > 0 and difference.value >= least:
        return "holds"
    return "does not hold" if difference.high < least else "undecided"


def equality(difference: Estimate, most: float) -> Verdict:
    """Judge the claim that there is no difference, `most` being the largest that does not matter.

    Args:
        difference: either way round.
        most: the largest difference that does not matter.

    Returns:
        "holds" if the interval lies inside ±most, "does not hold" if it lies outside, else "undecided"; "undecided"
        for fewer than three seeds.

    Example:
        >>> equality(Estimate(0, -0.01, 0.01, n=3), most=0.02), equality(Estimate(0.1, 0.05, 0.15, n=3), most=0.02)
        ('holds', 'does not hold')
    """
    return nearness(difference, 0.0, most)


def nearness(estimate: Estimate, target: float, around: float) -> Verdict:
    """Judge the claim that a number is `target`, give or take `around`.

    Args:
        estimate: the number.
        target: what is claimed.
        around: how far from it still counts.

    Returns:
        "holds" if the interval lies in target ± around, "does not hold" if the two are apart, else "undecided";
        "undecided" for fewer than three seeds.

    Example:
        >>> nearness(Estimate(0.99, 0.98, 1.0, n=3), 1.0, around=0.05), nearness(Estimate(0.7, 0.6, 0.8, 3), 1.0, 0.05)
        ('holds', 'does not hold')
    """
    if _unsure(estimate):
        return "undecided"
    if target - around <= estimate.low and estimate.high <= target + around:
        return "holds"
    apart = estimate.low > target + around or estimate.high < target - around
    return "does not hold" if apart else "undecided"


def _unsure(estimate: Estimate) -> bool:
    return estimate.n < FEWEST_SEEDS or math.isnan(estimate.low) or math.isnan(estimate.high)


def all_of(verdicts: list[Verdict]) -> Verdict:
    """Judge a claim for every member: it holds if all do, and does not if one does not.

    Example:
        >>> all_of(["holds", "undecided"]), all_of(["holds", "does not hold"])
        ('undecided', 'does not hold')
    """
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if verdicts and all(verdict == "holds" for verdict in verdicts) else "undecided"
