"""Bars: the mean over seeds of a condition, with its interval and the seeds themselves."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from invariscope.report.drawings.base import DRAWINGS, Colours, colours_of
from invariscope.report.drawings.captions import alternative, in_words, samples, told
from invariscope.report.drawings.lines import level, reference_line
from invariscope.report.drawings.panels import Mark, arrange, board
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import at_categories, measured
from invariscope.report.drawings.values import Mean, categories, over_seeds, where_is
from invariscope.report.ink import LIGHT, Drawn

_SLOT = 15.0


@DRAWINGS.add("bars")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn:
    """A bar per place and colour in every panel; all begin at zero."""
    colours, panels = colours_of(spec, rows, areas=True), categories(spec, rows, spec.panel)
    places = categories(spec, rows, spec.x)
    found = {panel: _means(spec, where_is(rows, spec.panel, panel), colours, places) for panel in panels}
    means = [mean for each in found.values() for mean in each.values()]
    ends = [end for mean in means for end in (mean.low, mean.high, *mean.each)]
    up = measured([0.0, *ends, *([] if spec.reference is None else [spec.reference])], share=spec.share, span=spec.span)
    least = max(190.0, _SLOT * len(places) * len(colours.marks))
    shape = arrange(len(panels), up.room, least)
    across = at_categories(places, spec, shape.width)
    if across.reach > up.room:
        shape = arrange(len(panels), across.reach, least)
    titles = ["" if panel is None else spec.label(panel) for panel in panels]
    figure, axes = board(shape, titles, colours.key, across, up, (spec.x_label, spec.y_label))
    for each, panel in zip(axes, panels, strict=True):
        reference_line(each, spec)
        _panel(each, found[panel], places, colours.marks)
    said = [
        f"{title + ': ' if title else ''}{', '.join(filter(None, (spec.label(place), colours.marks[value].text)))} "
        f"{in_words(spec, mean.value)}"
        for panel, title in zip(panels, titles, strict=True)
        for (place, value), mean in found[panel].items()
        if mean.each
    ]
    caption = told(spec, samples(spec, rows, means, bars="Thin lines"), colours.said(), level(spec))
    return Drawn(spec.name, spec.title, caption, alternative("Bars", spec, titles, said[:16]), figure)


def _means(spec: Spec, rows: pd.DataFrame, colours: Colours, places: list[Any]) -> dict[tuple[Any, Any], Mean]:
    found = {}
    for place in places:
        own = rows[rows[spec.x] == place]
        for value in colours.marks:
            here = where_is(own, spec.colour if value is not None else None, value)
            if len(here):
                found[place, value] = over_seeds(here, spec.y)
    return found


def _panel(axes: Axes, found: Mapping[tuple[Any, Any], Mean], places: list[Any], marks: Mapping[Any, Mark]) -> None:
    slot = min(0.8 / len(marks), 0.5)
    axes.spines["bottom"].set_visible(False)
    axes.axhline(0, color=LIGHT["faint"], linewidth=0.8, zorder=1)
    for (place, value), mean in found.items():
        x = places.index(place) + slot * (list(marks).index(value) - (len(marks) - 1) / 2)
        if math.isnan(mean.value):
            continue
        colour = marks[value].colour
        axes.bar([x], [mean.value], width=0.9 * slot, color=colour, alpha=0.75, linewidth=0, zorder=2)
        if len(mean.each) > 1:
            spread = [x + 0.18 * slot * ((i % 3) - 1) for i in range(len(mean.each))]
            axes.scatter(spread, mean.each, s=9, color=LIGHT["ink"], alpha=0.45, linewidth=0, zorder=3)
        if not math.isnan(mean.low + mean.high):
            axes.plot([x, x], [mean.low, mean.high], color=LIGHT["ink"], linewidth=1.2, zorder=4)
