"""What thresholds say, in sentences with their numbers."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from invariscope.core.words import amount, count, listed, number, percent, spoken, title
from invariscope.findings.finding import Finding
from invariscope.studies.thresholds_figures import by_tolerance
from invariscope.tolerance.outputs import ALL
from invariscope.tolerance.search import Found

_CARDS = 5
Row = Mapping[str, Any]


def findings(found: Found) -> list[Finding]:
    """The sentences: for each transformation its median image, its classes, its means and returns, then the cost.

    Args:
        found: the tables of the search.
    """
    told = []
    for name in found.costs["transformation"].unique():
        told += [_median_image(found, name), _classes(found, name), _means(found, name), _returns(found, name)]
    told.append(
        f"{count(found.images['image'].nunique(), 'image')} took {number(found.passes, 9)} forward passes; a sweep "
        f"over every step would take {number(found.dense_passes, 9)}, so that {percent(found.ratio)} were needed."
    )
    return [Finding(sentence) for sentence in told if sentence]


def cards(found: Found) -> list[dict[str, Any]]:
    """The answers above the page: how far the median image of each transformation goes, and the passes.

    Args:
        found: the tables of the search.
    """
    told = []
    for name in found.costs["transformation"].unique()[:_CARDS]:
        rows = _medians(found, name, ALL)
        if not rows:
            continue
        reach = [_reach(found, row) for row in sorted(rows, key=lambda row: "-+".index(row["side"]))]
        detail = listed([_between(row) for row in reversed(rows) if not row["censored"]])
        told.append(
            {
                "question": f"{title(name)}: half keep their answer",
                "answer": " to ".join(reach) if len(reach) > 1 else f"up to {reach[0]}",
                "detail": f"median image; 95 %: {detail}" if detail else "as far as was looked",
                "kind": "",
            }
        )
    passes = f"{number(found.passes, 9)} of {number(found.dense_passes, 9)} of a dense sweep"
    told.append({"question": "Forward passes", "answer": percent(found.ratio), "detail": passes, "kind": ""})
    return told


def limits(found: Found) -> list[str]:
    """What thresholds found by bracketing cannot tell.

    Args:
        found: the tables of the search.
    """
    told = [
        "A threshold is the first fall on the way outward, at the resolution that was asked for. Between two answers "
        "that agree nothing was asked where the margins gave no reason to; a dip that no margin announces is missed.",
        "Returns of a prediction are counted on the answers that were asked for, and these are fewer further out: the "
        "count is a lower bound.",
        "Nothing was looked at beyond the ends of the grid; what does not fall within them is censored, and counts as "
        "larger in medians.",
        "Intervals are those of a bootstrap over images: they say how far other images of this kind would move the "
        "number, not how another network of the same training would.",
    ]
    if math.isnan(found.clean_accuracy):
        told.append("The images have no labels that fit, so that an answer that changes may have been wrong before.")
    return told


def _medians(found: Found, name: str, group: str | None = None) -> list[dict[str, Any]]:
    rows = _first_flips(found, name)
    return _records(rows if group is None else rows[rows["class"] == group])


def _first_flips(found: Found, name: str) -> pd.DataFrame:
    return found.medians[(found.medians["transformation"] == name) & (found.medians["criterion"] == "first-flip")]


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(column): value for column, value in row.items()} for row in rows.to_dict("records")]


def _median_image(found: Found, name: str) -> str:
    rows = _medians(found, name, ALL)
    if not rows:
        return ""
    parts = []
    for row in rows:
        kept = f"({percent(row['n_censored'] / row['n'])} keep theirs throughout)"
        if row["censored"]:
            parts.append(f"for fewer than half up to {_end(found, row)} {kept}")
        else:
            parts.append(" ".join(filter(None, ["for half at", _reach(found, row), _between(row), kept])))
    return f"Under {spoken(name)}, of {count(rows[0]['n'], 'image')}, another class is predicted {listed(parts)}."


def _classes(found: Found, name: str) -> str:
    order = by_tolerance(_first_flips(found, name))
    if len(order) < 2:
        return ""
    first, last = (
        f"{each} ({listed([_reach(found, row) for row in _medians(found, name, each)])})"
        for each in (order[0], order[-1])
    )
    return f"Under {spoken(name)}, of {len(order)} classes {first} gives way first and {last} last (median images)."


def _means(found: Found, name: str) -> str:
    criterion = "agreement" if math.isnan(found.clean_accuracy) else "accuracy"
    table = found.thresholds
    rows = table[(table["transformation"] == name) & (table["class"] == ALL) & (table["criterion"] == criterion)]
    if rows.empty:
        return ""
    unit = found.costs.loc[found.costs["transformation"] == name, "unit_of_measure"].iloc[0]
    parts = []
    for level in rows["level"].unique():
        own = [row for row in _records(rows[rows["level"] == level]) if not row["censored"]]
        places = [f"{amount(row['threshold'], unit)} {_between(row)}".strip() for row in own]
        here = f"from {listed(places)} on" if places else "nowhere"
        parts.append(f"below {percent(level)} of its clean value {here}")
    return f"Under {spoken(name)}, the mean {criterion} of all images is {listed(parts)}."


def _returns(found: Found, name: str) -> str:
    rows = found.images[(found.images["transformation"] == name) & (found.images["criterion"] == "first-flip")]
    fallen = rows[~rows["censored"]]
    if fallen.empty:
        return ""
    share = float((fallen["reentries"] > 0).mean())
    return f"Under {spoken(name)}, {percent(share)} of the predictions that change are seen to return further out."


def _reach(found: Found, row: Row) -> str:
    """The median of a row, or beyond which end it lies."""
    return f"beyond {_end(found, row)}" if row["censored"] else amount(row["median"], row["unit_of_measure"])


def _end(found: Found, row: Row) -> str:
    costs = found.costs[(found.costs["transformation"] == row["transformation"]) & (found.costs["side"] == row["side"])]
    return amount(float(costs["end"].iloc[0]), row["unit_of_measure"])


def _between(row: Row) -> str:
    """The 95 % interval, with an ellipsis for an end that lies beyond the grid."""
    if math.isnan(row["low"]) and math.isnan(row["high"]):
        return ""
    low, high = ("…" if math.isnan(row[end]) else number(row[end]) for end in ("low", "high"))
    return f"[{low}, {high}]"
