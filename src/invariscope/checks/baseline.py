"""A contract made of an earlier run: no worse than it was."""

import math
from collections.abc import Iterator
from typing import Any, Literal

import pandas as pd

from invariscope.checks.contract import LEVEL, Contract, Requirement
from invariscope.checks.judge import plain_rows
from invariscope.core.errors import RunError, SettingError
from invariscope.runs.run import Run
from invariscope.tolerance.outputs import ALL
from invariscope.transformations.base import TRANSFORMATIONS

Of = Literal["curves", "thresholds"]


def baseline_contract(run: Run, of: Of = "curves", margin: float = 0.0) -> tuple[Contract, list[str]]:
    """Make a contract of a finished run of `measure`, for all images together.

    "curves": the quality at every magnitude that the run tolerates, from the identity outward on each side, is at
    least the low end of the run's 95 % interval there; accuracy, with the clean one as the first requirement, or
    without labels agreement. "thresholds": the threshold at 0.9 of the clean quality lies no nearer to the identity
    than the outermost magnitude of the run's grid that the low end of the run's interval reaches.

    Args:
        run: what `measure` wrote.
        of: which of its tables.
        margin: what may be lost: of a quality, as points of share; of a threshold, as a share of its distance from
            the identity; 0 to below 1.

    Returns:
        The contract, and what a person should be told.

    Raises:
        RunError: the run has no curves, or tolerates nothing.
        SettingError: the margin is no share.
    """
    if not 0 <= margin < 1:
        raise SettingError(f"margin takes what may be lost, from 0 to below 1; got {margin:g}.")
    curves = run.curves
    if curves.empty or "transformations" not in run.info:
        raise RunError(
            f"{run.path} has no tolerance curves, so that no contract can be made of it; give a run of `measure`."
        )
    overall = curves[curves["class"] == ALL]
    labelled = bool(overall["accuracy"].notna().any())
    quality = "accuracy" if labelled else "agreement"
    known = [name for name in overall["transformation"].unique() if name in TRANSFORMATIONS]
    made = _of_curves if of == "curves" else _of_thresholds
    found = [each for name in known for each in made(run, overall, name, quality, margin)]
    if of == "curves" and labelled and known:
        found.insert(0, _clean(overall, known[0], quality, margin))
    if not found:
        raise RunError(f"{run.path} tolerates no transformation at any magnitude, so that nothing can be required.")
    left = [name for name in overall["transformation"].unique() if name not in TRANSFORMATIONS]
    notes = [f"of {run.path}, {', '.join(left)} cannot stand in a contract and was left out."] if left else []
    return Contract(tuple(found), source=f"the contract of {run.path}"), notes


def _clean(overall: pd.DataFrame, name: str, quality: str, margin: float) -> Requirement:
    identity = float(TRANSFORMATIONS[name].identity)
    rows = overall[(overall["transformation"] == name) & (overall["magnitude"] == identity)]
    low = float(rows[f"{quality}_low"].iloc[0])
    return Requirement(name, (identity,), _down(low - margin), quality=quality)


def _of_curves(run: Run, overall: pd.DataFrame, name: str, quality: str, margin: float) -> Iterator[Requirement]:
    """Every magnitude from the identity outward until one is not tolerated."""
    share = float(run.info.get("configuration", {}).get("tolerated", LEVEL))
    identity = float(TRANSFORMATIONS[name].identity)
    rows = overall[overall["transformation"] == name].sort_values("magnitude").set_index("magnitude")
    clean = float(rows[quality].get(identity, math.nan))
    for outward in (1.0, -1.0):
        for magnitude in sorted(
            (m for m in rows.index if outward * (m - identity) > 0), key=lambda m: abs(m - identity)
        ):
            if not rows.loc[magnitude, quality] >= share * clean:
                break
            low = _down(float(rows.loc[magnitude, f"{quality}_low"]) - margin)
            if not math.isnan(low):
                yield Requirement(name, (float(magnitude),), low, quality=quality)


def _of_thresholds(run: Run, overall: pd.DataFrame, name: str, quality: str, margin: float) -> Iterator[Requirement]:
    table = run.thresholds
    chosen = (table["transformation"] == name) & (table["class"] == ALL) & (table["criterion"] == quality)
    family = TRANSFORMATIONS[name]()
    identity = float(family.identity)
    shown = overall.loc[overall["transformation"] == name, "magnitude"]
    for row in plain_rows(table[chosen & (table["level"] == LEVEL)]):
        outward = 1.0 if row["side"] == "+" else -1.0
        reached = _reached(row, identity, outward, sorted(outward * (m - identity) for m in shown))
        distance = (1 - margin) * reached
        target = identity + outward * (math.floor(distance) if family.whole else round(distance, 9))
        if target != identity:
            yield Requirement(name, threshold_at_least=target, level=LEVEL, side=row["side"], quality=quality)


def _reached(row: dict[str, Any], identity: float, outward: float, distances: list[float]) -> float:
    """The outermost distance on the grid that the interval's inner end reaches; 0 where that is unknown."""
    inner = outward * (float(row["low" if outward > 0 else "high"]) - identity)
    if math.isnan(inner):
        # Where the threshold lies beyond the grid, so does an end of its interval that is not told.
        return distances[-1] if row["censored"] and row["n"] > 1 else 0.0
    return max((each for each in distances if 0 <= each <= inner + 1e-9), default=0.0)


def _down(share: float) -> float:
    """A share with four digits, not larger; the same run then reaches it."""
    return max(math.floor(share * 1e4 + 1e-9) / 1e4, 0.0) if math.isfinite(share) else share
