"""From what a study asks for to a drawing."""

from dataclasses import replace

import numpy as np
import pandas as pd

from invariscope.report.drawings.base import DRAWINGS, PALETTE
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.values import categories, chosen, is_numeric, numbers
from invariscope.report.ink import Drawn, styled


def draw_spec(spec: Spec, table: pd.DataFrame, results: pd.DataFrame) -> Drawn | str:
    """A drawing of the rows that are asked for.

    Args:
        spec: what is asked for.
        table: the table that it names.
        results: the study's results, which may say how two columns correlate.

    Returns:
        The drawing; or in a few words why there is none.
    """
    if missing := [column for column in spec.columns if column not in table.columns]:
        return f"the table {spec.table} has no column {missing[0]!r}"
    rows = chosen(spec, table)
    named = [spec.panel, spec.colour, *((spec.x,) if spec.kind != "scatter" else ())]
    named += [spec.y] if spec.kind == "heat" else []
    rows = rows.dropna(subset=[column for column in named if column is not None])
    if rows.empty:
        return "no row of its table is asked for, or none has a value in all columns"
    if np.isnan(numbers(rows, spec.value if spec.kind == "heat" else spec.y)).all():
        return "no value is known; it may need more networks or seeds"
    with styled():
        return DRAWINGS[spec.kind](faceted(spec, rows), rows, results)


def faceted(spec: Spec, rows: pd.DataFrame) -> Spec:
    """The same with a panel per value where there are more values than colours, and no panels yet.

    Example:
        >>> spec = Spec(kind="bars", name="a", title="A", x="x", colour="name")
        >>> faceted(spec, pd.DataFrame({"name": list("abcdefg")})).panel
        'name'
    """
    if spec.panel is not None or spec.colour is None:
        return spec
    values = categories(spec, rows, spec.colour)
    if len(values) <= len(PALETTE) or is_numeric(values):
        return spec
    return replace(spec, panel=spec.colour, colour=None)
