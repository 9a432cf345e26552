"""The scale of colours of a heat map: a few steps, told apart on light and dark paper, and legible numbers on each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from invariscope.core.words import number
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import written
from invariscope.report.drawings.type import width_of
from invariscope.report.figures.grid import cells
from invariscope.report.ink import LIGHT

_RISING = ("green-0", "green-1", "green-2", "green-3", "green-5")
_BOTH = ("red-4", "red-3", "red-1", "green-0", "green-1", "green-3", "green-5")
_STRONG = ("green-5", "red-4")
_WIDE, _HIGH = 30, 12


@dataclass(frozen=True)
class Scale:
    """Steps of colour between two numbers.

    Args:
        low: the number where the first step begins.
        high: the number where the last step ends.
        steps: names of colours.
        share: numbers are shares, written as percentages without their sign.
        digits: behind the point of a percentage.
    """

    low: float
    high: float
    steps: tuple[str, ...]
    share: bool
    digits: int

    def colours(self, value: float) -> tuple[str, str]:
        """The colour of a cell, and that of the number on it."""
        place = (value - self.low) / (self.high - self.low)
        step = self.steps[min(max(int(place * len(self.steps)), 0), len(self.steps) - 1)]
        return LIGHT[step], LIGHT["on-strong" if step in _STRONG else "ink"]

    def write(self, value: float) -> str:
        """A number in a cell: a percentage without its sign, or two digits."""
        if self.share:
            text = f"{value * 100:.{self.digits}f}"
            return text.replace("-0", "0") if float(text) == 0 else text.replace("-", "−")
        return number(round(value, 3) if abs(value) < 1 else value, 3 if abs(value) >= 100 else 2)

    def key(self, axes: Axes, x: float, y: float, *, gaps: bool) -> None:
        """Draw what the colours mean."""
        write = written(self.share, 0.01 if self.digits == 0 else 0.001)
        ends = write(self.low), write(self.high)
        axes.text(x, y + _HIGH / 2, ends[0], va="center", fontsize=9.5, color=LIGHT["muted"])
        start = x + width_of(ends[0], 9.5) + 7
        places = [(start + step * _WIDE, y) for step in range(len(self.steps))]
        cells(axes, places, (_WIDE, _HIGH), [LIGHT[step] for step in self.steps])
        end = start + len(self.steps) * _WIDE + 6
        axes.text(end, y + _HIGH / 2, ends[1], va="center", fontsize=9.5, color=LIGHT["muted"])
        if gaps:
            gap = end + width_of(ends[1], 9.5) + 22
            axes.text(gap, y + _HIGH / 2, "·  no value", va="center", fontsize=9.5, color=LIGHT["muted"])


def scale_of(spec: Spec, values: Sequence[float]) -> Scale:
    """A scale for all numbers of a drawing: around zero where some are negative, from zero for shares.

    Example:
        >>> spec = Spec(kind="heat", name="a", title="A", x="x", share=True)
        >>> scale = scale_of(spec, [0.02, 0.9])
        >>> scale.low, scale.high, scale.write(0.9), scale_of(spec, [-0.5, 0.2]).low
        (0.0, 1.0, '90', -0.5)
    """
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    digits = 1 if spec.share and max(abs(low), abs(high)) < 0.1 else 0
    if spec.span is not None:
        low, high = spec.span
    elif low < 0:
        high = max(-low, high)
        low = -high
    elif spec.share:
        low, high = 0.0, 1.0 if high > 0.4 else high or 0.01
    if high - low < 1e-12:
        low, high = low - 0.5, high + 0.5
    return Scale(low, high, _BOTH if low < 0 < high else _RISING, spec.share, digits)
