"""How far a quality tolerates a transformation: its thresholds, read from the tables."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from invariscope.core.words import MINUS, amount, sign_of
from invariscope.report.read import RunData


@dataclass(frozen=True)
class Axis:
    """The magnitudes of a transformation as the page draws and compares them.

    Args:
        name: of the transformation.
        unit_of_measure: of the magnitudes.
        identity: the magnitude that changes nothing.
        magnitudes: that were measured, ascending.
    """

    name: str
    unit_of_measure: str
    identity: float
    magnitudes: tuple[float, ...]

    @property
    def logarithmic(self) -> bool:
        """Whether half and double are equally far from the identity."""
        return self.identity == 1 and self.magnitudes[0] > 0 and self.magnitudes[0] < 1 < self.magnitudes[-1]

    @property
    def switch(self) -> bool:
        """Whether it is either on or off: nothing lies between the identity and the full transformation."""
        return self.name.endswith("flip")

    def distance(self, magnitude: float) -> float:
        """How far a magnitude is from the identity."""
        if self.logarithmic and magnitude > 0:
            return abs(math.log2(magnitude))
        return abs(magnitude - self.identity)

    def ends(self) -> dict[str, float]:
        """The furthest measured magnitude on each side that was measured, by sign."""
        found = {}
        if self.magnitudes and self.magnitudes[0] < self.identity:
            found[MINUS] = self.magnitudes[0]
        if self.magnitudes and self.magnitudes[-1] > self.identity:
            found["+"] = self.magnitudes[-1]
        return found

    def say(self, magnitude: float, digits: int = 3) -> str:
        """A magnitude for a sentence, with its unit of measure in words where it has no sign."""
        words = self.write(magnitude, digits)
        return words if sign_of(self.unit_of_measure) or self.switch else f"{words} {self.unit_of_measure}".strip()

    def write(self, magnitude: float, digits: int = 3) -> str:
        """A magnitude with its unit, with a plus sign where both sides are measured from zero."""
        if self.switch:
            return "clean" if magnitude == self.identity else "flipped"
        # Close to 1 two digits would hide how far it is from the identity.
        digits = max(digits, 3) if self.logarithmic and 0.9 < magnitude < 1.1 else digits
        plus = "+" if magnitude > 0 and self.identity == 0 and len(self.ends()) == 2 else ""
        return plus + amount(magnitude, self.unit_of_measure, digits)


@dataclass(frozen=True)
class Limit:
    """Where a quality first falls below a level, on one side of the identity.

    Args:
        sign: "−" or "+".
        threshold: the magnitude; NaN where it is unknown or never reached.
        low: of the confidence interval; may be infinite.
        high: of the confidence interval; may be infinite.
        censored: the quality never falls below the level.
        end: the furthest magnitude that was measured.
        reentries: how often it is above the level again, further out.
        n: images.
    """

    sign: str
    threshold: float
    low: float
    high: float
    censored: bool
    end: float
    reentries: int
    n: int

    @property
    def known(self) -> bool:
        """Whether anything is known about this side."""
        return self.censored or not math.isnan(self.threshold)

    @property
    def reach(self) -> float:
        """The magnitude up to which it is safe: the threshold, or the furthest one measured."""
        return self.end if self.censored else self.threshold


def read_axis(run: RunData, name: str) -> Axis:
    """The magnitudes of a transformation, from run.json and the tables."""
    tables = (run.tables["curves"], run.tables["verdicts"], run.tables["layers"])
    measured = [frame.loc[frame["transformation"] == name, "magnitude"] for frame in tables]
    every = [run.trait(name, "magnitudes", []), *measured]
    values = np.concatenate([np.asarray(part, dtype=float).reshape(-1) for part in every])
    identity = run.trait(name, "identity", None)
    # A table of recorded responses has no identity row; its stimuli were still compared with the clean ones.
    identity = float(identity) if identity is not None else (1.0 if "scale" in name or name == "zoom" else 0.0)
    unit = run.trait(name, "unit_of_measure", None)
    if unit is None:
        units = run.tables["curves"].loc[run.tables["curves"]["transformation"] == name, "unit_of_measure"]
        unit = units.iloc[0] if len(units) else ""
    magnitudes = sorted({float(value) for value in values if math.isfinite(value)} | {identity})
    return Axis(name, str(unit), identity, tuple(magnitudes))


def safe_level(run: RunData) -> float:
    """The share of the clean quality down to which a transformation counts as tolerated."""
    return float(run.setting("tolerated", 0.9))


def main_quality(run: RunData) -> str:
    """What the page judges by: accuracy, or agreement with the clean prediction where there are no labels."""
    return "accuracy" if run.tables["curves"]["accuracy"].notna().any() else "agreement"


def levels(run: RunData) -> list[float]:
    """The levels at which there are thresholds, the one of `safe_level` (or the nearest to it) first."""
    found = sorted({float(level) for level in run.tables["thresholds"]["level"].dropna()})
    return sorted(found, key=lambda level: (abs(level - safe_level(run)), level))


def read_limits(run: RunData, axis: Axis, quality: str, level: float) -> dict[str, tuple[Limit, ...]]:
    """Per class, "all" first, the limits on the measured sides, minus first."""
    frame = run.tables["thresholds"]
    rows = frame[
        (frame["transformation"] == axis.name) & (frame["criterion"] == quality) & np.isclose(frame["level"], level)
    ]
    ends, found = axis.ends(), {}
    for name, group in rows.groupby("class", sort=False):
        by_side = {str(row["side"]): row for _, row in group.iterrows()}
        limits = tuple(
            _limit(by_side[sign], sign, ends[sign]) for sign in (MINUS, "+") if sign in by_side and sign in ends
        )
        if limits:
            found[str(name)] = limits
    return {"all": found.pop("all"), **found} if "all" in found else found


def _limit(row: "pd.Series[float]", sign: str, end: float) -> Limit:
    threshold = float(row["threshold"])
    censored = bool(row["censored"] == 1) or math.isinf(threshold)
    whole = {name: 0 if math.isnan(row[name]) else int(row[name]) for name in ("reentries", "n")}
    return Limit(
        sign, math.nan if censored else threshold, float(row["low"]), float(row["high"]), censored, end, **whole
    )


def nearest(axis: Axis, limits: tuple[Limit, ...]) -> Limit | None:
    """The side that gives way first; a censored one only if there is no other."""
    known = [limit for limit in limits if limit.known]
    return min(known, key=lambda limit: (limit.censored, axis.distance(limit.reach)), default=None)


# Of a class with fewer images nothing is said: one image is a fifth of its accuracy.
LEAST_IMAGES = 5


def judged(limits: dict[str, tuple[Limit, ...]]) -> dict[str, tuple[Limit, ...]]:
    """The classes with images enough to be compared; not "all"."""
    return {
        name: each for name, each in limits.items() if name != "all" and all(limit.n >= LEAST_IMAGES for limit in each)
    }


def rank_classes(axes: list[Axis], limits: list[dict[str, tuple[Limit, ...]]]) -> list[tuple[str, float]]:
    """Classes, the least tolerant first, each with its mean share of what all classes together tolerate.

    Per transformation the share is the distance at which the class falls below the level, over the distance at which
    all classes together do, at most 2; where either never falls, the furthest magnitude measured stands for it.
    Classes with fewer than `LEAST_IMAGES` images are left out.

    Args:
        axes: of the transformations.
        limits: of each of them, by class.
    """
    shares: dict[str, list[float]] = {}
    for axis, by_class in zip(axes, limits, strict=True):
        reference = nearest(axis, by_class.get("all", ()))
        if reference is None or axis.distance(reference.reach) == 0:
            continue
        for name, own in judged(by_class).items():
            limit = nearest(axis, own)
            if limit is not None:
                share = axis.distance(limit.reach) / axis.distance(reference.reach)
                shares.setdefault(name, []).append(min(share, 2.0))
    return sorted(((name, float(np.mean(each))) for name, each in shares.items()), key=lambda pair: (pair[1], pair[0]))
