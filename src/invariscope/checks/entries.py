"""A check as the requirements it was asked about: one entry each, with the part that decides it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from invariscope.checks.decide import VERDICTS
from invariscope.checks.judge import plain_rows
from invariscope.checks.terms import Term
from invariscope.checks.wording import found, more_images, part_label, quantity, text_of

Entry = dict[str, Any]


def entries(terms: Sequence[Term], rows: pd.DataFrame) -> list[Entry]:
    """One entry per requirement, as check.json holds it.

    A requirement passes if all its parts (magnitudes or sides, and classes) pass, and fails if one of them does. Its
    numbers are those of the part that decides it: the worst.

    Args:
        terms: the requirements.
        rows: the outcomes of their parts.

    Returns:
        Plain values; None for what is unknown.
    """
    return [_entry(term, rows[rows["requirement"] == term.place + 1]) for term in terms]


def _entry(term: Term, rows: pd.DataFrame) -> Entry:
    unit = term.transformation.unit_of_measure
    parts = sorted(plain_rows(rows), key=_worst)
    first = parts[0]
    asked = term.requirement
    numbers = {key: known(first[key]) for key in ("estimate", "low", "high", "censored", "n", "needed", "reason")}
    return {
        "requirement": term.place + 1,
        "text": f"{asked.name}: {text_of(term)}" if asked.name else text_of(term),
        **{key: value for key, value in asked.plain().items() if key != "name"},
        "verdict": first["verdict"],
        "required": known(first["required"]),
        **numbers,
        "unit_of_measure": first["unit_of_measure"],
        "deciding": part_label(first, unit),
        "required_text": quantity(first["required"], first["unit_of_measure"]),
        "found_text": found(first, unit),
        "advice": more_images(first),
        "parts": [_part(part, unit) for part in sorted(parts, key=lambda part: part["place"])],
    }


_PART = ("transformation", "quality", "magnitude", "side", "class_name", "verdict", "required")
_PART_FOUND = ("estimate", "low", "high", "censored", "n", "needed", "reason", "unit_of_measure")


def _part(part: Mapping[str, Any], unit: str) -> Entry:
    told = {key.removesuffix("_name"): known(part[key]) for key in (*_PART, *_PART_FOUND)}
    told["required_text"] = quantity(part["required"], part["unit_of_measure"])
    return {**told, "label": part_label(part, unit), "found_text": found(part, unit), "advice": more_images(part)}


def _worst(part: Mapping[str, Any]) -> tuple[int, float]:
    """Fails before undecided before passes, and within them what is furthest behind, or least ahead."""
    outward = -1.0 if part["side"] == "-" else 1.0
    if part["verdict"] == "undecided":
        needed = part["needed"]
        return VERDICTS.index("undecided"), -math.inf if math.isnan(needed) else -needed
    end = part["estimate"] if part["verdict"] == "fails" else part["low" if outward > 0 else "high"]
    ahead = outward * (end - part["required"])
    return VERDICTS.index(part["verdict"]), math.inf if math.isnan(ahead) else ahead


def known(value: Any) -> Any:
    """A value as JSON holds it: None for what is unknown.

    Example:
        >>> known(float("nan")), known(0.5), known("all")
        (None, 0.5, 'all')
    """
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def counts(listed: Sequence[Entry]) -> dict[str, int]:
    """How many requirements pass, fail and are undecided.

    Args:
        listed: the entries.

    Example:
        >>> counts([{"verdict": "passes"}, {"verdict": "fails"}])
        {'passes': 1, 'fails': 1, 'undecided': 0}
    """
    return {word: sum(entry["verdict"] == word for entry in listed) for word in ("passes", "fails", "undecided")}


def overall(listed: Sequence[Entry]) -> str:
    """The verdict on the whole contract: the worst of its requirements.

    Args:
        listed: the entries.

    Example:
        >>> overall([{"verdict": "passes"}, {"verdict": "undecided"}])
        'undecided'
    """
    return next(word for word in VERDICTS if any(entry["verdict"] == word for entry in listed))


def kept(listed: Sequence[Entry], allow_undecided: bool) -> bool:
    """Whether the contract counts as kept.

    Args:
        listed: the entries.
        allow_undecided: what is undecided does not break it.
    """
    return overall(listed) == "passes" or (allow_undecided and overall(listed) == "undecided")
