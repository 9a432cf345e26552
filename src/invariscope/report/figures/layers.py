"""One transformation through the layers: the profile of mean invariance, and violins of the units behind it."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.ticker import FixedLocator, FuncFormatter

from invariscope.core.words import MINUS, number, spoken, tidy, title
from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES
from invariscope.report.figures.depth import thinned
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.profile import Profile
from invariscope.report.read import RunData

_WIDTH, _BINS = 1000, 28


@FIGURES.add("layers")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """A profile with violins for each transformation."""
    shown = [(answer, answer.profile) for answer in answers if answer.profile is not None]
    units = run.units([(answer.name, profile.magnitude) for answer, profile in shown])
    by_name = dict(list(units.groupby("transformation", sort=False))) if len(units) else {}
    for answer, profile in shown:
        yield _draw(answer, profile, by_name.get(answer.name, units.iloc[:0]))


def _draw(answer: Answer, profile: Profile, units: pd.DataFrame) -> Drawn:
    shown = thinned(profile.layers)
    places = [profile.layers.index(name) for name in shown]
    violins = bool(units[["invariance", "specialization"]].notna().any().any()) if len(units) else False
    room = 18 + 6.0 * min(max(len(name) for name in shown), 26) * 0.72
    heights = [190, 120, 120] if violins else [190]
    height = 50 + sum(heights) + 30 * (len(heights) - 1) + room
    figure = sheet(_WIDTH, height)
    top, panels = 50.0, []
    for each in heights:
        panels.append(figure.add_axes((56 / _WIDTH, 1 - (top + each) / height, (_WIDTH - 70) / _WIDTH, each / height)))
        top += each + 30
    _profile(panels[0], profile, places)
    if violins:
        _violins(panels[1], units, shown, "invariance", "green")
        _violins(panels[2], units, shown, "specialization", "orange")
    for axes in panels:
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.xaxis.set_visible(False)
    for place, name in enumerate(shown):
        panels[-1].annotate(
            tidy(name, 26),
            (place, 0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -12),
            textcoords="offset points",
            rotation=38,
            rotation_mode="anchor",
            ha="right",
            fontsize=9.5,
            color=LIGHT["muted"],
        )
    at = answer.axis.write(profile.magnitude)
    figure.text(8 / _WIDTH, 1 - 14 / height, f"{title(answer.name)} at {at}", fontsize=12, weight="bold", va="center")
    return Drawn(
        f"layers-{answer.name}",
        f"{title(answer.name)} at {at}, layer by layer",
        _caption(profile, violins),
        f"Mean invariance by depth for {spoken(answer.name)} at {at}: " + _spoken(profile),
        figure,
    )


def _profile(axes: Axes, profile: Profile, places: Sequence[int]) -> None:
    x = np.arange(len(places))
    mean, low, high = (array[list(places)] for array in (profile.mean, profile.low, profile.high))
    null, floor = profile.null[list(places)], profile.floor[list(places)]
    axes.fill_between(x, low, high, color=LIGHT["green"], alpha=0.2, linewidth=0)
    axes.plot(x, floor, color=LIGHT["muted"], linewidth=1.1, linestyle=(0, (1, 1.6)))
    axes.plot(x, null, color=LIGHT["muted"], linewidth=1.1, linestyle=(0, (5, 3)))
    axes.plot(x, profile.target[list(places)], color=LIGHT["faint"], linewidth=0.9)
    axes.plot(x, mean, color=LIGHT["green"], linewidth=2, marker="o", markersize=4.5)
    axes.set_ylim(0, 1.03)
    axes.set_ylabel("mean invariance")
    _quiet(axes, [0, 0.25, 0.5, 0.75, 1])
    becomes = profile.becomes_invariant
    near = min(range(len(places)), key=lambda i: abs(places[i] - becomes)) if becomes is not None else None
    if near is not None and becomes is not None:
        axes.axvline(near, color=LIGHT["green"], linewidth=1, zorder=0)
        right = near > len(places) * 0.6
        axes.annotate(
            f"invariant from {tidy(profile.layers[becomes], 26)}",
            (near, 1.045),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=10,
            color=LIGHT["green"],
        )
    _label_end(axes, x, null, "null", below=True)
    _label_end(axes, x, floor, "noise floor", below=False)


def _label_end(axes: Axes, x: np.ndarray, values: np.ndarray, text: str, *, below: bool) -> None:
    known = np.flatnonzero(~np.isnan(values))
    if len(known):
        last = known[-1]
        axes.annotate(
            text,
            (x[last], values[last]),
            xytext=(0, -12 if below else 4),
            textcoords="offset points",
            ha="right",
            fontsize=9.5,
            color=LIGHT["muted"],
        )


def _violins(axes: Axes, units: pd.DataFrame, layers: Sequence[str], measure: str, colour: str) -> None:
    low = 0.0 if measure == "invariance" else -1.0
    edges = np.linspace(low, 1, _BINS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    quartiles: list[tuple[float, ...]] = []
    shapes, by_layer = [], dict(list(units.groupby("layer", sort=False)[measure]))
    for place, name in enumerate(layers):
        values = by_layer[name].dropna().to_numpy() if name in by_layer else np.empty(0)
        if not len(values):
            axes.text(place, low + 0.04, "·", ha="center", color=LIGHT["faint"])
            continue
        counts = np.histogram(values, edges)[0].astype(float)
        kernel = np.exp(-0.5 * (np.arange(-4, 5) / 1.5) ** 2)
        smooth = np.convolve(np.pad(counts, 4, mode="symmetric"), kernel, mode="valid")
        half = 0.42 * smooth / smooth.max()
        shapes.append(np.column_stack([np.r_[place - half, (place + half)[::-1]], np.r_[middle, middle[::-1]]]))
        quartiles.append((place, *np.percentile(values, [25, 50, 75])))
    axes.add_collection(PolyCollection(shapes, facecolor=LIGHT[colour], alpha=0.45, linewidth=0))
    if quartiles:
        x, low_quartile, median, high_quartile = np.array(quartiles).T
        axes.vlines(x, low_quartile, high_quartile, color=LIGHT["ink"], linewidth=1.6)
        axes.plot(
            x,
            median,
            linestyle="",
            marker="o",
            markersize=3.6,
            color=LIGHT["paper"],
            markeredgecolor=LIGHT["ink"],
            markeredgewidth=1,
        )
    axes.set_ylim(low - 0.03, 1.03)
    axes.set_ylabel(measure)
    _quiet(axes, [0, 0.5, 1] if low == 0 else [-1, 0, 1])


def _quiet(axes: Axes, ticks: Sequence[float]) -> None:
    axes.yaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(float(value)).replace("-", MINUS)))
    axes.grid(axis="y", color=LIGHT["rule"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _caption(profile: Profile, violins: bool) -> str:
    dead = int(np.nansum(profile.n_dead))
    words = (
        "Line: mean invariance coefficient of a layer's units with its 95 % interval (bootstrap over images). Dashed: "
        "null (pairs of different images). Dotted: noise floor (resampling alone). Thin grey: half of the way from "
        "null to ceiling that the last layer has come, the level that decides where the network becomes invariant."
    )
    if violins:
        words += " Violins: the units of each layer; dot and bar are median and quartiles. Specialization is positive "
        words += "where a unit prefers the transformed image."
    units = int(np.nansum(profile.n_units))
    return words + f" {units:,} units, {dead:,} of them dead (no value)."


def _spoken(profile: Profile) -> str:
    known = np.flatnonzero(~np.isnan(profile.mean))
    if not len(known):
        return "nothing could be measured."
    first, last = known[0], known[-1]
    becomes = profile.becomes_invariant
    told = f"it is invariant from {profile.layers[becomes]} on" if becomes is not None else "no layer is invariant"
    return (
        f"{profile.mean[first]:.2f} at {profile.layers[first]}, {profile.mean[last]:.2f} at {profile.layers[last]}; "
        f"{told}."
    )
