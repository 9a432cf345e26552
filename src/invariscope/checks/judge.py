"""The rows of a check: what was found for every part of a requirement, and whether that is enough."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from invariscope.checks.decide import Verdict, decide, images_by_width, images_for_share
from invariscope.checks.shown import part_of
from invariscope.checks.terms import Side, Term
from invariscope.tolerance.curves import curves
from invariscope.tolerance.outputs import ALL, Sweep
from invariscope.tolerance.thresholds import thresholds

_COLUMN = {"accuracy": "accuracy", "agreement": "agreement", "softmax": "softmax_true"}


@dataclass(frozen=True)
class Outcome:
    """One part of a requirement: one magnitude or side, and one class.

    Attributes:
        requirement: its number, from 1.
        transformation: its name.
        quality: "accuracy", "agreement" or "softmax".
        magnitude: at which the quality was asked for; NaN for a threshold.
        side: of the threshold, "+" or "-"; empty for a quality.
        level: of the threshold; NaN for a quality.
        class_name: "all", or a class.
        required: what must be reached: a share, or the threshold's magnitude.
        estimate: what was found, in the same unit; NaN where it is unknown or beyond the grid.
        low: the lower end of its 95 % interval; NaN where it is unknown or beyond the grid.
        high: the upper end.
        grid_end: the outermost magnitude that was shown for a threshold; NaN for a quality.
        censored: the threshold lies beyond the grid.
        n: how many images it is found on.
        verdict: "passes", "fails" or "undecided".
        needed: how many images would decide it, if the estimate stays; NaN where decided, or where none would.
        reason: why nothing could be decided; empty where the interval alone says it.
        unit_of_measure: "share", or that of the magnitudes.
    """

    requirement: int
    transformation: str
    quality: str
    magnitude: float
    side: str
    level: float
    class_name: str
    required: float
    estimate: float
    low: float
    high: float
    grid_end: float
    censored: bool
    n: int
    verdict: Verdict
    needed: float
    reason: str
    unit_of_measure: str


def judge(term: Term, sweep: Sweep, *, replicates: int, seed: int) -> list[Outcome]:
    """Every part of one requirement.

    Args:
        term: the requirement with its transformation.
        sweep: the outputs along that transformation, at least at the term's magnitudes.
        replicates: of the bootstrap over images.
        seed: of the bootstrap.
    """
    classes = term.requirement.classes or (ALL,)
    if term.sides:
        tables = [_fallen(term, side, sweep, replicates, seed) for side in term.sides]
        return [
            _threshold(term, s, table, name) for s, table in zip(term.sides, tables, strict=True) for name in classes
        ]
    table = curves(part_of(sweep, term.requirement.magnitudes), replicates=replicates, seed=seed)
    return [_quality(term, sweep, table, m, name) for m in term.requirement.magnitudes for name in classes]


def _quality(term: Term, sweep: Sweep, table: pd.DataFrame, magnitude: float, name: str) -> Outcome:
    asked = term.requirement
    rows = table[(table["magnitude"] == magnitude) & (table["class"] == name)]
    blank = _blank(term, name, asked.at_least, magnitude=magnitude)
    if rows.empty:
        return blank
    row, column = rows.iloc[0], _COLUMN[asked.quality]
    estimate, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
    n = int(row["n"])
    verdict = decide(low, high, asked.at_least)
    share = asked.quality == "accuracy" or (asked.quality == "agreement" and sweep.scores)
    needed, reason = math.nan, ""
    if verdict == "undecided":
        by_width = images_by_width(estimate, low, high, n, asked.at_least)
        needed = images_for_share(estimate, asked.at_least) if share else by_width
        reason = "one image gives no interval" if math.isnan(low) and n == 1 else ""
    found: dict[str, Any] = {"estimate": estimate, "low": low, "high": high, "n": n, "verdict": verdict}
    return replace(blank, **found, needed=needed, reason=reason)


def _fallen(term: Term, side: Side, sweep: Sweep, replicates: int, seed: int) -> pd.DataFrame:
    table = thresholds(part_of(sweep, side.grid), [term.requirement.level], replicates=replicates, seed=seed)
    return table[(table["criterion"] == term.requirement.quality) & (table["side"] == side.sign)]


def _threshold(term: Term, side: Side, table: pd.DataFrame, name: str) -> Outcome:
    rows = table[table["class"] == name]
    blank = _blank(term, name, side.target, side=side)
    if rows.empty:
        return blank
    row = rows.iloc[0]
    identity, outward = float(term.transformation.identity), 1.0 if side.sign == "+" else -1.0
    n, censored = int(row["n"]), bool(row["censored"])
    known = censored or math.isfinite(row["threshold"])

    def distance(value: float) -> float:
        # An end that is not on the grid lies beyond it, where images could be drawn at all.
        if math.isfinite(value):
            return outward * (value - identity)
        return math.inf if known and n > 1 else math.nan

    ends = [distance(float(row[end])) for end in ("low", "high")]
    near, far = ends if side.sign == "+" else ends[::-1]
    target = outward * (side.target - identity)
    verdict = decide(near, far, target)
    needed, reason = math.nan, ""
    if verdict == "undecided":
        estimate = math.inf if censored else distance(float(row["threshold"]))
        needed = images_by_width(estimate, near, far, n, target)
        if not known:
            reason = f"the clean {term.requirement.quality} is 0, so that it cannot fall"
        elif n == 1:
            reason = "one image gives no interval"
    found: dict[str, Any] = {
        end: float(row[column]) for end, column in (("estimate", "threshold"), ("low", "low"), ("high", "high"))
    }
    return replace(blank, **found, censored=censored, n=n, verdict=verdict, needed=needed, reason=reason)


def _blank(term: Term, name: str, required: float, *, magnitude: float = math.nan, side: Side | None = None) -> Outcome:
    """A part of which nothing is known: what it stays for a class of the network that no image has."""
    return Outcome(
        requirement=term.place + 1,
        transformation=term.requirement.transformation,
        quality=term.requirement.quality,
        magnitude=magnitude,
        side=side.sign if side else "",
        level=term.requirement.level if side else math.nan,
        class_name=name,
        required=required,
        estimate=math.nan,
        low=math.nan,
        high=math.nan,
        grid_end=side.grid[-1 if side.sign == "+" else 0] if side else math.nan,
        censored=False,
        n=0,
        verdict="undecided",
        needed=math.nan,
        reason=f"no image is of the class {name}",
        unit_of_measure=term.transformation.unit_of_measure if side else "share",
    )


def idle(sweep: Sweep) -> bool:
    """Whether the transformation changed no output of any image: then it passes without being a test.

    Args:
        sweep: the outputs along one transformation.
    """
    clean = sweep.outputs[sweep.clean]
    away = [place for place in range(len(sweep.magnitudes)) if place != sweep.clean]
    return bool(away) and all(bool((sweep.outputs[place] == clean).all()) for place in away)


def frame(outcomes: list[Outcome]) -> pd.DataFrame:
    """Outcomes as a table, a row each.

    Args:
        outcomes: of any requirements.
    """
    table = pd.DataFrame([asdict(outcome) for outcome in outcomes])
    return table.astype({"needed": np.float64, "estimate": np.float64, "low": np.float64, "high": np.float64})


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table's rows by column.

    Args:
        table: any.
    """
    return [{str(column): value for column, value in row.items()} for row in table.to_dict(orient="records")]
