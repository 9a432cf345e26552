"""A plane of numbers: its cells, merged where neighbours have one colour, and what lies between their centres."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection


def edges(centres: Sequence[float]) -> np.ndarray:
    """Where cells of any spacing end: halfway between their centres, and as far beyond the outer ones.

    Args:
        centres: ascending.

    Example:
        >>> edges([0.0, 1.0, 3.0]).tolist(), edges([5.0]).tolist()
        ([-0.5, 0.5, 2.0, 4.0], [4.5, 5.5])
    """
    places = np.asarray(centres, dtype=np.float64)
    if len(places) == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middle = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])


def runs(colours: Sequence[str | None]) -> list[tuple[int, int, str]]:
    """Neighbours of one colour: first, one after the last, colour; what has no colour is left out.

    Example:
        >>> runs(["a", "a", None, "b"])
        [(0, 2, 'a'), (3, 4, 'b')]
    """
    found: list[tuple[int, int, str]] = []
    for place, colour in enumerate(colours):
        if colour is None:
            continue
        if found and found[-1][1] == place and found[-1][2] == colour:
            found[-1] = (found[-1][0], place + 1, colour)
        else:
            found.append((place, place + 1, colour))
    return found


def fill_cells(axes: Axes, xs: Sequence[float], ys: Sequence[float], colours: Sequence[Sequence[str | None]]) -> None:
    """Colour the cells of a plane.

    Args:
        axes: with the plane's own coordinates.
        xs: centres of the columns, ascending.
        ys: centres of the rows, ascending.
        colours: of each row's cells; None where nothing is known.
    """
    across, up = edges(xs), edges(ys)
    shapes, fills = [], []
    for row, own in enumerate(colours):
        for start, end, colour in runs(own):
            low, high = up[row], up[row + 1]
            shapes.append([(across[start], low), (across[end], low), (across[end], high), (across[start], high)])
            fills.append(colour)
    # Edges of the same colour cover the seams that renderers leave between neighbours.
    axes.add_collection(
        PolyCollection(shapes, facecolors=fills, edgecolors=fills, linewidths=0.6, zorder=1), autolim=False
    )
