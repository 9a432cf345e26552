"""Lines: a dot per row, a line through the means over seeds, bars or a ribbon for their intervals."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from invariscope.core.words import tidy
from invariscope.report.drawings.base import DRAWINGS, Colours, colours_of
from invariscope.report.drawings.captions import alternative, in_words, samples, told
from invariscope.report.drawings.panels import Mark, Shape, arrange, board
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import Ticks, at_categories, at_values, measured
from invariscope.report.drawings.values import Mean, categories, is_numeric, over_seeds, where_is
from invariscope.report.ink import LIGHT, Drawn

Series = dict[Any, Mean]


@DRAWINGS.add("lines")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn:
    """One line per colour in every panel."""
    colours, panels = colours_of(spec, rows, areas=spec.band), categories(spec, rows, spec.panel)
    places = categories(spec, rows, spec.x)
    found = {panel: _series(spec, where_is(rows, spec.panel, panel), colours, places) for panel in panels}
    means = [mean for series in found.values() for each in series.values() for mean in each.values()]
    up = measured(_extent(spec, means), share=spec.share, span=spec.span)
    shape, across = _arranged(spec, rows, panels, up.room)
    titles = ["" if panel is None else spec.label(panel) for panel in panels]
    heads = [f"{title}\n{_aside(spec, rows, panel)}" for title, panel in zip(titles, panels, strict=True)]
    heads = heads if spec.aside else titles
    figure, axes = board(shape, heads, colours.key, across, up, (spec.x_label, spec.y_label))
    for each, panel in zip(axes, panels, strict=True):
        reference_line(each, spec)
        _panel(each, found[panel], colours.marks, places, spec)
    said = [
        f"{start}{mark.text + ': ' if mark.text else ''}{_moves(spec, found[panel][value])}"
        for panel, start in zip(panels, (f"{title}, " if title else "" for title in titles), strict=True)
        for value, mark in colours.marks.items()
        if any(mean.each for mean in found[panel][value].values())
    ]
    # A caption that says itself what its ribbons are is believed.
    bars = "Bars" if not spec.band else "" if "ribbon" in spec.caption.lower() else "Ribbons"
    caption = told(spec, samples(spec, rows, means, bars=bars), colours.said(), level(spec))
    return Drawn(spec.name, spec.title, caption, alternative("Lines", spec, titles, said[:12]), figure)


def reference_line(axes: Axes, spec: Spec) -> None:
    """A level across the panel, such as chance."""
    if spec.reference is not None:
        axes.axhline(spec.reference, color=LIGHT["muted"], linewidth=1, linestyle=(0, (4, 3)), zorder=1)


def level(spec: Spec) -> str:
    """What the level is, as far as the caption does not say it."""
    if spec.reference is None:
        return ""
    digits = 1 if spec.share and round(spec.reference * 100) != spec.reference * 100 else 0
    written = f"{spec.reference * 100:.{digits}f} %" if spec.share else in_words(spec, spec.reference)
    return f"The dashed line is at {written}."


def _series(spec: Spec, rows: pd.DataFrame, colours: Colours, places: list[Any]) -> dict[Any, Series]:
    found: dict[Any, Series] = {}
    for value in colours.marks:
        own = where_is(rows, spec.colour if value is not None else None, value)
        groups = {place: own[own[spec.x] == place] for place in places}
        found[value] = {place: over_seeds(group, spec.y) for place, group in groups.items() if len(group)}
    return found


def _extent(spec: Spec, means: list[Mean]) -> list[float]:
    ends = [end for mean in means for end in (mean.low, mean.high, *((mean.value,) if spec.band else mean.each))]
    return ends if spec.reference is None else [*ends, spec.reference]


def _arranged(spec: Spec, rows: pd.DataFrame, panels: list[Any], left: float) -> tuple[Shape, Ticks | list[Ticks]]:
    """How panels stand, and the ticks of their horizontal axes: one for all, or each its own."""
    places = categories(spec, rows, spec.x)
    own = [categories(spec, where_is(rows, spec.panel, panel), spec.x) for panel in panels] if spec.free_x else []
    shape = arrange(len(panels), left, 190.0)
    across = [_across(spec, each, shape.width) for each in own or [places]]
    if (reach := max(ticks.reach for ticks in across)) > left:
        shape = arrange(len(panels), reach, 190.0)
    return shape, across if own else across[0]


def _aside(spec: Spec, rows: pd.DataFrame, panel: Any) -> str:
    if spec.aside is None:
        return ""
    words = where_is(rows, spec.panel, panel)[spec.aside].dropna().astype(str)
    return tidy(words.iloc[0], 60) if len(words) else ""


def _across(spec: Spec, places: list[Any], width: float) -> Ticks:
    return at_values(places, spec, width) if is_numeric(places) else at_categories(places, spec, width)


def _panel(axes: Axes, found: Mapping[Any, Series], marks: Mapping[Any, Mark], places: list[Any], spec: Spec) -> None:
    """Draw one panel; dots on its edge are whole, unless somebody chose to show less than there is."""
    numeric = is_numeric(places)
    at = {place: float(place) if numeric else float(order) for order, place in enumerate(places)}
    for value, mark in reversed(list(marks.items())):
        series = found[value]
        xs, ys = [at[place] for place in series], [mean.value for mean in series.values()]
        axes.plot(xs, ys, color=mark.colour, linewidth=1.8 if spec.band else 2, zorder=3)
        if spec.band:
            ends = [mean.low for mean in series.values()], [mean.high for mean in series.values()]
            axes.fill_between(xs, *ends, color=mark.colour, alpha=0.18, linewidth=0, zorder=2)
            continue
        dots = [(at[place], single) for place, mean in series.items() for single in mean.each]
        if dots:
            x, y = zip(*dots, strict=True)
            drawn = axes.scatter(x, y, s=24, marker=mark.shape, color=mark.colour, alpha=0.5, linewidth=0, zorder=4)
            drawn.set_clip_on(spec.span is not None)
        for place, mean in series.items():
            if not math.isnan(mean.low + mean.high):
                axes.plot([at[place]] * 2, [mean.low, mean.high], color=mark.colour, linewidth=1.2, zorder=2)


def _moves(spec: Spec, series: Series) -> str:
    known = [(place, mean.value) for place, mean in series.items() if mean.each]
    first, last = known[0], known[-1]
    start = f"{in_words(spec, first[1])} at {spec.label(first[0])}"
    return start if len(known) == 1 else f"from {start} to {in_words(spec, last[1])} at {spec.label(last[0])}"
