"""How far thresholds moved from one run to another, from each run's own intervals."""

import numpy as np
import pandas as pd

from invariscope.checks.compare_paired import FEWEST
from invariscope.runs.run import Run
from invariscope.statistics.differences import from_interval, mover

KEYS = ["class", "criterion", "level", "side"]


def unpaired_rows(a: Run, b: Run, name: str) -> pd.DataFrame:
    """The difference of two runs' thresholds from their own intervals, as if their images had nothing in common.

    The intervals are combined by the method of variance estimates recovery, and p belongs to the interval.

    Args:
        a: the reference.
        b: the other.
        name: of the transformation.

    Returns:
        Rows as those of `paired_rows`.
    """
    one, other = distances(a, name), distances(b, name)
    joined = one.merge(other, on=KEYS, suffixes=("_a", "_b"))
    sides = []
    for end in ("_a", "_b"):
        value, low, high, beyond = (joined[f"{column}{end}"].to_numpy() for column in _ENDS)
        inside = np.isnan(beyond)
        sides.append((np.where(inside, value, beyond), np.where(np.isnan(low), beyond, low), high))
    (at_a, low_a, high_a), (at_b, low_b, high_b) = sides
    beyond_a, beyond_b = (joined[f"beyond{end}"].to_numpy() for end in ("_a", "_b"))
    open_a, open_b = ~np.isnan(beyond_a), ~np.isnan(beyond_b)
    ends = mover((at_a, low_a, high_a), (at_b, low_b, high_b))
    apart = at_b - at_a
    # A bound says something in one direction only.
    silent = (open_a & (apart >= 0)) | (open_b & (apart <= 0))
    p = np.where(silent, 1.0, from_interval(apart, *ends))
    joined["p"] = np.where((open_a & open_b) | (joined[["n_a", "n_b"]].min(axis=1) < FEWEST), np.nan, p)
    known = ~(open_a | open_b)
    return joined.assign(
        a=np.where(open_a, np.nan, at_a),
        b=np.where(open_b, np.nan, at_b),
        difference=np.where(known, apart, np.nan),
        low=np.where(open_a, np.nan, ends[0]),
        high=np.where(open_b, np.nan, ends[1]),
        at_least=np.where(open_a, np.nan, apart),
        at_most=np.where(open_b, np.nan, apart),
        a_beyond=beyond_a,
        b_beyond=beyond_b,
        n=joined[["n_a", "n_b"]].min(axis=1),
        basis="unpaired",
        grid="same" if _grid(a, name) == _grid(b, name) else "own",
    )[_COLUMNS]


_ENDS = ("threshold", "low", "high", "beyond")
_COLUMNS = [
    *("class", "criterion", "level", "side", "a", "b", "difference", "low", "high", "p", "at_least", "at_most"),
    *("a_beyond", "b_beyond", "n", "basis", "grid"),
]


def distances(run: Run, name: str) -> pd.DataFrame:
    """A run's thresholds of one transformation as distances from the identity.

    Args:
        run: a finished measurement.
        name: of the transformation.

    Returns:
        Columns `class, criterion, level, side, threshold, low, high, beyond, n`; `beyond` is the grid's end where the
        threshold lies beyond it.
    """
    rows = run.thresholds
    rows = rows[rows["transformation"] == name] if len(rows) else rows
    grid, identity = _grid(run, name), float(run.info["transformations"][name]["identity"])
    above = (rows["side"] == "+").to_numpy()
    sign = np.where(above, 1.0, -1.0)
    low, high = rows["low"].to_numpy(np.float64), rows["high"].to_numpy(np.float64)
    end = np.where(above, max(grid) - identity, identity - min(grid))
    return rows[["class", "criterion", "level", "side", "n"]].assign(
        threshold=sign * (rows["threshold"].to_numpy(np.float64) - identity),
        low=sign * (np.where(above, low, high) - identity),
        high=sign * (np.where(above, high, low) - identity),
        beyond=np.where(rows["censored"].to_numpy(bool), end, np.nan),
    )


def _grid(run: Run, name: str) -> list[float]:
    return sorted(map(float, run.info["transformations"][name]["magnitudes"]))
