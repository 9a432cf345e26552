"""The tables of a study's page: results over seeds in wide form, and the heads of all others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from invariscope.core.words import MINUS, count, interval, listed, number, percent, tidy
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.values import Mean, over_seeds
from invariscope.report.tables import Table

_FOUND = ("seed", "quantity", "value", "low", "high", "n", "unit_of_measure", "source")
_MOST, _WIDE, _HEAD = 300, 9, 10
_PLAIN = Spec(kind="lines", name="plain", title="", x="")


def wide_tables(results: pd.DataFrame) -> list[Table]:
    """Means over seeds with their intervals: a row per condition, a column per quantity.

    Quantities that are measured under the same conditions share a table.

    Args:
        results: the study's tidy table.
    """
    if not {"quantity", "value"} <= set(results.columns) or results.empty:
        return []
    groups: dict[tuple[str, ...], list[Any]] = {}
    for quantity in results["quantity"].dropna().unique():
        groups.setdefault(_conditions(results[results["quantity"] == quantity]), []).append(quantity)
    return [
        _wide(results, conditions, quantities[start : start + _WIDE])
        for conditions, quantities in groups.items()
        for start in range(0, len(quantities), _WIDE)
    ]


def _conditions(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(str(name) for name in rows.columns if name not in _FOUND and rows[name].notna().any())


def _wide(results: pd.DataFrame, conditions: tuple[str, ...], quantities: Sequence[Any]) -> Table:
    rows = results[results["quantity"].isin(quantities)]
    told = [name for name in conditions if rows[name].nunique(dropna=False) > 1]
    alike = [name for name in conditions if name not in told]
    keys = rows[told].drop_duplicates() if told else pd.DataFrame(index=[0])
    body, seeds = [], set()
    groups = dict(list(rows.groupby(told, sort=False, dropna=False))) if told else {(): rows}
    for key, own in list(groups.items())[:_MOST]:
        means = [over_seeds(own[own["quantity"] == quantity], "value") for quantity in quantities]
        seeds |= {mean.seeds for mean in means if mean.seeds}
        units = [_unit(own[own["quantity"] == quantity]) for quantity in quantities]
        words = [_PLAIN.label(value) for value in (key if isinstance(key, tuple) else (key,))]
        body.append((*words, *(_cell(mean, unit) for mean, unit in zip(means, units, strict=True))))
    left = f" The first {_MOST:,} of {len(keys):,} rows; all stand in results.parquet." if len(keys) > _MOST else ""
    same = [f"{_heading(name)} {_PLAIN.label(rows[name].dropna().iloc[0])}" for name in alike]
    note = (
        f"Means over {_seeds(seeds)}with 95 % intervals in brackets: over seeds (t) where there are several, else as "
        f"the table has them.{' All with ' + listed(same, 12) + '.' if same else ''}{left}"
    )
    heads = [_heading(quantity) for quantity in quantities]
    title = listed([heads[0].capitalize(), *heads[1:]], _WIDE)
    return Table(title, note, (*map(_heading, told), *heads), len(told), tuple(body))


def _seeds(seeds: set[int]) -> str:
    if not seeds:
        return "all there is, "
    low, high = min(seeds), max(seeds)
    return f"{count(high, 'seed')}, " if low == high else f"{low} to {count(high, 'seed')}, "


def _heading(name: Any) -> str:
    return tidy(str(name).replace("_", " "), 48)


def _unit(rows: pd.DataFrame) -> str:
    if "unit_of_measure" not in rows.columns or rows["unit_of_measure"].dropna().empty:
        return ""
    return str(rows["unit_of_measure"].dropna().iloc[0])


def _cell(mean: Mean, unit: str) -> str:
    if unit == "share":
        ends = [percent(end, 1).rstrip("\u202f%").replace(f"{MINUS}0.0", "0.0") for end in (mean.low, mean.high)]
        return percent(mean.value, 1) + ("" if "–" in ends else f" [{', '.join(ends)}]")
    return f"{number(mean.value)} {interval(mean.low, mean.high)}".strip()


def heads(tables: dict[str, pd.DataFrame]) -> list[Table]:
    """The first rows of every table.

    Args:
        tables: by name.
    """
    return [_first_rows(name, table) for name, table in tables.items()]


def _first_rows(name: str, table: pd.DataFrame) -> Table:
    words = [column for column in table.columns if not pd.api.types.is_numeric_dtype(table[column])]
    columns = [*words, *(column for column in table.columns if column not in words)]
    top = table.head(_HEAD)
    body = tuple(tuple(_plain(top[column].iloc[row]) for column in columns) for row in range(len(top)))
    shown = f"the first {len(top)} of {count(len(table), 'row')}" if len(table) > len(top) else "all rows"
    note = f"{name}.parquet: {count(len(table), 'row')}, {count(len(columns), 'column')}; {shown}."
    return Table(name, note, tuple(_heading(column) for column in columns), len(words), body)


def _plain(value: Any) -> str:
    if isinstance(value, np.ndarray | list | tuple | dict):
        return tidy(value, 40)
    if value is None or value is pd.NA or value != value:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        return number(float(value), 4)
    return tidy(value, 60)
