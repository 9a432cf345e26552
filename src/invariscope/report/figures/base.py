"""What a figure is: a function from a run and its answers to drawings."""

from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from invariscope.core.registry import Registry
from invariscope.core.words import number
from invariscope.report.answers import Answer
from invariscope.report.ink import LIGHT, Drawn
from invariscope.report.limits import Axis
from invariscope.report.read import RunData

Draw = Callable[[RunData, Sequence[Answer]], Iterable[Drawn]]

FIGURES: Registry[Draw] = Registry("figure", "invariscope.report.figures")


def magnitude_axis(axes: Axes, axis: Axis) -> None:
    """Give a horizontal axis the magnitudes of a transformation: logarithmic where half and double are alike."""
    magnitudes = axis.magnitudes
    if axis.logarithmic:
        axes.set_xscale("log")
        ticks = [m for m in (0.1, 0.25, 0.5, 1, 2, 4) if magnitudes[0] <= m <= magnitudes[-1]]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif axis.switch:
        axes.xaxis.set_major_locator(FixedLocator([0, 1]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "flipped" if value else "clean"))
    elif axis.unit_of_measure.startswith("degree") and magnitudes[-1] - magnitudes[0] > 90:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[3, 4.5, 6, 9]))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    if not axis.switch:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    low, high = magnitudes[0], magnitudes[-1]
    if axis.logarithmic:
        stretch = (high / low) ** 0.03
        axes.set_xlim(low / stretch, high * stretch)
    elif axis.switch:
        axes.set_xlim(-0.3, 1.3)
    else:
        room = 0.03 * (high - low) or 1.0
        axes.set_xlim(low - room, high + room)
    axes.set_xlabel("" if axis.switch else axis.unit_of_measure)


def share_axis(axes: Axes, label: str, *, labelled: bool) -> None:
    """Give a vertical axis shares from 0 to 1, written as percentages."""
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.0f} %" if labelled else ""))
    axes.grid(axis="y", color=LIGHT["rule"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    if label:
        axes.set_ylabel(label)


def on_steps(values: float, colours: str, steps: int) -> str:
    """The colour of a share from 0 to 1 on one of the page's scales of steps."""
    place = min(max(int(values * steps), 0), steps - 1)
    return LIGHT[f"{colours}-{place}"]
