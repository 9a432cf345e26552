"""The answer for each transformation: how far it is safe, for which class least, where and whether it is invariant."""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from invariscope.core.words import family_order
from invariscope.report.limits import (
    Axis,
    Limit,
    judged,
    levels,
    main_quality,
    nearest,
    read_axis,
    read_limits,
    safe_level,
)
from invariscope.report.profile import Profile, read_profile
from invariscope.report.read import RunData

# Sums in another order differ by rounding; 0.72 is not below 0.9 · 0.8.
_ROUNDING = 1e-9

VERDICTS = ("invariance", "mixed", "other units", "neither", "not tolerated", "unknown")


@dataclass(frozen=True)
class Share:
    """A share with its confidence interval; NaN where it is unknown."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Answer:
    """All that the page says about one transformation.

    Args:
        axis: its magnitudes.
        quality: "accuracy" or "agreement": what limits and `there` are about.
        level: the share of the clean quality down to which a magnitude counts as safe.
        limits: per class, "all" first, the safe limits on the measured sides.
        magnitude: the furthest measured magnitude that is tolerated on all steps from the identity; where none is, the
            first step. Verdict, units and layers are read there.
        tolerated: whether it is.
        clean: the quality of clean images.
        there: the quality at `magnitude`.
        row: the verdict table's row there; empty where there is none.
        profile: of the layers there.
    """

    axis: Axis
    quality: str
    level: float
    limits: dict[str, tuple[Limit, ...]]
    magnitude: float
    tolerated: bool | None
    clean: Share
    there: Share
    row: "dict[str, object]" = field(default_factory=dict)
    profile: Profile | None = None

    @property
    def name(self) -> str:
        """Of the transformation."""
        return self.axis.name

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`."""
        word = str(self.row.get("verdict") or "unknown")
        if word in VERDICTS:
            return word
        return "unknown"

    def value(self, column: str) -> float:
        """A number of the verdict's row."""
        value = self.row.get(column, math.nan)
        return float(value) if isinstance(value, (int, float)) else math.nan

    @property
    def safe(self) -> tuple[Limit, ...]:
        """The limits for all images together."""
        return self.limits.get("all", ())

    @property
    def worst_class(self) -> tuple[str, Limit] | None:
        """The class that gives way first, if any does."""
        found = [(name, limit) for name, each in judged(self.limits).items() if (limit := nearest(self.axis, each))]
        found = [pair for pair in found if not pair[1].censored]
        return min(found, key=lambda pair: self.axis.distance(pair[1].reach), default=None)


def answer_all(run: RunData) -> list[Answer]:
    """The answers of a run, the transformations ordered by family."""
    tables = (run.tables["curves"], run.tables["verdicts"], run.tables["layers"])
    measured = {name for frame in tables for name in frame["transformation"].unique() if name}
    return [answer(run, name) for name in sorted(measured, key=family_order)]


def answer(run: RunData, name: str) -> Answer:
    """The answer for one transformation.

    Args:
        run: the run.
        name: of the transformation.
    """
    axis, quality = read_axis(run, name), main_quality(run)
    level = next(iter(levels(run)), safe_level(run))
    curve = _curve(run, name)
    magnitude, tolerated = _furthest(run, axis, curve[quality] if len(curve) else None)
    return Answer(
        axis=axis,
        quality=quality,
        level=level,
        limits=read_limits(run, axis, quality, level),
        magnitude=magnitude,
        tolerated=tolerated,
        clean=_share(curve, axis.identity, quality),
        there=_share(curve, magnitude, quality),
        row=_row(run, name, magnitude),
        profile=read_profile(run, name, magnitude),
    )


def _curve(run: RunData, name: str) -> pd.DataFrame:
    frame = run.tables["curves"]
    rows = frame[(frame["transformation"] == name) & (frame["class"] == "all")]
    return rows.drop_duplicates("magnitude").set_index("magnitude").sort_index()


def _share(curve: pd.DataFrame, magnitude: float, quality: str) -> Share:
    if magnitude not in curve.index:
        return Share()
    row = curve.loc[magnitude].to_dict()
    return Share(*(float(row[key]) for key in (quality, f"{quality}_low", f"{quality}_high")))


def _row(run: RunData, name: str, magnitude: float) -> dict[str, object]:
    frame = run.tables["verdicts"]
    rows = frame[(frame["transformation"] == name) & (frame["group"] == "all")]
    rows = rows[np.isclose(rows["magnitude"], magnitude)]
    return {str(key): value for key, value in rows.iloc[0].items()} if len(rows) else {}


def _furthest(run: RunData, axis: Axis, curve: "pd.Series[float] | None") -> tuple[float, bool | None]:
    """The furthest magnitude that is tolerated, with all between it and the identity; else the first step."""
    frame = run.tables["verdicts"]
    rows = frame[(frame["transformation"] == axis.name) & (frame["group"] == "all")]
    told = {float(m): t == 1 for m, t in zip(rows["magnitude"], rows["tolerated"], strict=True) if not math.isnan(t)}
    if curve is not None and axis.identity in curve.index:
        clean = float(curve[axis.identity])
        if not math.isnan(clean):
            told = {m: q >= safe_level(run) * clean - _ROUNDING for m, q in steps_of(curve) if not math.isnan(q)} | told
    steps = [m for m in axis.magnitudes if m != axis.identity]
    if not steps:
        return axis.identity, None
    if not told:
        return max(steps, key=lambda m: (axis.distance(m), m)), None
    reached = [m for m in steps if all(told.get(step, False) for step in _way(axis, m))]
    if reached:
        return max(reached, key=lambda m: (axis.distance(m), m)), True
    return min(steps, key=lambda m: (axis.distance(m), -m)), False


def steps_of(curve: "pd.Series[float]") -> list[tuple[float, float]]:
    """Magnitudes and qualities of a curve, as numbers."""
    return list(zip(curve.index.to_numpy(dtype=float).tolist(), curve.to_numpy(dtype=float).tolist(), strict=True))


def _way(axis: Axis, magnitude: float) -> list[float]:
    low, high = sorted((axis.identity, magnitude))
    return [m for m in axis.magnitudes if low <= m <= high and m != axis.identity]
