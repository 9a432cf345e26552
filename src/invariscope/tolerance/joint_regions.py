"""Tables of the region that a network tolerates of two transformations: outlines, and areas with intervals."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.resample import interval, resampled_means
from invariscope.tolerance.tolerated import Plane

# Outlines and areas of a class with fewer images would be those of a staircase.
FEWEST = 30
_SHARES = ("share", "box", "ratio", "within")
_OUTLINE = ["class", "level", "path", "magnitude_x", "magnitude_y"]


def large_classes(groups: Groups) -> Groups:
    """The same images with the classes of fewer than `FEWEST` put together as one without a name.

    Example:
        >>> large_classes(Groups.of(np.array([0] * 40 + [1, 2]), ["cat", "dog", "owl"])).names
        ('cat', '')
    """
    kept = np.flatnonzero(groups.counts[1:] >= FEWEST)
    if len(kept) == len(groups.names):
        return groups
    place = np.full(len(groups.names), len(kept))
    place[kept] = np.arange(len(kept))
    return Groups((*(groups.names[at] for at in kept), ""), place[groups.of_image], np.append(groups.values[kept], -1))


def _rows(groups: Groups) -> list[tuple[int, str]]:
    return [(row, name) for row, name in enumerate(groups.rows) if name]


def outlines(
    quality: Float[ndarray, "image point"], plane: Plane, groups: Groups, levels: Sequence[float]
) -> pd.DataFrame:
    """Where the mean quality crosses each level.

    Args:
        quality: of every image at every point of the plane, row by row; shape (image, point).
        plane: the grid.
        groups: which images make up a row.
        levels: shares of the clean value.

    Returns:
        Columns `class, level, path, magnitude_x, magnitude_y`: the points of each path in order.
    """
    parts = []
    for row, name in _rows(groups):
        mean = quality[groups.members[row]].mean(axis=0).reshape(len(plane.y), len(plane.x))
        for level in levels:
            for number, path in enumerate(plane.outline(mean, level)):
                points = [(name, float(level), number, *point) for point in path.tolist()]
                parts.append(pd.DataFrame(points, columns=_OUTLINE))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_OUTLINE)


def areas(
    quality: Float[ndarray, "image point"],
    plane: Plane,
    groups: Groups,
    levels: Sequence[float],
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """How large the tolerated region is, with 95 % intervals of a bootstrap over images.

    Args:
        quality: of every image at every point of the plane, row by row; shape (image, point).
        plane: the grid.
        groups: which images make up a row.
        levels: shares of the clean value.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        Columns `class, n, level, x_low, x_high, y_low, y_high, censored`, and `share, box, ratio, within`, each with
        `_low` and `_high`; as `JointTolerance.area` says.
    """
    shape = (len(plane.y), len(plane.x))
    means = [quality[members].mean(axis=0).reshape(shape) for members in groups.members]
    found = np.array([[plane.measure(mean, level) for level in levels] for mean in means])
    ends = np.full((2, *found.shape), np.nan)
    for block, drawn in resampled_means(quality, groups, replicates=replicates, seed=seed):
        for (row, replicate), (place, level) in product(zip(block, drawn, strict=True), enumerate(levels)):
            if groups.rows[row]:
                measured = np.array([plane.measure(each.reshape(shape), level) for each in replicate])
                ends[:, row, place] = np.concatenate(interval(measured[None]))
    rows = []
    for row, name in _rows(groups):
        for place, level in enumerate(levels):
            value, (low, high) = found[row, place], ends[:, row, place]
            sides = dict(zip(("x_low", "x_high", "y_low", "y_high"), value[:4].tolist(), strict=True))
            known = not np.isnan(value[0])
            censored = plane.censored(means[row], level) if known else np.nan
            shares = {
                f"{share}{end}": float(values[4 + at])
                for at, share in enumerate(_SHARES)
                for end, values in (("", value), ("_low", low), ("_high", high))
            }
            rows.append({"class": name, "n": len(groups.members[row]), "level": level, **sides, "censored": censored})
            rows[-1] |= shares
    return pd.DataFrame(rows)
