"""How a comparison is written: thresholds, differences, p-values."""

from typing import Any

import numpy as np
import pandas as pd

from invariscope.core.words import MINUS, amount, interval, number, percent, sign_of


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as mappings.

    Args:
        rows: of any table.
    """
    return [{str(column): value for column, value in row.items()} for row in rows.to_dict("records")]


def move_text(row: dict[str, Any]) -> str:
    """How one threshold moved, with its interval.

    Args:
        row: of the table of thresholds.

    Returns:
        "accuracy to 90 % at 12° instead of 20°: −8 [−9.5, −6.5], p < 0.001".
    """
    sign = sign_of(row["unit_of_measure"])
    now, before = place_text(row, "b"), place_text(row, "a")
    change = difference_text(row)
    return f"{case_text(row)} at {now} instead of {before}: {change}{sign}, {p_text(row['p_adjusted'])}"


def case_text(row: dict[str, Any]) -> str:
    """A criterion and its level.

    Args:
        row: of the table of thresholds.
    """
    if row["criterion"] == "first-flip":
        return f"first flip of {percent(1 - row['level'])} of the images"
    return f"{row['criterion']} to {percent(row['level'])}"


def short_text(row: dict[str, Any]) -> str:
    r"""A threshold in both runs, as short as a drawing needs it.

    Args:
        row: of the table of thresholds.

    Example:
        >>> row = {"criterion": "accuracy", "level": 0.9, "side": "+", "unit_of_measure": "degrees"}
        >>> short_text({**row, "a": 20.0, "b": np.nan, "a_beyond": np.nan, "b_beyond": 180.0})
        '+ accuracy 90\u202f%: 20° → >180°'
    """
    beyond = "<" if row["side"] == "-" else ">"
    places = [
        f"{beyond}{amount(row[f'{side}_beyond'], row['unit_of_measure'])}"
        if np.isnan(row[side])
        else amount(row[side], row["unit_of_measure"])
        for side in ("a", "b")
    ]
    case = "first flip" if row["criterion"] == "first-flip" else f"{row['criterion']} {percent(row['level'])}"
    return f"{row['side'].replace('-', MINUS)} {case}: {places[0]} → {places[1]}"


def place_text(row: dict[str, Any], side: str) -> str:
    """A threshold with its unit, or that it lies beyond the grid.

    Args:
        row: of the table of thresholds.
        side: "a" or "b".
    """
    if np.isnan(row[side]):
        return f"beyond {amount(row[f'{side}_beyond'], row['unit_of_measure'])}"
    return amount(row[side], row["unit_of_measure"])


def difference_text(row: dict[str, Any]) -> str:
    """A difference with its interval; or the bound that is known of it.

    Args:
        row: of the table of thresholds.
    """
    if not np.isnan(row["difference"]):
        ends = [number(end, 2) if not np.isnan(end) else "?" for end in (row["low"], row["high"])]
        return f"{signed(row['difference'])} [{ends[0]}, {ends[1]}]"
    if not np.isnan(row["at_most"]):
        return f"{signed(row['at_most'])} or further"
    return f"{signed(row['at_least'])} or more" if not np.isnan(row["at_least"]) else "–"


def p_text(p: float) -> str:
    """A p-value as a person writes it.

    Example:
        >>> p_text(0.0312), p_text(0.00002), p_text(float("nan"))
        ('p = 0.031', 'p < 0.001', 'p unknown')
    """
    if np.isnan(p):
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 2)}"


def signed_points(share: float) -> str:
    """A difference of shares in points with one decimal and its sign.

    Example:
        >>> signed_points(-0.0231), signed_points(0.0)
        ('−2.3', '0.0')
    """
    text = f"{abs(share) * 100:.1f}"
    return text if text == "0.0" else ("+" if share > 0 else MINUS) + text


def points_interval(low: float, high: float) -> str:
    """The interval of a difference of shares, in points.

    Args:
        low: end of the interval, as a share.
        high: end of the interval.
    """
    return interval(round(low * 100, 1), round(high * 100, 1))


def signed(value: float) -> str:
    """A number with its sign.

    Args:
        value: any number.
    """
    return number(value) if value <= 0 else f"+{number(value)}"
