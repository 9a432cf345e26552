"""Where in the network: every layer against every transformation, on the way from its null to its ceiling."""

from collections.abc import Iterator, Sequence

import numpy as np

from invariscope.core.words import tidy, title
from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES, on_steps
from invariscope.report.figures.grid import (
    WIDTH,
    blank,
    cells,
    heading_height,
    heading_overhang,
    headings,
    key,
    text_width,
)
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.profile import layer_order
from invariscope.report.read import RunData

_STEPS, _MOST, _CELL, _LONGEST = 6, 40, 21, 24


@FIGURES.add("depth")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """One cell per layer and transformation, at the furthest magnitude that is tolerated."""
    shown = [(answer, answer.profile) for answer in answers if answer.profile is not None]
    if not shown:
        return
    layers = thinned([name for name in layer_order(run) if name != "output"])
    names, heads = [title(answer.name) for answer, _ in shown], [tidy(name, _LONGEST) for name in layers]
    labels = text_width(names, 30)
    left, top = labels + 66, heading_height(heads, _LONGEST)
    cell = min((WIDTH - left - heading_overhang(heads, _LONGEST)) / len(layers), 46.0)
    height = top + _CELL * len(shown) + 40
    figure = sheet(WIDTH, height)
    axes = figure.add_axes((0, 0, 1, 1))
    blank(axes, height)
    places, colours, rings = [], [], []
    for row, (answer, profile) in enumerate(shown):
        y, place_of = top + row * _CELL, {name: place for place, name in enumerate(profile.layers)}
        axes.text(labels, y + _CELL / 2, names[row], ha="right", va="center", fontsize=10.5)
        at = answer.axis.write(profile.magnitude)
        axes.text(left - 10, y + _CELL / 2, at, ha="right", va="center", fontsize=10, color=LIGHT["muted"])
        for column, name in enumerate(layers):
            x, here = left + column * cell, place_of.get(name)
            if here is None or np.isnan(profile.way[here]):
                axes.text(x + cell / 2, y + _CELL / 2, "·", ha="center", va="center", color=LIGHT["faint"])
                continue
            places.append((x, y))
            colours.append(on_steps(float(profile.way[here]), "green", _STEPS))
            if here == profile.becomes_invariant:
                rings.append((x + cell / 2, y + _CELL / 2))
    cells(axes, places, (cell, _CELL), colours)
    if rings:
        axes.plot(
            *zip(*rings, strict=True),
            linestyle="",
            marker="o",
            markersize=6,
            markerfacecolor=LIGHT["paper"],
            markeredgecolor=LIGHT["ink"],
            markeredgewidth=1.2,
        )
    headings(axes, heads, left, cell, top)
    end = key(axes, "green", _STEPS, left, top + _CELL * len(shown) + 16, ("null", "ceiling"))
    axes.text(end + 16, top + _CELL * len(shown) + 22, "·  not known", va="center", fontsize=9.5, color=LIGHT["muted"])
    yield Drawn(
        "depth",
        "How invariant each layer is",
        "Each cell is a layer, from input (left) to output (right); its colour is how far the mean invariance "
        "coefficient of its units has come from the null (pairs of different images) to the ceiling (noise floor: "
        "resampling alone; 1 where nothing is resampled), at the magnitude beside the name: the furthest that is "
        "tolerated, or the first step where none is. A dot marks the layer from which on the network is always at "
        "least half as far on that way as its last hidden layer; there is none where that one has not come a third of "
        "it." + _left_out(run, layers),
        "Heat map of transformations by layers; the layer at which each becomes invariant is also named in the table "
        "of verdicts.",
        figure,
    )


def _left_out(run: RunData, layers: Sequence[str]) -> str:
    n = len([name for name in layer_order(run) if name != "output"])
    return f" {len(layers)} of {n} layers are shown, evenly spaced." if n > len(layers) else ""


def thinned(names: Sequence[str], most: int = _MOST) -> list[str]:
    """At most so many of the names, evenly, with the first and the last.

    Example:
        >>> thinned([str(i) for i in range(7)], 3)
        ['0', '3', '6']
    """
    if len(names) <= most:
        return list(names)
    return [names[round(place)] for place in np.linspace(0, len(names) - 1, most)]
