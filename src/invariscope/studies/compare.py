"""Differences between conditions and correlations over networks, with seeds as the unit of evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from invariscope.statistics.student import t_interval

REPLICATES = 2000


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval.

    Args:
        value: NaN where it is unknown.
        low: end of the interval, NaN where there is none.
        high: the other end.
        n: how many seeds it rests on.
    """

    value: float
    low: float
    high: float
    n: int


def by_seed(results: pd.DataFrame, **where: Any) -> "pd.Series[float]":
    """One value per seed: of the rows that meet the conditions, those of single networks.

    Args:
        results: a study's tidy table.
        where: conditions by column.

    Returns:
        Values indexed by seed; the mean where several rows of a seed meet the conditions.
    """
    rows = results[results["seed"].notna()]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows.groupby(rows["seed"].astype(int))["value"].mean()


def mean_of(values: "pd.Series[float]") -> Estimate:
    """The mean over seeds with Student's interval.

    Example:
        >>> mean_of(pd.Series([0.0, 1.0])).value
        0.5
    """
    known = values.dropna().to_numpy(dtype=np.float64)
    low, high = t_interval(known)
    return Estimate(float(known.mean()) if len(known) else float("nan"), low, high, len(known))


def difference(results: pd.DataFrame, first: Mapping[str, Any], second: Mapping[str, Any], **where: Any) -> Estimate:
    """The mean over seeds of a difference that is paired inside each seed.

    Args:
        results: a study's tidy table.
        first: conditions of what is subtracted from.
        second: conditions of what is subtracted.
        where: conditions of both.

    Returns:
        first − second.
    """
    gap = by_seed(results, **first, **where) - by_seed(results, **second, **where)
    return mean_of(gap.dropna())


def correlation(
    table: pd.DataFrame, x: str, y: str, *, rank: bool = False, centre: str | None = None, seed: int = 0
) -> Estimate:
    """The correlation of two columns over networks, with a bootstrap over seeds.

    Networks of a seed share weights at the start and images, so seeds are drawn with all their networks.

    Args:
        table: one row per network, with `seed`.
        x: a column.
        y: another.
        rank: Spearman's correlation; else Pearson's.
        centre: column within whose values both columns are centred first; None centres over all networks.
        seed: of the bootstrap.

    Returns:
        The correlation; NaN where fewer than four networks are known, or nothing varies.

    Example:
        >>> rows = pd.DataFrame({"a": [1, 2, 3, 4.0], "b": [2, 4, 6, 8.0], "seed": [0, 0, 1, 1]})
        >>> round(correlation(rows, "a", "b").value, 6)
        1.0
    """
    known = table.dropna(subset=[x, y])
    seeds = sorted(known["seed"].unique())
    values = known[[x, y]].to_numpy(dtype=np.float64)
    groups = None if centre is None else known[centre].to_numpy()
    members = [np.flatnonzero(known["seed"].to_numpy() == each) for each in seeds]
    value = _correlate(values, groups, rank)
    if len(seeds) < 2 or np.isnan(value):
        return Estimate(value, float("nan"), float("nan"), len(seeds))
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = []
    for _ in range(REPLICATES):
        rows = np.concatenate([members[place] for place in random.integers(0, len(seeds), len(seeds))])
        drawn.append(_correlate(values[rows], None if groups is None else groups[rows], rank))
    low, high = np.nanquantile(np.array(drawn), [0.025, 0.975])
    return Estimate(value, float(low), float(high), len(seeds))


def _correlate(values: np.ndarray, groups: np.ndarray | None, rank: bool) -> float:
    if len(values) < 4:
        return float("nan")
    values = values.copy()
    if groups is not None:
        for group in np.unique(groups):
            values[groups == group] -= values[groups == group].mean(axis=0)
    if rank:
        from scipy.stats import rankdata

        values = np.stack([rankdata(column) for column in values.T], axis=1)
    values = values - values.mean(axis=0)
    scale = np.sqrt((values**2).sum(axis=0))
    if (scale < 1e-9).any():
        return float("nan")
    return float((values[:, 0] * values[:, 1]).sum() / scale.prod())
