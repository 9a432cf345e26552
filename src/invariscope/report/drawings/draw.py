"""From what a study asks for to a drawing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from invariscope.report.drawings.base import DRAWINGS, PALETTE
from invariscope.report.drawings.placed import located
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.values import categories, chosen, is_numeric, numbers
from invariscope.report.ink import Drawn, styled


def draw_spec(spec: Spec, table: pd.DataFrame, results: pd.DataFrame, folder: Path = Path()) -> Drawn | str:
    """A drawing of the rows that are asked for.

    Args:
        spec: what is asked for.
        table: the table that it names.
        results: the study's results, which may say how two columns correlate.
        folder: the run directory, where pictures lie.

    Returns:
        The drawing; or in a few words why there is none.
    """
    if missing := [column for column in spec.columns if column not in table.columns]:
        return f"the table {spec.table} has no column {missing[0]!r}"
    rows = chosen(spec, table)
    rows = rows.dropna(subset=[column for column in _needed(spec) if column is not None])
    if rows.empty:
        return "no row of its table is asked for, or none has a value in all columns"
    measured = _measured(spec)
    if measured and all(np.isnan(numbers(rows, column)).all() for column in measured):
        return "no value is known; it may need more networks or seeds"
    if spec.kind == "gallery":
        rows = rows.assign(**{spec.file: [located(folder, name) for name in rows[spec.file]]})
    with styled():
        return DRAWINGS[spec.kind](faceted(spec, rows), rows, results)


def _needed(spec: Spec) -> list[str | None]:
    """The columns without whose value a row says nothing."""
    if spec.kind == "intervals":
        return [spec.y, spec.panel]
    if spec.kind == "gallery":
        return [spec.x, spec.y, spec.panel, spec.file]
    across = [] if spec.kind == "scatter" else [spec.x]
    return [spec.panel, spec.colour, *across, *([spec.y] if spec.kind in ("heat", "field") else [])]


def _measured(spec: Spec) -> list[str]:
    """The columns of numbers of which at least one must be known; none is asked of pictures."""
    if spec.kind in ("heat", "field"):
        return [spec.value]
    if spec.kind == "intervals":
        return [spec.x, *([spec.mark] if spec.mark else [])]
    return [] if spec.kind == "gallery" else [spec.y]


def faceted(spec: Spec, rows: pd.DataFrame) -> Spec:
    """The same with a panel per value where there are more values than colours, and no panels yet.

    Example:
        >>> spec = Spec(kind="bars", name="a", title="A", x="x", colour="name")
        >>> faceted(spec, pd.DataFrame({"name": list("abcdefg")})).panel
        'name'
    """
    if spec.panel is not None or spec.colour is None or spec.kind == "intervals":
        return spec
    values = categories(spec, rows, spec.colour)
    if len(values) <= len(PALETTE) or is_numeric(values):
        return spec
    return replace(spec, panel=spec.colour, colour=None)
