"""The region of a plane of two magnitudes where a quality stays above a level: its outline and its area."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import contourpy
import numpy as np
from jaxtyping import Float
from numpy import ndarray

from invariscope.tolerance.crossing import below, first_fall

# Sums of the same images in another order differ by rounding; what equals the level is within.
_ROUNDING = 1e-9
_MEASURES = 8


@dataclass(frozen=True, eq=False)
class Plane:
    """A grid of two magnitudes with the identity among its points.

    Args:
        x: magnitudes across, ascending; shape (column,).
        y: magnitudes upwards, ascending; shape (row,).
        column: the place of the identity across.
        row: the place of the identity upwards.
    """

    x: Float[ndarray, " column"]
    y: Float[ndarray, " row"]
    column: int
    row: int

    @property
    def area(self) -> float:
        """Of the whole grid, in the product of both units of measure."""
        return float((self.x[-1] - self.x[0]) * (self.y[-1] - self.y[0]))

    def outline(self, quality: Float[ndarray, "row column"], level: float) -> list[Float[ndarray, "point 2"]]:
        """Where the quality crosses a share of its clean value, as paths of (x, y).

        Args:
            quality: at every point of the grid, linear between them.
            level: a share of the clean value; 0 to 1.

        Returns:
            Paths; closed ones end where they begin. None where the clean value is 0 or unknown.

        Example:
            >>> plane = Plane(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0, 0)
            >>> [path.tolist() for path in plane.outline(np.array([[1.0, 0.0], [1.0, 0.0]]), 0.75)]
            [[[0.25, 0.0], [0.25, 1.0]]]
        """
        clean = quality[self.row, self.column]
        if not clean > 0:
            return []
        made = contourpy.contour_generator(self.x, self.y, quality, line_type=contourpy.LineType.Separate)
        return [np.asarray(path) for path in made.lines(level * clean)]

    def measure(self, quality: Float[ndarray, "row column"], level: float) -> Float[ndarray, " 8"]:
        """How large the tolerated region is, beside the box of what each transformation alone tolerates.

        Args:
            quality: at every point of the grid, linear between them.
            level: a share of the clean value; 0 to 1.

        Returns:
            NaN where the clean value is 0 or unknown; else the ends of the box on either side of the identity (x low,
            x high, y low, y high; the grid's end where the level is not crossed), then the share of the grid that is
            within tolerance and connected with the identity, the box's share of the grid, the first over the second,
            and the share of the box that is within tolerance.
        """
        clean = quality[self.row, self.column]
        if not clean > 0:
            return np.full(_MEASURES, np.nan)
        x_low, x_high = self._ends(quality[self.row], self.x, self.column, level)
        y_low, y_high = self._ends(quality[:, self.column], self.y, self.row, level)
        target = level * clean - _ROUNDING * abs(level * clean)
        here = np.array([self.x[self.column], self.y[self.row]])
        region = within(self.x, self.y, quality, target, here)
        box = (x_high - x_low) * (y_high - y_low)
        if not box > 0:
            inside, ratio = np.nan, np.nan
        else:
            xs, ys = _cut(self.x, x_low, x_high), _cut(self.y, y_low, y_high)
            part = _weights(self.y, ys) @ quality @ _weights(self.x, xs).T
            inside, ratio = within(xs, ys, part, target, None) / box, region / box
        return np.array([x_low, x_high, y_low, y_high, region / self.area, box / self.area, ratio, inside])

    def censored(self, quality: Float[ndarray, "row column"], level: float) -> int:
        """At how many of the four sides of the identity the grid ends before the level is crossed.

        A side without magnitudes is none.

        Args:
            quality: at every point of the grid.
            level: a share of the clean value; 0 to 1.
        """
        sides = (
            quality[self.row, self.column :],
            quality[self.row, self.column :: -1],
            quality[self.row :, self.column],
            quality[self.row :: -1, self.column],
        )
        return sum(len(side) > 1 and not below(side, level).any() for side in sides)

    @staticmethod
    def _ends(
        quality: Float[ndarray, " step"], magnitudes: Float[ndarray, " step"], at: int, level: float
    ) -> tuple[float, float]:
        up = float(first_fall(quality[at:], magnitudes[at:] - magnitudes[at], level))
        down = float(first_fall(quality[at::-1], magnitudes[at] - magnitudes[at::-1], level))
        low, high = max(magnitudes[at] - down, magnitudes[0]), min(magnitudes[at] + up, magnitudes[-1])
        return float(low), float(high)


def within(
    x: Float[ndarray, " column"],
    y: Float[ndarray, " row"],
    values: Float[ndarray, "row column"],
    target: float,
    start: Float[ndarray, " 2"] | None,
) -> float:
    """The area where values, linear between the points of a grid, are at least `target`.

    Args:
        x: ascending; shape (column,).
        y: ascending; shape (row,).
        values: shape (row, column).
        target: the least that counts.
        start: a point (x, y) with which the area must be connected; None counts every part.

    Returns:
        In the product of both units.

    Example:
        >>> hill = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        >>> within(np.arange(3.0), np.arange(3.0), hill, 0.5, None)
        0.5
    """
    made = contourpy.contour_generator(x, y, values, fill_type=contourpy.FillType.OuterOffset)
    found: Any = made.filled(target, max(float(values.max()), target) + 1.0)
    total = 0.0
    for part, ends in zip(*found, strict=True):
        rings = [part[first:last] for first, last in pairwise(ends)]
        if start is None or _holds(rings[0], start):
            total += abs(_area(rings[0])) - sum(abs(_area(hole)) for hole in rings[1:])
    return total


def _area(ring: Float[ndarray, "point 2"]) -> float:
    """Within a closed path (Gauss's formula)."""
    x, y = ring[:, 0], ring[:, 1]
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def _holds(ring: Float[ndarray, "point 2"], point: Float[ndarray, " 2"]) -> bool:
    """Whether a closed path goes round a point, or through it (a point of the grid's edge is one of the path's)."""
    if bool((ring == point).all(axis=1).any()):
        return True
    (x, y), (u, v) = (ring[:-1] - point).T, (ring[1:] - point).T
    crosses = (y > 0) != (v > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = x - y * (u - x) / (v - y) > 0
    return bool((crosses & right).sum() % 2)


def _cut(grid: Float[ndarray, " step"], low: float, high: float) -> Float[ndarray, " part"]:
    return np.concatenate([[low], grid[(grid > low) & (grid < high)], [high]])


def _weights(grid: Float[ndarray, " step"], places: Float[ndarray, " part"]) -> Float[ndarray, "part step"]:
    """What takes values on a grid to values between its points."""
    return np.stack([np.interp(places, grid, row) for row in np.eye(len(grid))], axis=1)
