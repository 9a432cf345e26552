"""Field: numbers over a plane, as colours, with a line where they reach a level."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from invariscope.core.words import percent
from invariscope.report.drawings.base import DRAWINGS
from invariscope.report.drawings.captions import alternative, in_words, samples, told
from invariscope.report.drawings.panels import Mark, arrange, board
from invariscope.report.drawings.plane import edges, fill_cells
from invariscope.report.drawings.scale import Scale, scale_of
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import Ticks, measured, written
from invariscope.report.drawings.values import Mean, categories, numbers, over_seeds, where_is
from invariscope.report.ink import LIGHT, Drawn

_LEAST, _UNKNOWN = 215.0, "no value"


@DRAWINGS.add("field")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn | str:
    """A plane of colours with its contours in every panel; all share their axes and their scale."""
    rows = rows[~np.isnan(numbers(rows, spec.x)) & ~np.isnan(numbers(rows, spec.y))]
    if rows.empty:
        return f"{spec.x} and {spec.y} are no numbers"
    panels = categories(spec, rows, spec.panel)
    xs, ys = (sorted(set(numbers(rows, column).tolist())) for column in (spec.x, spec.y))
    found = {panel: _cells(spec, where_is(rows, spec.panel, panel), xs, ys) for panel in panels}
    planes = {panel: _plane(cells, len(xs), len(ys)) for panel, cells in found.items()}
    scale = scale_of(spec, [value for plane in planes.values() for value in plane[~np.isnan(plane)]])
    up, across = _ticks(ys), _ticks(xs, room=20.0)
    shape = arrange(len(panels), up.room, _LEAST)
    titles = ["" if panel is None else spec.label(panel) for panel in panels]
    gaps = any(np.isnan(plane).any() for plane in planes.values())
    figure, axes = board(shape, titles, _key(scale, gaps), across, up, (spec.x_label or spec.x, spec.y_label or spec.y))
    for each, panel in zip(axes, panels, strict=True):
        _panel(each, spec, xs, ys, planes[panel], scale)
    said = [
        f"{title + ': ' if title else ''}{_says(spec, xs, ys, planes[panel])}"
        for panel, title in zip(panels, titles, strict=True)
        if not np.isnan(planes[panel]).all()
    ]
    means = [mean for cells in found.values() for mean in cells.values()]
    caption = told(spec, _lines(spec, means), samples(spec, rows, means, bars=""))
    return Drawn(spec.name, spec.title, caption, alternative("Plane of colours", spec, titles, said[:12]), figure)


def _cells(spec: Spec, rows: pd.DataFrame, xs: Sequence[float], ys: Sequence[float]) -> dict[tuple[int, int], Mean]:
    column = {x: place for place, x in enumerate(xs)}
    row = {y: place for place, y in enumerate(ys)}
    x, y = numbers(rows, spec.x), numbers(rows, spec.y)
    places = pd.DataFrame({"x": x, "y": y}, index=rows.index)
    return {
        (row[key[1]], column[key[0]]): over_seeds(rows.loc[group.index], spec.value)  # type: ignore[index]
        for key, group in places.groupby(["x", "y"], sort=True)
    }


def _plane(cells: dict[tuple[int, int], Mean], width: int, height: int) -> np.ndarray:
    plane = np.full((height, width), np.nan)
    for place, mean in cells.items():
        plane[place] = mean.value
    return plane


def _ticks(values: Sequence[float], room: float = 0.0) -> Ticks:
    """An axis that ends where the outer cells do; its words take so much room, or as much as they are wide."""
    ends = edges(values)
    ticks = measured(list(values), share=False, span=(float(ends[0]), float(ends[-1])))
    return Ticks(float(ends[0]), float(ends[-1]), ticks.places, ticks.words, room=room or ticks.room)


def _key(scale: Scale, gaps: bool) -> list[Mark]:
    """The steps of the scale, each with the numbers between which it lies."""
    write = written(scale.share, 0.01 if scale.digits == 0 else 0.001)
    ends = np.linspace(scale.low, scale.high, len(scale.steps) + 1)
    plain = [write(float(round(end, 9))).removesuffix("\u202f%") for end in ends]
    sign = "\u202f%" if scale.share else ""
    marks = [
        Mark(LIGHT[step], "s", f"{plain[place]} to {plain[place + 1]}{sign}") for place, step in enumerate(scale.steps)
    ]
    return [*marks, Mark(LIGHT["grey"], "s", _UNKNOWN)] if gaps else marks


def _panel(axes: Axes, spec: Spec, xs: Sequence[float], ys: Sequence[float], plane: np.ndarray, scale: Scale) -> None:
    axes.grid(visible=False)
    axes.set_facecolor(LIGHT["grey"])
    colours = [[None if np.isnan(value) else scale.colours(float(value))[0] for value in row] for row in plane]
    fill_cells(axes, xs, ys, colours)
    known = plane[~np.isnan(plane)]
    levels = sorted({level for level in spec.levels if len(known) and known.min() < level < known.max()})
    if levels and min(plane.shape) > 1:
        drawn = axes.contour(xs, ys, np.ma.masked_invalid(plane), levels=levels, colors=LIGHT["ink"], linewidths=1.3)
        drawn.set_zorder(3)
        words = {level: in_words(spec, level) for level in levels}
        for text in axes.clabel(drawn, fmt=words, fontsize=9, inline=True, inline_spacing=4):
            text.set_zorder(4)
            text.set_bbox({"facecolor": LIGHT["paper"], "linewidth": 0, "alpha": 0.85, "pad": 1.2})
    if spec.origin is not None:
        axes.plot(*([place] for place in spec.origin), marker="+", markersize=9, color=LIGHT["ink"], zorder=5)


def _lines(spec: Spec, means: Sequence[Mean]) -> str:
    said = "A cell is the mean over seeds." if any(mean.seeds > 1 for mean in means) else ""
    if spec.levels:
        levels = ", ".join(in_words(spec, level) for level in sorted(spec.levels, reverse=True))
        said += f" Lines join the places where it is {levels}, interpolated between cells."
    return said + (" The cross is where nothing is changed." if spec.origin is not None else "")


def _says(spec: Spec, xs: Sequence[float], ys: Sequence[float], plane: np.ndarray) -> str:
    """The extremes with their places, and how much of the plane reaches each level."""
    low, high = (np.unravel_index(find(plane), plane.shape) for find in (np.nanargmin, np.nanargmax))

    def at(place: Any) -> str:
        return f"{in_words(spec, float(plane[place]))} at {spec.label(xs[place[1]])}, {spec.label(ys[place[0]])}"

    area = np.where(np.isnan(plane), 0.0, np.outer(np.diff(edges(ys)), np.diff(edges(xs))))
    shares = [
        f"{in_words(spec, level)} or more on {percent(float(area[plane >= level].sum() / area.sum()))}"
        for level in sorted(spec.levels, reverse=True)
    ]
    return "; ".join([f"from {at(low)} to {at(high)}", *(f"{share} of the plane" for share in shares)])
