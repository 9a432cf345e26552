"""Tidy rows: what was found, under which conditions, how surely, from how much."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from invariscope.statistics.student import t_interval

Row = dict[str, Any]
FOUND = ("quantity", "value", "low", "high", "n", "unit_of_measure", "source")
NAN = float("nan")


def found(
    quantity: str,
    value: float,
    low: float = NAN,
    high: float = NAN,
    n: int = 0,
    unit_of_measure: str = "share",
    **conditions: Any,
) -> Row:
    """One row.

    Args:
        quantity: what was measured.
        value: the number; NaN where it is unknown.
        low: end of its 95 % interval, NaN where there is none.
        high: the other end.
        n: from how many images, units, networks or seeds, as the quantity says.
        unit_of_measure: of the value: "share", "coefficient", "units", …
        conditions: under which it was found, by column.

    Example:
        >>> found("within", 0.95, n=40, group="seen")["group"]
        'seen'
    """
    numbers = {"value": float(value), "low": float(low), "high": float(high), "n": int(n)}
    return {**conditions, "quantity": quantity, **numbers, "unit_of_measure": unit_of_measure}


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows, then their means over seeds, in which `seed` is empty and `n` counts seeds.

    Args:
        rows: with `seed`, `quantity`, `value`, `low`, `high`, `n`, `unit_of_measure`; all other columns are conditions.

    Returns:
        Rows with Student's 95 % interval over seeds; unknown values are left out of the mean.

    Example:
        >>> table = pd.DataFrame([found("within", value, seed=seed) for seed, value in enumerate([0.0, 1.0])])
        >>> over_seeds(table)["value"].tolist()
        [0.0, 1.0, 0.5]
    """
    rows = rows.assign(seed=rows["seed"].astype("Int64"))
    conditions = [name for name in rows.columns if name not in ("seed", "value", "low", "high", "n", "source")]
    means: list[Row] = []
    for key, group in rows.groupby(conditions, sort=False, dropna=False):
        values = group["value"].dropna().to_numpy()
        low, high = t_interval(values)
        mean = float(values.mean()) if len(values) else NAN
        named = dict(zip(conditions, key, strict=True))
        means.append({**named, "seed": pd.NA, "value": mean, "low": low, "high": high, "n": len(values)})
    table = pd.DataFrame(means, columns=rows.columns).astype({"seed": "Int64"})
    return pd.concat([rows, table], ignore_index=True) if means else rows


def ordered(rows: pd.DataFrame, source: str, first: Sequence[str] = ()) -> pd.DataFrame:
    """The columns in the order of a study's table: conditions, seed, then what was found.

    Args:
        rows: tidy rows.
        source: the figure they stand for.
        first: conditions that come before the others.
    """
    rows = rows.assign(source=source)
    conditions = [name for name in rows.columns if name not in (*FOUND, "seed", *first)]
    return rows[[*first, *conditions, "seed", *FOUND]]
