"""What a check's page is made of: its tidy table, sentences and figures."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from invariscope.checks.decide import VERDICTS
from invariscope.checks.judge import plain_rows
from invariscope.checks.terms import Term
from invariscope.checks.wording import amount_with_unit, part_label
from invariscope.core.words import count, listed, percent, spoken
from invariscope.findings.figures import Figure, Intervals
from invariscope.findings.finding import Finding, Verdict

_HOLDS: dict[str, Verdict] = {"passes": "holds", "fails": "does not hold", "undecided": "undecided"}
_MOST_CLAIMS, _MOST_ROWS = 30, 60
LIMITS = (
    "An interval speaks of images like these, drawn independently of each other; other images may be tolerated less.",
    "Each requirement is decided by its own 95 % interval, without a correction for their number: of many "
    "requirements that are met exactly, one in forty passes, and one in forty fails, by chance.",
    "Where a quality falls between two magnitudes that were shown, its threshold is interpolated; a dip that is "
    "narrower than the grid is not seen. The bootstrap behind its interval knows no variation that these images do "
    "not show: where all of them answer alike, the interval is too narrow.",
    "The number of images that would decide a requirement takes the estimate to stay as it is.",
)


def tidy_table(terms: Sequence[Term], rows: pd.DataFrame) -> pd.DataFrame:
    """The results: a row per part of a requirement, with the columns that every study's results have.

    Args:
        terms: the requirements.
        rows: the outcomes of their parts.
    """
    units = {term.place + 1: term.transformation.unit_of_measure for term in terms}
    parts = plain_rows(rows)
    table = rows.rename(columns={"class_name": "class", "estimate": "value"})
    table["part"] = _distinct([f"{p['requirement']}. {part_label(p, units[p['requirement']])}" for p in parts])
    table["quantity"] = [f"threshold ({p['quality']})" if p["side"] else p["quality"] for p in parts]
    # What cannot be drawn at its place stands at the end of what was shown.
    table["shown"] = table["value"].where(~table["censored"], table["grid_end"])
    table["source"] = "check"
    return table[[*_COLUMNS]]


_COLUMNS = (
    "requirement",
    "part",
    "transformation",
    "magnitude",
    "side",
    "class",
    "quality",
    "level",
    "required",
    "verdict",
    "needed",
    "reason",
    "censored",
    "shown",
    "quantity",
    "value",
    "low",
    "high",
    "n",
    "unit_of_measure",
    "source",
)


def _distinct(labels: Sequence[str]) -> list[str]:
    """Labels of rows that a figure must not put together."""
    often = {label: labels.count(label) for label in labels}
    return [f"{label} ({place + 1})" if often[label] > 1 else label for place, label in enumerate(labels)]


def findings(entries: Sequence[Mapping[str, Any]], terms: Sequence[Term]) -> list[Finding]:
    """A sentence per part, under its requirement; where there are very many, under its transformation.

    Args:
        entries: of check.json.
        terms: the requirements.
    """
    several = len(entries) > _MOST_CLAIMS
    return [
        Finding(
            _sentence(part, term.transformation.unit_of_measure),
            _HOLDS[part["verdict"]],
            spoken(entry["transformation"]) if several else f"{entry['requirement']}. {entry['text']}",
        )
        for entry, term in zip(entries, terms, strict=True)
        for part in entry["parts"]
    ]


def _sentence(part: Mapping[str, Any], unit: str) -> str:
    advice = f" {part['advice'][0].upper()}{part['advice'][1:]}." if part["advice"] else ""
    images = f"on {count(part['n'], 'image')}" if part["n"] else "on no image"
    of = "" if part["class"] == "all" else f" for {part['class']}"
    if part["side"]:
        what = f"The threshold of {part['quality']} under {spoken(part['transformation'])}{of}"
        return f"{what} is {part['found_text'] or '–'} {images}; {part['required_text']} must be reached.{advice}"
    what = f"{part['quality'].capitalize()} under {spoken(part['transformation'])}"
    where = f"of {amount_with_unit(part['magnitude'], unit)}{of}"
    return f"{what} {where} is {part['found_text']} {images}; at least {part['required_text']} is required.{advice}"


def figures(table: pd.DataFrame) -> list[Figure]:
    """A figure of the qualities, and one of the thresholds for each unit of measure.

    Args:
        table: the results.
    """
    made: list[Figure] = []
    for unit in dict.fromkeys(table["unit_of_measure"]):
        rows = table[table["unit_of_measure"] == unit]
        chosen = _most_telling(rows)
        left = f" The {len(chosen)} of {len(rows)} that fail or come nearest to it." if len(chosen) < len(rows) else ""
        share = unit == "share"
        made.append(
            Intervals(
                name="qualities" if share else f"thresholds-{len(made)}",
                title="What was found, and what is required" if share else f"Thresholds ({unit})",
                caption=(
                    "A requirement passes where its whole interval lies beyond what is required, fails where all of it "
                    "lies short of that, and is undecided in between."
                    + ("" if share else " A threshold that is not reached stands at the end of what was shown.")
                    + left
                ),
                x="value" if share else "shown",
                y="part",
                where={"part": chosen} if left else {"unit_of_measure": unit},
                colour="verdict",
                mark="required",
                x_label="Quality" if share else f"Magnitude ({unit})",
                share=share,
                counts="images",
            )
        )
    return made


def _most_telling(rows: pd.DataFrame) -> list[str]:
    order = {word: place for place, word in enumerate(VERDICTS)}
    rank = rows["verdict"].map(order) * 1e9 + (rows["low"] - rows["required"]).abs().fillna(0)
    kept = set(rows.loc[rank.sort_values(kind="stable").index[:_MOST_ROWS], "part"])
    return [part for part in rows["part"] if part in kept]


def cards(entries: Sequence[Mapping[str, Any]], n_images: int, accuracy: float | None) -> list[dict[str, str]]:
    """How many requirements pass, fail and are undecided, and on what.

    Args:
        entries: of check.json.
        n_images: how many images were shown.
        accuracy: of the clean images; None where it is unknown.
    """
    told = []
    for word, kind in (("passes", "good"), ("fails", "bad"), ("undecided", "unsure")):
        of = [entry for entry in entries if entry["verdict"] == word]
        names = listed([entry["deciding"] for entry in of], 3)
        kind = kind if of else ""
        told.append(
            {"question": word.capitalize(), "answer": f"{len(of)} of {len(entries)}", "detail": names, "kind": kind}
        )
    clean = "–" if accuracy is None or math.isnan(accuracy) else percent(accuracy, 1)
    told.append({"question": "Clean accuracy", "answer": clean, "detail": f"on {count(n_images, 'image')}", "kind": ""})
    return told
