"""What figures that are a grid of cells have in common: cells, slanted headings, a key of colours."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from invariscope.report.ink import LIGHT

WIDTH = 1000
_LETTER, _SLANT = 5.6, 52


def blank(axes: Axes, height: float) -> None:
    """Make pixels of the sheet the coordinates, from the top left, and draw no axes."""
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")


def text_width(names: Sequence[str], most: int) -> float:
    """About how many pixels the longest of some names takes, cut at `most` letters."""
    return _LETTER * 1.12 * min(max((len(name) for name in names), default=0), most) + 6


def heading_height(names: Sequence[str], most: int) -> float:
    """How many pixels slanted headings take above the cells."""
    return 0.79 * text_width(names, most) + 16


def heading_overhang(names: Sequence[str], most: int) -> float:
    """How many pixels the last slanted heading may stand out on the right."""
    return 0.62 * text_width(names[-3:], most)


def headings(axes: Axes, names: Sequence[str], left: float, cell: float, bottom: float) -> None:
    """Slanted names above the columns."""
    for place, name in enumerate(names):
        axes.text(
            left + (place + 0.5) * cell - 2,
            bottom - 5,
            name,
            rotation=_SLANT,
            rotation_mode="anchor",
            ha="left",
            va="bottom",
            fontsize=9.5,
            color=LIGHT["muted"],
        )


def cells(axes: Axes, places: Sequence[tuple[float, float]], size: tuple[float, float], colours: Sequence[str]) -> None:
    """Filled rectangles with a hairline of paper between them."""
    wide, high = size[0] - 1, size[1] - 1
    shapes = [[(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)] for x, y in places]
    axes.add_collection(PolyCollection(shapes, facecolors=list(colours), linewidths=0, clip_on=False), autolim=False)


def key(axes: Axes, scale: str, steps: int, left: float, y: float, ends: tuple[str, str]) -> float:
    """A key of a scale of colours; returns where it ends."""
    axes.text(left, y + 6, ends[0], va="center", fontsize=9.5, color=LIGHT["muted"])
    start = left + 0.86 * text_width([ends[0]], 40) + 4
    colours = [LIGHT[f"{scale}-{step}"] for step in range(steps)]
    cells(axes, [(start + step * 26, y) for step in range(steps)], (26, 12), colours)
    end = start + steps * 26 + 6
    axes.text(end, y + 6, ends[1], va="center", fontsize=9.5, color=LIGHT["muted"])
    return end + text_width([ends[1]], 40)
