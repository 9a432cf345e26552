"""Intervals: a row per thing that was measured, its number as a dot, and how surely it is known as a whisker."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from invariscope.core.words import count
from invariscope.report.drawings.base import DRAWINGS, Colours, colours_of
from invariscope.report.drawings.captions import alternative, in_words, samples, told
from invariscope.report.drawings.forest import Layout, arrange_rows, forest
from invariscope.report.drawings.lines import level
from invariscope.report.drawings.panels import Mark
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import Ticks, measured
from invariscope.report.drawings.values import Mean, categories, numbers, over_seeds, where_is
from invariscope.report.ink import LIGHT, Drawn

_MOST = 80


@dataclass(frozen=True)
class Row:
    """One row of a panel.

    Args:
        name: the value of y.
        group: under which heading it stands, or None.
        means: a number with its interval by colour.
        mark: what was required, NaN where nothing was.
    """

    name: Any
    group: Any
    means: Mapping[Any, Mean]
    mark: float


@DRAWINGS.add("intervals")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn:
    """A row per value of y in every panel, with its dots and whiskers."""
    colours, panels = _colours(spec, rows), categories(spec, rows, spec.panel)
    every = {panel: _rows(spec, where_is(rows, spec.panel, panel), colours) for panel in panels}
    found = {panel: own[:_MOST] for panel, own in every.items()}
    left_out = sum(len(own) - len(found[panel]) for panel, own in every.items())
    names = [[(row.group, row.name) for row in own] for own in found.values()]
    beside = len(panels) > 1 and all(own == names[0] for own in names)
    titles = ["" if panel is None else spec.label(panel) for panel in panels]
    layout = arrange_rows(
        titles,
        [[(_heading(spec, row), spec.label(row.name)) for row in own] for own in found.values()],
        [max((len(row.means) for row in own), default=1) for own in found.values()],
        beside=beside,
    )
    alike = _ticks(spec, [row for own in found.values() for row in own], layout)
    ticks = [alike if beside else _ticks(spec, own, layout) for own in found.values()]
    figure, axes = forest(layout, colours.key, ticks, spec.x_label)
    for each, own, place in zip(axes, found.values(), layout.blocks, strict=True):
        if spec.reference is not None:
            each.axvline(spec.reference, color=LIGHT["muted"], linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        for row, y in zip(own, place.middles, strict=True):
            _draw_row(each, row, y, colours.marks, layout.step)
    means = [mean for own in found.values() for row in own for mean in row.means.values()]
    known = any(not math.isnan(row.mark) for own in found.values() for row in own)
    caption = told(
        spec,
        samples(spec, rows, means, bars="Whiskers"),
        "The upright stroke is what was required." if known else "",
        level(spec),
        colours.said(),
        f"{count(left_out, 'row')} more {'stands' if left_out == 1 else 'stand'} in the table." if left_out else "",
    )
    said = [
        f"{title + ', ' if title else ''}{_says(spec, row, colours.marks)}"
        for title, own in zip(titles, found.values(), strict=True)
        for row in own
    ]
    return Drawn(spec.name, spec.title, caption, alternative("Intervals", spec, titles, said[:16]), figure)


def _colours(spec: Spec, rows: pd.DataFrame) -> Colours:
    """Rows without a value in the column of colours are drawn all the same, in grey."""
    colours = colours_of(spec, rows)
    if spec.colour is None or not rows[spec.colour].isna().any():
        return colours
    return Colours({**colours.marks, None: Mark(LIGHT["muted"], "o", "")}, colours.left_out)


def _rows(spec: Spec, rows: pd.DataFrame, colours: Colours) -> list[Row]:
    found = []
    for group in _in_order(rows, spec.group):
        under = rows if spec.group is None else rows[rows[spec.group] == group]
        if spec.group is not None and group is None:
            under = rows[rows[spec.group].isna()]
        for name in categories(spec, under, spec.y) if spec.y in spec.where else _in_order(under, spec.y):
            own = under[under[spec.y] == name]
            means = {}
            for value in colours.marks:
                here = own if spec.colour is None else own[own[spec.colour].isna()] if value is None else None
                here = own[own[spec.colour] == value] if here is None else here
                if len(here):
                    means[value] = over_seeds(here, spec.x)
            marks = numbers(own, spec.mark) if spec.mark is not None else numbers(own, spec.x)[:0]
            known = marks[~pd.isna(marks)]
            found.append(Row(name, group, means, float(known[0]) if len(known) else math.nan))
    return found


def _in_order(rows: pd.DataFrame, column: str | None) -> list[Any]:
    """The values of a column as the table has them; None last, for rows that have none."""
    if column is None:
        return [None]
    known = [value.item() if hasattr(value, "item") else value for value in rows[column].dropna().unique()]
    return [*known, None] if rows[column].isna().any() else known


def _heading(spec: Spec, row: Row) -> str:
    return "" if row.group is None else spec.label(row.group)


def _ticks(spec: Spec, rows: Sequence[Row], layout: Layout) -> Ticks:
    ends = [end for row in rows for mean in row.means.values() for end in (mean.value, mean.low, mean.high)]
    ends += [row.mark for row in rows] + ([] if spec.reference is None else [spec.reference])
    most = max(3, min(7, int(layout.width // 70)))
    return measured(ends, share=spec.share, span=spec.span, most=most)


def _draw_row(axes: Axes, row: Row, middle: float, marks: Mapping[Any, Mark], step: float) -> None:
    """Dots below one another where a row has several; an interval that is open on one side has its known half."""
    shown = [value for value in marks if value in row.means]
    for place, value in enumerate(shown):
        mean, y = row.means[value], middle + step * (place - (len(shown) - 1) / 2)
        if math.isnan(mean.value):
            continue
        colour = marks[value].colour
        low, high = (mean.value if math.isnan(end) else end for end in (mean.low, mean.high))
        if high > low:
            axes.plot([low, high], [y, y], color=colour, linewidth=1.8, solid_capstyle="butt", zorder=3)
        axes.scatter([mean.value], [y], s=34, marker=marks[value].shape, color=colour, linewidth=0, zorder=4)
    if not math.isnan(row.mark):
        half = max(step * len(shown) / 2, 7.0)
        axes.plot([row.mark] * 2, [middle - half, middle + half], color=LIGHT["ink"], linewidth=2, zorder=5)


def _says(spec: Spec, row: Row, marks: Mapping[Any, Mark]) -> str:
    told = []
    for value, mean in row.means.items():
        ends = f" ({in_words(spec, mean.low)} to {in_words(spec, mean.high)})" if not math.isnan(mean.low) else ""
        told.append(f"{marks[value].text + ' ' if marks[value].text else ''}{in_words(spec, mean.value)}{ends}")
    required = "" if math.isnan(row.mark) else f", required {in_words(spec, row.mark)}"
    return f"{spec.label(row.name)}: {', '.join(told)}{required}"
