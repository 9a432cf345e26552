"""The fine grid on which thresholds are searched: steps of one size from the identity outward, on each side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from invariscope.core.errors import MagnitudeError, SettingError
from invariscope.core.names import unknown
from invariscope.transformations.base import Transformation
from invariscope.transformations.select import Names, select_transformations

Resolution = Mapping[str, float] | Sequence[str] | None
Within = Mapping[str, tuple[float, float]] | Sequence[str] | None
_FINE, _MOST = 200, 20_000
_EXAMPLE = {"resolution": "rotation=1", "within": "rotation=-45:45"}


@dataclass(frozen=True, eq=False)
class Outward:
    """One side of a transformation's fine grid.

    Attributes:
        family: the transformation.
        sign: "+" for magnitudes above the identity, "-" for those below.
        resolution: the size of a step; the last may be smaller.
        magnitudes: from the identity outward; shape (step,).
    """

    family: Transformation
    sign: str
    resolution: float
    magnitudes: Float[ndarray, " step"]

    @property
    def distance(self) -> Float[ndarray, " step"]:
        """Of each step from the identity."""
        distance: ndarray = np.abs(self.magnitudes - self.magnitudes[0])
        return distance


def outward_sides(
    names: Names,
    size: tuple[int, int],
    resolution: Resolution = None,
    within: Within = None,
    sides: str = "both",
) -> list[Outward]:
    """Every side of every transformation on which thresholds are searched.

    A side's steps are identity ± k · resolution up to the end of the transformation's default grid (or of `within`),
    which is the last step.

    Args:
        names: names or transformations; None is every one whose magnitudes have an order.
        size: height and width of the images.
        resolution: the step by name, or "rotation=1"; where it is not given, `default_resolution`.
        within: the ends by name, or "rotation=-45:45".
        sides: "both", "+" or "-".

    Raises:
        UnknownNameError: no transformation has that name.
        SettingError: a transformation has nothing between its magnitudes, a resolution cannot be used, or nothing is
            left to be searched.
        MagnitudeError: an end lies outside the transformation's limits.

    Example:
        >>> [side.magnitudes.tolist() for side in outward_sides("shear", (32, 32), ["shear=30"])]
        [[0.0, 30.0, 40.0], [0.0, -30.0, -40.0]]
    """
    if sides not in ("both", "+", "-"):
        raise SettingError(f"sides takes both, + or -; got {sides!r}.")
    every = names is None or names == "all"
    chosen = [family for family, _ in select_transformations(names)]
    chosen = [family for family in chosen if not (every and _two(family, size))]
    steps, ends = _numbers(resolution, "resolution", 1), _numbers(within, "within", 2)
    for name in (*steps, *ends):
        if name not in [family.name for family in chosen]:
            raise SettingError(unknown("transformation asked for", name, [family.name for family in chosen]))
    found = [
        side for family in chosen for side in _sides(family, size, steps.get(family.name), ends.get(family.name), sides)
    ]
    if not found:
        raise SettingError(f"{chosen[0].name} has no magnitudes on the side {sides}; give sides=both.")
    return found


def by_family(sides: Sequence[Outward]) -> list[list[Outward]]:
    """The sides of each transformation, in their order.

    Args:
        sides: of all transformations.

    Example:
        >>> [len(own) for own in by_family(outward_sides("shear,grayscale", (32, 32)))]
        [2, 1]
    """
    names = dict.fromkeys(side.family.name for side in sides)
    return [[side for side in sides if side.family.name == name] for name in names]


def default_resolution(family: Transformation, low: float, high: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is at most a 200th of the way; at least 1 where it is whole.

    Args:
        family: the transformation.
        low: the smallest magnitude.
        high: the largest.

    Example:
        >>> from invariscope.transformations.rotation import Rotation
        >>> default_resolution(Rotation(), -90, 180)
        1.0
    """
    most = (high - low) / _FINE
    power = 10.0 ** math.floor(math.log10(most) + 1e-9)
    step = max(factor * power for factor in (1, 2, 5) if factor * power <= most * (1 + 1e-9))
    return max(round(step), 1.0) if family.whole else float(f"{step:.12g}")


def _two(family: Transformation, size: tuple[int, int]) -> bool:
    """Whether it has two magnitudes and nothing between them, as a mirror."""
    low, high = family.limits(*size)
    return family.whole and high - low <= 1


def _sides(
    family: Transformation, size: tuple[int, int], step: list[float] | None, ends: list[float] | None, sides: str
) -> list[Outward]:
    if _two(family, size):
        raise SettingError(
            f"{family.name} has nothing between its two magnitudes, so that it has no threshold; leave it out "
            "(`invariscope measure` shows it)."
        )
    grid = family.default_grid(*size)
    low, high = ends or (grid[0], grid[-1])
    family.check_magnitudes([low, high], size)
    if not low <= family.identity <= high or low == high:
        raise MagnitudeError(
            f"thresholds are searched outward from the identity of {family.name} ({family.identity:g}), which must lie "
            f"within the ends; got {low:g} to {high:g}."
        )
    resolution = default_resolution(family, low, high) if step is None else step[0]
    if not resolution > 0 or not math.isfinite(resolution):
        raise SettingError(
            f"a resolution is a step above 0 ({family.unit_of_measure}); got {family.name}={resolution:g}."
        )
    if family.whole and resolution != round(resolution):
        raise SettingError(f"{family.name} takes whole magnitudes; got a resolution of {resolution:g}. Round it.")
    if max(high - family.identity, family.identity - low) / resolution > _MOST:
        raise SettingError(
            f"a resolution of {resolution:g} makes more than {_MOST:,} steps of {family.name} from {low:g} to "
            f"{high:g}; give a coarser one, or nearer ends."
        )
    reached = [("+", high), ("-", low)]
    return [
        Outward(family, sign, resolution, _outward(family.identity, end, resolution))
        for sign, end in reached
        if end != family.identity and sides in ("both", sign)
    ]


def _outward(identity: float, end: float, resolution: float) -> Float[ndarray, " step"]:
    count = math.floor(abs(end - identity) / resolution + 1e-9)
    sign = 1.0 if end > identity else -1.0
    values = [round(identity + sign * resolution * k, 12) for k in range(count + 1)]
    if abs(values[-1] - end) <= 1e-9 * resolution:
        values[-1] = end
    else:
        values.append(end)
    return np.array(values)


def _numbers(given: Mapping[str, object] | Sequence[str] | None, what: str, count: int) -> dict[str, list[float]]:
    """Numbers by name, given as such or as text."""
    if given is None:
        return {}
    pairs = given.items() if isinstance(given, Mapping) else [_pair(text, what) for text in given]
    found: dict[str, list[float]] = {}
    for name, value in pairs:
        parts = value.split(":") if isinstance(value, str) else value if isinstance(value, Sequence) else [value]
        try:
            numbers = [float(part) for part in parts]  # type: ignore[arg-type]
        except (TypeError, ValueError):
            numbers = []
        if len(numbers) != count:
            raise SettingError(f"{what} is given as in {_EXAMPLE[what]}; got {name}={value}.")
        found[name] = numbers
    return found


def _pair(text: str, what: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise SettingError(f"{what} takes NAME=VALUE, as in {_EXAMPLE[what]}; got {text!r}.")
    return name, value
