"""Where in the network: every layer against every transformation, on the way from its null to its ceiling."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES, on_steps
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.profile import Profile, layer_order
from invariscope.report.read import RunData
from invariscope.report.words import tidy, title

_STEPS, _MOST, _CELL = 6, 40, 21


@FIGURES.add("depth")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """One cell per layer and transformation, at the furthest magnitude that is tolerated."""
    shown = [(answer, answer.profile) for answer in answers if answer.profile is not None]
    if not shown:
        return
    layers = thinned([name for name in layer_order(run) if name != "output"])
    left, width = 232, 1000
    cell = min((width - left - 10) / len(layers), 46.0)
    top = 22 + 6.2 * min(max(len(name) for name in layers), 24) * 0.8
    height = top + _CELL * len(shown) + 46
    figure = sheet(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    for row, (answer, profile) in enumerate(shown):
        y = top + row * _CELL
        axes.text(left - 74, y + _CELL / 2, title(answer.name), ha="right", va="center", fontsize=10.5)
        at = answer.axis.write(profile.magnitude, 2)
        axes.text(left - 10, y + _CELL / 2, at, ha="right", va="center", fontsize=10, color=LIGHT["muted"])
        _row(axes, profile, layers, left, y, cell)
    for place, name in enumerate(layers):
        spot = left + (place + 0.5) * cell
        axes.text(spot, top - 7, tidy(name, 24), rotation=52, ha="left", va="bottom", fontsize=9.5,
                  rotation_mode="anchor", color=LIGHT["muted"])  # fmt: skip
    _key(axes, left, top + _CELL * len(shown) + 16)
    yield Drawn(
        "depth",
        "How invariant each layer is",
        "Each cell is a layer, from input (left) to output (right); its colour is how far the mean invariance "
        "coefficient of its units has come from the null (pairs of different images) to the ceiling (noise floor: "
        "resampling alone; 1 where nothing is resampled), at the magnitude beside the name: the furthest that is "
        "tolerated, or the first step where none is. A ring marks the layer from which on every layer is past half of "
        "that way.",
        "Heat map of transformations by layers; the layer at which each becomes invariant is also named in the table "
        "of verdicts.",
        figure,
    )


def _row(axes: Axes, profile: Profile, layers: Sequence[str], left: float, y: float, cell: float) -> None:
    place_of = {name: place for place, name in enumerate(profile.layers)}
    for place, name in enumerate(layers):
        here = place_of.get(name)
        way = float("nan") if here is None else profile.way[here]
        spot = (left + place * cell + 1, y + 1)
        if np.isnan(way):
            axes.text(left + (place + 0.5) * cell, y + _CELL / 2, "·", ha="center", va="center", color=LIGHT["faint"])
            continue
        colour = on_steps(way, "green", _STEPS)
        axes.add_patch(Rectangle(spot, cell - 2, _CELL - 2, facecolor=colour, linewidth=0))
        if here is not None and here == profile.becomes_invariant:
            axes.plot(
                [left + (place + 0.5) * cell], [y + _CELL / 2], marker="o", markersize=7.5,
                markerfacecolor="none", markeredgecolor=LIGHT["on-strong"], markeredgewidth=2,
            )  # fmt: skip


def _key(axes: Axes, left: float, y: float) -> None:
    axes.text(left - 10, y + 6, "null", ha="right", va="center", fontsize=9.5, color=LIGHT["muted"])
    for step in range(_STEPS):
        axes.add_patch(Rectangle((left + step * 26, y), 25, 12, facecolor=LIGHT[f"green-{step}"], linewidth=0))
    end = left + _STEPS * 26
    axes.text(end + 6, y + 6, "ceiling", va="center", fontsize=9.5, color=LIGHT["muted"])
    axes.text(end + 74, y + 6, "·  not measured", va="center", fontsize=9.5, color=LIGHT["muted"])


def thinned(names: Sequence[str], most: int = _MOST) -> list[str]:
    """At most so many of the names, evenly, with the first and the last.

    Example:
        >>> thinned([str(i) for i in range(7)], 3)
        ['0', '3', '6']
    """
    if len(names) <= most:
        return list(names)
    return [names[round(place)] for place in np.linspace(0, len(names) - 1, most)]
