"""Violins: how the values of units are distributed, with median and quartiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from invariscope.report.drawings.base import DRAWINGS, Colours, colours_of
from invariscope.report.drawings.captions import alternative, in_words, population, told, unknown
from invariscope.report.drawings.panels import Mark, arrange, board
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import at_categories, measured
from invariscope.report.drawings.values import categories, numbers, where_is
from invariscope.report.ink import LIGHT, Drawn

_POINTS, _FEW, _SLOT = 48, 4, 13.0


@dataclass(frozen=True)
class Cloud:
    """The values of one violin, and how many rows had none."""

    values: np.ndarray
    unknown: int


@DRAWINGS.add("violins")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn:
    """A violin per place and colour in every panel."""
    colours, panels = colours_of(spec, rows, areas=True), categories(spec, rows, spec.panel)
    places = categories(spec, rows, spec.x)
    found = {panel: _clouds(spec, where_is(rows, spec.panel, panel), colours, places) for panel in panels}
    clouds = [cloud for each in found.values() for cloud in each.values()]
    drawn = [cloud.values for cloud in clouds if len(cloud.values)]
    up = measured([end for values in drawn for end in (values.min(), values.max())], share=spec.share, span=spec.span)
    least = max(190.0, _SLOT * len(places) * len(colours.marks))
    shape = arrange(len(panels), up.room, least)
    across = at_categories(places, spec, shape.width)
    if across.reach > up.room:
        shape = arrange(len(panels), across.reach, least)
    titles = ["" if panel is None else spec.label(panel) for panel in panels]
    figure, axes = board(shape, titles, colours.key, across, up, (spec.x_label, spec.y_label))
    for each, panel in zip(axes, panels, strict=True):
        _panel(each, found[panel], places, colours.marks)
    noun = "unit" if "unit" in rows.columns else "value"
    sizes = [len(values) for values in drawn]
    caption = told(
        spec,
        "The dot is the median, the thick line joins the quartiles, the width is the density of values.",
        population(rows, sizes, noun, "per violin") + unknown(sum(cloud.unknown for cloud in clouds)),
        colours.said(),
    )
    medians = [
        f"{', '.join(filter(None, (title, mark.text)))} median {_medians(spec, found[panel], v)}".strip()
        for panel, title in zip(panels, titles, strict=True)
        for v, mark in colours.marks.items()
        if any(len(cloud.values) for (_, value), cloud in found[panel].items() if value == v)
    ]
    return Drawn(spec.name, spec.title, caption, alternative("Violins", spec, titles, medians[:12]), figure)


def _clouds(spec: Spec, rows: pd.DataFrame, colours: Colours, places: list[Any]) -> dict[tuple[Any, Any], Cloud]:
    found = {}
    for value in colours.marks:
        own = where_is(rows, spec.colour if value is not None else None, value)
        for place in places:
            values = numbers(own[own[spec.x] == place], spec.y)
            known = values[~np.isnan(values)]
            found[place, value] = Cloud(known, len(values) - len(known))
    return found


def _panel(axes: Axes, found: Mapping[tuple[Any, Any], Cloud], places: list[Any], marks: Mapping[Any, Mark]) -> None:
    slot = 0.88 / len(marks)
    for (place, value), cloud in found.items():
        middle = places.index(place) + slot * (list(marks).index(value) - (len(marks) - 1) / 2)
        if len(cloud.values):
            _violin(axes, cloud.values, middle, 0.47 * slot, marks[value].colour)


def _violin(axes: Axes, values: np.ndarray, middle: float, half: float, colour: str) -> None:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    heights, widths = density(values)
    if len(heights):
        edge = half * widths
        axes.fill_betweenx(heights, middle - edge, middle + edge, color=colour, alpha=0.3, linewidth=0, zorder=2)
    if len(values) < _FEW:
        axes.scatter([middle] * len(values), values, s=14, color=colour, alpha=0.5, linewidth=0, zorder=3)
    axes.plot([middle, middle], [low, high], color=colour, linewidth=3, solid_capstyle="butt", zorder=3)
    axes.plot([middle], [median], marker="o", markersize=5, color=LIGHT["paper"], markeredgecolor=colour, zorder=4)


def density(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The outline of a violin: a Gaussian kernel density between the smallest and the largest value, at most 1.

    Args:
        values: of the units.

    Returns:
        Heights and half widths; empty where there are too few values, or they are all alike.

    Example:
        >>> heights, widths = density(np.array([0.0, 1.0, 1.0, 1.0, 2.0]))
        >>> float(heights[0]), float(heights[-1]), float(widths.max())
        (0.0, 2.0, 1.0)
    """
    if len(values) < _FEW or float(values.std()) < 1e-9 * max(1.0, float(np.abs(values).max())):
        return np.empty(0), np.empty(0)
    from scipy.stats import gaussian_kde

    heights = np.linspace(values.min(), values.max(), _POINTS)
    found = gaussian_kde(values)(heights)
    return heights, found / found.max()


def _medians(spec: Spec, found: Mapping[tuple[Any, Any], Cloud], value: Any) -> str:
    known = [(place, cloud.values) for (place, own), cloud in found.items() if own == value and len(cloud.values)]
    first, last = known[0], known[-1]
    start = f"{in_words(spec, float(np.median(first[1])))} at {spec.label(first[0])}"
    if len(known) == 1:
        return start
    return f"{start}, {in_words(spec, float(np.median(last[1])))} at {spec.label(last[0])}"
