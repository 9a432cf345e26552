"""Heat: a number per pair of values, as a colour and as a number."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from invariscope.report.drawings.base import DRAWINGS
from invariscope.report.drawings.captions import alternative, in_words, samples, told
from invariscope.report.drawings.scale import Scale, scale_of
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.type import broken, width_of
from invariscope.report.drawings.values import Mean, categories, over_seeds, where_is
from invariscope.report.figures.grid import WIDTH, blank, cells
from invariscope.report.ink import LIGHT, Drawn, sheet

Cells = dict[tuple[Any, Any], Mean]

_SIZE, _LONGEST, _WIDEST, _FLAT, _LEAST, _SLANT, _GAP = 10.5, 200.0, 66.0, 120.0, 34.0, 52, 40.0


@dataclass(frozen=True)
class Layout:
    """Where the cells of a heat map are, in pixels from its own corner.

    Args:
        heads: words above the columns.
        names: words beside the rows.
        left: of the first column.
        top: of the first row.
        wide: of a cell.
        high: of a cell.
        flat: headings are not slanted.
        over: pixels that the last slanted heading stands out on the right.
    """

    heads: tuple[str, ...]
    names: tuple[str, ...]
    left: float
    top: float
    wide: float
    high: float
    flat: bool
    over: float

    @property
    def size(self) -> tuple[float, float]:
        """Of the whole, in pixels."""
        return self.left + self.wide * len(self.heads) + self.over, self.top + self.high * len(self.names)


@DRAWINGS.add("heat")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn:
    """A table of coloured numbers in every panel."""
    panels, columns, names = (categories(spec, rows, column) for column in (spec.panel, spec.x, spec.y))
    found = {panel: _means(spec, where_is(rows, spec.panel, panel), columns, names) for panel in panels}
    means = [mean for each in found.values() for mean in each.values()]
    scale = scale_of(spec, [mean.value for mean in means])
    titles = ["" if panel is None else spec.label(panel) for panel in panels]
    layout, across = _arrange(spec, columns, names, len(panels), 22.0 if spec.x_label else 0.0)
    wide, high = layout.size
    down = math.ceil(len(panels) / across)
    head = 26.0 if any(titles) else 2.0
    height = down * (head + high + 18) + 26
    figure = sheet(WIDTH, height)
    axes = figure.add_axes((0, 0, 1, 1))
    blank(axes, height)
    gaps = False
    for place, panel in enumerate(panels):
        row, column = divmod(place, across)
        corner = column * (wide + _GAP), row * (head + high + 18) + head
        if titles[place]:
            axes.text(corner[0], corner[1] - 10, titles[place], fontsize=11.5, weight="bold", va="baseline")
        _words(axes, spec, layout, corner)
        gaps |= _fill(axes, layout, corner, [[found[panel].get((x, y)) for x in columns] for y in names], scale)
    scale.key(axes, layout.left, height - 20, gaps=gaps)
    said = [
        f"{title + ': ' if title else ''}{_ends(spec, found[panel])}"
        for panel, title in zip(panels, titles, strict=True)
        if any(mean.each for mean in found[panel].values())
    ]
    caption = told(
        spec,
        _cells(spec, means),
        samples(spec, rows, means, bars=""),
    )
    return Drawn(spec.name, spec.title, caption, alternative("Table of colours", spec, titles, said[:12]), figure)


def _cells(spec: Spec, means: Sequence[Mean]) -> str:
    """What a cell is."""
    seeds = any(mean.seeds > 1 for mean in means)
    said = "the mean over seeds" if seeds else "in percent" if spec.share else ""
    return f"A cell is {said}{', in percent' if seeds and spec.share else ''}." if said else ""


def _means(spec: Spec, rows: pd.DataFrame, columns: Sequence[Any], names: Sequence[Any]) -> Cells:
    found = {}
    for y in names:
        own = rows[rows[spec.y] == y]
        for x in columns:
            here = own[own[spec.x] == x]
            if len(here):
                found[x, y] = over_seeds(here, spec.value)
    return found


def _arrange(spec: Spec, columns: Sequence[Any], names: Sequence[Any], panels: int, label: float) -> tuple[Layout, int]:
    """Where cells are, and how many panels stand side by side."""
    beside = tuple(broken(spec.label(name), _LONGEST, _SIZE, lines=1)[0] for name in names)
    heads = tuple(broken(spec.label(name), _LONGEST, 9.5, lines=1)[0] for name in columns)
    left = max(width_of(word, _SIZE) for word in (*beside, spec.y_label)) + 12
    widest, n = max(width_of(word, 9.5) for word in heads), len(heads)
    for across in range(min(panels, 3), 0, -1):
        room = (WIDTH - _GAP * (across - 1)) / across - left
        flat = widest + 10 <= min(room / n, _FLAT)
        turned = math.radians(_SLANT)
        over = 0.0 if flat else max(width_of(heads[-1], 9.5) * math.cos(turned) - 8, 0.0)
        wide = min((room - over) / n, max(_WIDEST, widest + 12) if flat else _WIDEST)
        if wide >= _LEAST or across == 1:
            break
    top = label + (20.0 if flat else widest * math.sin(turned) + 18)
    return Layout(heads, beside, left, top, wide, min(26.0, max(wide, 8.0)), flat, over), across


def _words(axes: Axes, spec: Spec, layout: Layout, corner: tuple[float, float]) -> None:
    x, y = corner
    if spec.x_label:
        axes.text(x + layout.left, y + 9, spec.x_label, va="center", fontsize=_SIZE, color=LIGHT["muted"])
    if spec.y_label:
        axes.text(
            *(x + layout.left - 10, y + layout.top - 9), spec.y_label, ha="right", va="center", fontsize=_SIZE,
            color=LIGHT["muted"],
        )  # fmt: skip
    turn: dict[str, Any] = {} if layout.flat else {"rotation": _SLANT, "rotation_mode": "anchor"}
    for place, word in enumerate(layout.heads):
        middle = x + layout.left + (place + 0.5) * layout.wide - (0 if layout.flat else 2)
        ha = "center" if layout.flat else "left"
        axes.text(middle, y + layout.top - 5, word, ha=ha, va="bottom", fontsize=9.5, color=LIGHT["muted"], **turn)
    size = min(_SIZE, 0.9 * layout.high)
    for place, word in enumerate(layout.names):
        middle = y + layout.top + (place + 0.5) * layout.high
        axes.text(x + layout.left - 10, middle, word, ha="right", va="center", fontsize=size)


def _fill(
    axes: Axes, layout: Layout, corner: tuple[float, float], table: Sequence[Sequence[Mean | None]], scale: Scale
) -> bool:
    """Draw the cells; returns whether one has no value."""
    places, colours, gaps = [], [], False
    size = 10.0 if layout.wide >= 38 else 8.5 if layout.wide >= 28 else 0.0
    for row, means in enumerate(table):
        for column, mean in enumerate(means):
            x, y = corner[0] + layout.left + column * layout.wide, corner[1] + layout.top + row * layout.high
            middle = x + layout.wide / 2 - 0.5, y + layout.high / 2 - 0.5
            if mean is None or math.isnan(mean.value):
                axes.text(*middle, "·", ha="center", va="center", color=LIGHT["faint"])
                gaps = True
                continue
            fill, ink = scale.colours(mean.value)
            places.append((x, y))
            colours.append(fill)
            if size:
                axes.text(*middle, scale.write(mean.value), ha="center", va="center", fontsize=size, color=ink)
    cells(axes, places, (layout.wide, layout.high), colours)
    return gaps


def _ends(spec: Spec, found: Cells) -> str:
    known = {place: mean.value for place, mean in found.items() if mean.each}
    low, high = min(known, key=lambda place: known[place]), max(known, key=lambda place: known[place])
    return " to ".join(
        f"{in_words(spec, known[place])} ({spec.label(place[1])}, {spec.label(place[0])})" for place in (low, high)
    )
