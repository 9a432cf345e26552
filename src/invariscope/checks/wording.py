"""Requirements and what was found, as sentences for pages, terminals and other programs' readers."""

import math
from collections.abc import Mapping
from typing import Any

from invariscope.checks.terms import Term
from invariscope.core.words import amount, count, listed, number, percent, sign_of, spoken

SIDES = {"+": "above", "-": "below"}
_QUALITY = {"accuracy": "accuracy", "agreement": "agreement with the clean prediction", "softmax": "mean softmax"}


def share(value: float) -> str:
    r"""A share as a percentage with the digits that it has.

    Example:
        >>> share(0.8), share(0.8125), share(math.nan)
        ('80\u202f%', '81.25\u202f%', '–')
    """
    return number(100 * value, 4) + ("\u202f%" if math.isfinite(value) else "")


def quantity(value: float, unit_of_measure: str) -> str:
    r"""A share as a percentage, a magnitude with its unit of measure.

    Example:
        >>> quantity(0.8, "share"), quantity(-12.0, "degrees")
        ('80\u202f%', '−12°')
    """
    return share(value) if unit_of_measure == "share" else amount(value, unit_of_measure)


def span(low: float, high: float, unit_of_measure: str) -> str:
    """An interval in brackets without its unit's sign; an end beyond the grid is left open.

    Example:
        >>> span(0.893, 0.931, "share"), span(11.2, math.nan, "degrees"), span(math.nan, math.nan, "share")
        ('[89.3, 93.1]', '[11.2, …', '')
    """
    if math.isnan(low) and math.isnan(high):
        return ""
    factor = 100 if unit_of_measure == "share" else 1
    start = "…" if math.isnan(low) else f"[{number(factor * low)}"
    return f"{start}, {'…' if math.isnan(high) else number(factor * high) + ']'}"


def text_of(term: Term) -> str:
    r"""A requirement as a clause.

    Example:
        >>> from invariscope.checks.contract import Contract, Requirement
        >>> from invariscope.checks.terms import find_terms
        >>> asked = Requirement("rotation", (15.0,), 0.8), Requirement("rotation", threshold_at_least=12.0)
        >>> for term in find_terms(Contract(asked), (32, 32)):
        ...     print(text_of(term).replace("\u202f", " "))
        accuracy of at least 80 % under rotation of 15°
        at least 90 % of the clean accuracy under rotation from −12° to 12°
    """
    asked, unit = term.requirement, term.transformation.unit_of_measure
    quality, name = _QUALITY[asked.quality], spoken(asked.transformation)
    of = f" for {listed(list(asked.classes), 6)}" if asked.classes else ""
    if asked.magnitudes == (float(term.transformation.identity),):
        return f"clean {quality} of at least {share(asked.at_least)}{of}"
    if not asked.is_threshold:
        where = listed([amount_with_unit(value, unit) for value in asked.magnitudes], 6)
        return f"{quality} of at least {share(asked.at_least)} under {name} of {where}{of}"
    kept = f"at least {share(asked.level)} of the clean {quality} under {name}"
    ends = sorted(side.target for side in term.sides)
    if len(ends) == 2:
        return f"{kept} from {amount_with_unit(ends[0], unit)} to {amount_with_unit(ends[1], unit)}{of}"
    return f"{kept} up to {amount_with_unit(ends[0], unit)}{of}"


def amount_with_unit(value: float, unit: str) -> str:
    """A magnitude with its unit of measure, in words where there is no sign for it.

    Example:
        >>> amount_with_unit(15, "degrees"), amount_with_unit(0.2, "added value")
        ('15°', '0.2 (added value)')
    """
    written = amount(value, unit)
    return written if sign_of(unit) or not unit else f"{written} ({unit})"


def part_label(part: Mapping[str, Any], unit: str) -> str:
    """A part of a requirement in a few words: where, and for which class.

    Args:
        part: a row of the results.
        unit: of the transformation's magnitudes.
    """
    if part["side"]:
        told = f"{spoken(part['transformation'])} to {amount(part['required'], unit)}"
    else:
        told = f"{spoken(part['transformation'])} {amount(part['magnitude'], unit)}"
    return told + ("" if part["class_name"] == "all" else f", {part['class_name']}")


def found(part: Mapping[str, Any], unit: str) -> str:
    """What was found: the estimate with its interval.

    Args:
        part: a row of the results.
        unit: of the transformation's magnitudes.

    Example:
        >>> part = {"unit_of_measure": "degrees", "censored": True, "estimate": math.nan, "grid_end": 18.0}
        >>> found({**part, "low": 11.5, "high": math.nan, "n": 40}, "degrees")
        'beyond 18° [11.5, …'
    """
    kind = part["unit_of_measure"]
    told = percent(part["estimate"], 1) if kind == "share" else amount(part["estimate"], unit)
    told = f"beyond {amount(part['grid_end'], unit)}" if part["censored"] else told
    return f"{told} {span(part['low'], part['high'], kind)}".strip()


def more_images(part: Mapping[str, Any]) -> str:
    """What would decide an undecided part; nothing for a decided one.

    Args:
        part: a row of the results.

    Example:
        >>> more_images({"verdict": "undecided", "reason": "", "needed": 3200.0})
        'about 3,200 images would decide it'
    """
    if part["verdict"] != "undecided":
        return ""
    if part["reason"]:
        return str(part["reason"])
    needed = part["needed"]
    if needed is None or math.isnan(needed):
        return "no number of images is known that would decide it"
    return f"about {count(round_up(needed), 'image')} would decide it"


def round_up(needed: float) -> int:
    """A number of images with two digits: it is no more exact than that.

    Example:
        >>> round_up(385.0), round_up(96.0), round_up(12345.0)
        (390, 96, 13000)
    """
    step = 10 ** max(len(str(int(needed))) - 2, 0)
    return int(-(-needed // step) * step)


def tally(counts: Mapping[str, int]) -> str:
    """How many requirements pass, fail and are undecided, of how many.

    Args:
        counts: by verdict.

    Example:
        >>> tally({"passes": 3, "fails": 1, "undecided": 0}), tally({"passes": 0, "fails": 0, "undecided": 1})
        ('3 of 4 requirements pass, 1 fails', '0 of 1 requirement pass, 1 undecided')
    """
    passes, fails, total = counts["passes"], counts["fails"], sum(counts.values())
    told = [f"{passes} of {count(total, 'requirement')} {'passes' if passes == 1 else 'pass'}"]
    told += [f"{fails} {'fails' if fails == 1 else 'fail'}"] if fails else []
    return ", ".join(told + ([f"{counts['undecided']} undecided"] if counts["undecided"] else []))
