"""Ticks of an axis: where they are, and what is written there."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from invariscope.core.words import MINUS, number
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.type import broken, fits, width_of

SIZE = 10
_SLANT = 38
# Ends of intervals of shares may lie a little below 0; what lies further below is a difference of shares.
_BELOW = -0.15


@dataclass(frozen=True)
class Ticks:
    """Places and words of one axis.

    Args:
        low: where the axis begins.
        high: where it ends.
        places: of the ticks.
        words: at the ticks.
        slant: how far the words are turned, in degrees.
        room: how many pixels the words take away from the axis.
        reach: how many pixels the first word stands out to the left of its tick.
        log: the axis is logarithmic.
    """

    low: float
    high: float
    places: tuple[float, ...]
    words: tuple[str, ...]
    slant: float = 0.0
    room: float = 20.0
    reach: float = 0.0
    log: bool = False

    def across(self, axes: Axes, *, worded: bool) -> None:
        """Give them to a horizontal axis."""
        if self.log:
            axes.set_xscale("log")
        axes.set_xlim(self.low, self.high)
        axes.xaxis.set_major_locator(FixedLocator(self.places))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FixedFormatter(self.words if worded else [""] * len(self.words)))
        if self.slant and worded:
            for text in axes.get_xticklabels():
                text.set(rotation=self.slant, rotation_mode="anchor", ha="right", va="center")

    def up(self, axes: Axes, *, worded: bool) -> None:
        """Give them to a vertical axis."""
        axes.set_ylim(self.low, self.high)
        axes.yaxis.set_major_locator(FixedLocator(self.places))
        axes.yaxis.set_major_formatter(FixedFormatter(self.words if worded else [""] * len(self.words)))


def written(share: bool, step: float = 0.1) -> Callable[[float], str]:
    """How ticks a step apart write a value: a share as a percentage, other numbers with few digits.

    Example:
        >>> written(True)(0.5), written(False)(-0.25), written(True, 0.005)(0.005)
        ('50\u202f%', '−0.25', '0.5\u202f%')
    """
    if share:
        digits = max(0, -math.floor(math.log10(step * 100) + 1e-9)) if step > 0 else 0
        return lambda value: f"{value * 100:.{digits}f}".replace("-", MINUS) + "\u202f%"
    return lambda value: number(value, 4)


def measured(values: Sequence[float], *, share: bool, span: tuple[float, float] | None, most: int = 6) -> Ticks:
    """Ticks of an axis of numbers.

    Args:
        values: all that is drawn.
        share: values are shares; the axis then begins at 0 and ends at 1 unless all are small or some are far below 0.
        span: the ends of the axis, if they are asked for.
        most: how many ticks at most.
    """
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if span is not None:
        ends = span
    elif share and low > _BELOW:
        ends = (min(low, 0.0), 1.0 if high > 0.4 else max(high * 1.1, 0.01))
    else:
        room = 0.06 * (high - low) or 0.06 * abs(high) or 0.5
        ends = (low - room, high + room)
    places = _round(ends, most)
    step = float(np.diff(places).min()) if len(places) > 1 else 0.1
    write = written(share, step)
    # A little room, so that a dot on the edge is whole.
    margin = 0.03 * (ends[1] - ends[0])
    words = tuple(write(float(place)) for place in places)
    room = max((width_of(word, SIZE) for word in words), default=0.0) + 8
    foot = ends[0] if share and span is None and ends[0] == 0 else ends[0] - margin
    return Ticks(foot, ends[1] + margin, tuple(map(float, places)), words, room=room)


def _round(ends: tuple[float, float], most: int) -> np.ndarray:
    """Round numbers between two ends: four or more of them where that is possible."""
    inside = np.array(ends)
    for intervals in range(3, most + 3):
        places = np.asarray(MaxNLocator(intervals, steps=[1, 2, 2.5, 5, 10]).tick_values(*ends))
        inside = places[(places >= ends[0] - 1e-9) & (places <= ends[1] + 1e-9)]
        if len(inside) >= 4:
            break
    return inside


def at_values(values: Sequence[float], spec: Spec, width: float) -> Ticks:
    """Ticks of a horizontal axis at the values themselves, or at as many of them as can be read.

    Below curves of many values they stand at round numbers.
    """
    known = sorted({value for value in values if math.isfinite(value)}) or [0.0]
    log = spec.log_x and known[0] > 0
    scaled = [math.log10(value) for value in known] if log else known
    room = 0.04 * (scaled[-1] - scaled[0]) or 0.5
    low, high = scaled[0] - room, scaled[-1] + room
    pixels = [(value - low) / (high - low) * width for value in scaled]
    words = [spec.label(value) for value in known]
    if len(known) > (3 if spec.band else 12) and not log:
        ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(known[0], known[-1])
        inside = [float(tick) for tick in ticks if known[0] <= tick <= known[-1]]
        return Ticks(low, high, tuple(inside), tuple(number(tick, 6) for tick in inside))
    # Both ends are written, and between them whatever finds room.
    kept, taken = [0], [_extent(pixels[0], words[0])]
    last = _extent(pixels[-1], words[-1])
    for i in range(1, len(known) - 1):
        extent = _extent(pixels[i], words[i])
        if extent[0] > taken[-1][1] + 8 and extent[1] + 8 < last[0]:
            kept.append(i)
            taken.append(extent)
    kept += [len(known) - 1] if len(known) > 1 else []
    ends = (10**low, 10**high) if log else (low, high)
    return Ticks(*ends, tuple(known[place] for place in kept), tuple(words[place] for place in kept), log=log)


def _extent(pixel: float, word: str) -> tuple[float, float]:
    half = width_of(word, SIZE) / 2
    return pixel - half, pixel + half


def at_categories(names: Sequence[Any], spec: Spec, width: float) -> Ticks:
    """One tick per category, its name in one line or two, or slanted where there is no room for that."""
    words = [spec.label(name) for name in names]
    slot = width / max(len(words), 1)
    places, low, high = tuple(map(float, range(len(words)))), -0.5, len(words) - 0.5
    if all(fits(word, slot - 8, SIZE) for word in words):
        lines = [broken(word, slot - 8, SIZE) for word in words]
        tall = 7 + 14 * max((len(each) for each in lines), default=1)
        return Ticks(low, high, places, tuple("\n".join(each) for each in lines), room=tall)
    cut = [broken(word, 190, SIZE, lines=1)[0] for word in words]
    widest = max(width_of(word, SIZE) for word in cut)
    turned = math.radians(_SLANT)
    reach = max(width_of(word, SIZE) * math.cos(turned) - slot * (place + 0.5) for place, word in enumerate(cut))
    return Ticks(low, high, places, tuple(cut), _SLANT, 16 + widest * math.sin(turned), max(reach, 0.0))
