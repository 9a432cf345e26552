"""The numbers of a drawing: rows that are shown, their order, means and intervals over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from invariscope.report.drawings.spec import Spec
from invariscope.report.figures.paradigm import t_half_width


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Args:
        value: the mean; NaN where no seed has a value.
        low: lower end of its 95 % interval: over seeds (t) where there are several, else as the table has it; or NaN.
        high: upper end.
        each: the single values.
        seeds: how many seeds; 0 where the table holds one number over seeds.
        unknown: how many rows have no value.
    """

    value: float
    low: float
    high: float
    each: tuple[float, ...]
    seeds: int
    unknown: int = 0


def chosen(spec: Spec, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that a drawing shows."""
    rows = table
    for column, wanted in spec.where.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        here = rows[column].isin([value for value in values if value is not None])
        if None in values:
            here |= rows[column].isna()
        rows = rows[here]
    return rows


def categories(spec: Spec, rows: pd.DataFrame, column: str | None) -> list[Any]:
    """The values of a column in the order in which they are drawn: as asked, by number, or as the table has them.

    Example:
        >>> spec = Spec(kind="bars", name="a", title="A", x="k", where={"group": ["unseen", "seen"]})
        >>> rows = pd.DataFrame({"k": [2, 1], "group": ["seen", "unseen"]})
        >>> categories(spec, rows, "k"), categories(spec, rows, "group"), categories(spec, rows, None)
        ([1, 2], ['unseen', 'seen'], [None])
    """
    if column is None:
        return [None]
    there = [_plain(value) for value in rows[column].dropna().unique()]
    asked = spec.where.get(column)
    if isinstance(asked, list):
        return [value for value in asked if value in there]
    return sorted(there) if is_numeric(there) else there


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def is_numeric(values: Sequence[Any]) -> bool:
    """Whether all values are numbers."""
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def where_is(rows: pd.DataFrame, column: str | None, value: Any) -> pd.DataFrame:
    """The rows that have a value in a column; all of them where there is no column."""
    return rows if column is None else rows[rows[column] == value]


def over_seeds(rows: pd.DataFrame, column: str) -> Mean:
    """The mean of a column over seeds, with its interval.

    Rows of a seed are averaged first, so that the interval is over seeds. Rows without a seed are sums of all of them
    and count only where there is no other.

    Args:
        rows: of one condition.
        column: the numbers.

    Example:
        >>> rows = pd.DataFrame({"seed": [0, 1, None], "value": [0.4, 0.6, 0.9]})
        >>> found = over_seeds(rows, "value")
        >>> found.value, round(found.low, 3), round(found.high, 3), found.seeds
        (0.5, -0.771, 1.771, 2)
    """
    if "seed" in rows.columns and rows["seed"].notna().any():
        rows = rows[rows["seed"].notna()]
    values = numbers(rows, column)
    known = ~np.isnan(values)
    unknown = int((~known).sum())
    each = tuple(float(value) for value in values[known])
    seeds = _by_seed(rows[known], column)
    if not each:
        return Mean(math.nan, math.nan, math.nan, (), 0, unknown)
    if len(seeds) < 2:
        low, high = _own_interval(rows[known])
        return Mean(float(np.mean(each)), low, high, each, len(seeds), unknown)
    mean, half = float(seeds.mean()), t_half_width(seeds)
    return Mean(mean, mean - half, mean + half, each, len(seeds), unknown)


def numbers(rows: pd.DataFrame, column: str) -> np.ndarray:
    """A column as floating-point numbers; NaN where there is none."""
    found: np.ndarray = pd.to_numeric(rows[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _by_seed(rows: pd.DataFrame, column: str) -> np.ndarray:
    if "seed" not in rows.columns or rows["seed"].isna().all():
        return np.empty(0)
    values = pd.Series(numbers(rows, column)).groupby(rows["seed"].to_numpy()).mean()
    return values.to_numpy(dtype=np.float64)


def _own_interval(rows: pd.DataFrame) -> tuple[float, float]:
    if len(rows) != 1 or not {"low", "high"} <= set(rows.columns):
        return math.nan, math.nan
    return float(numbers(rows, "low")[0]), float(numbers(rows, "high")[0])
