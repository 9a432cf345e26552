"""The magnitude at which a network's accuracy falls to a level."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from invariscope.core.errors import SettingError
from invariscope.transformations.base import Transformation


@dataclass(frozen=True)
class FoundMagnitude:
    """What a search came to.

    Attributes:
        magnitude: the magnitude nearest to the identity, of those tried, at which the accuracy is at most the level;
            NaN when there is none.
        accuracy: the accuracy there; NaN when there is none.
        bracket: the last magnitude tried that is still above the level, and `magnitude`.
        reached: whether the level was reached.
        tried: every magnitude that was tried and its accuracy, in that order.
        message: what happened, in one sentence.
    """

    magnitude: float
    accuracy: float
    bracket: tuple[float, float]
    reached: bool
    tried: tuple[tuple[float, float], ...]
    message: str


def find_magnitude(
    accuracy_of: Callable[[float], float],
    transformation: Transformation,
    *,
    accuracy: float = 0.1,
    size: tuple[int, int] | None = None,
    towards: float | None = None,
    step: float | None = None,
    tolerance: float | None = None,
) -> FoundMagnitude:
    """Find the magnitude at which an accuracy falls to a level, going outwards from the identity.

    With `step`, the paper's search: step by step until the accuracy is at most the level. Without, 16 equal steps find
    a first bracket and bisection narrows it; a fall that a later rise undoes within one such step can be missed.

    Args:
        accuracy_of: the accuracy at a magnitude, 0 to 1.
        transformation: the family; its limits end the search.
        accuracy: the level to fall to, 0 to 1.
        size: height and width of the images, where the limits depend on it.
        towards: the magnitude to go to, at most; the sign says the side. Default: the upper limit, or the lower one
            where the identity is the upper.
        step: the paper's step (0.5 pixels for a blur); its size alone counts.
        tolerance: the width of the final bracket when bisecting; default 1/1000 of the way to `towards`.

    Returns:
        The magnitude, or NaN and a message when the level is not reached.

    Raises:
        SettingError: a level outside 0 to 1, a step or tolerance that is not positive, or no end to the search.
        MagnitudeError: `towards` lies outside the limits.

    Example:
        >>> from invariscope.transformations.gaussian_blur import GaussianBlur
        >>> found = find_magnitude(lambda v: 1 - v / 4, GaussianBlur(), accuracy=0.1, size=(32, 32), step=0.5)
        >>> found.magnitude, found.bracket, len(found.tried)
        (4.0, (3.5, 4.0), 9)

    Source: Jang et al., appendix A: strengths raised step by step until accuracy falls below 10 %.
    """
    start, end = transformation.identity, _end(transformation, size, towards)
    if not 0 <= accuracy <= 1:
        raise SettingError(f"the accuracy to fall to is a share from 0 to 1; got {accuracy:g}.")
    for what, value in (("step", step), ("tolerance", tolerance)):
        if value is not None and not value > 0:
            raise SettingError(f"the {what} of the search must be positive; got {value:g}.")
    tried: dict[float, float] = {}

    def falls(value: float) -> bool:
        value = float(round(value)) if transformation.whole else value
        if value not in tried:
            tried[value] = float(accuracy_of(value))
        return tried[value] <= accuracy

    stride = abs(end - start) / 16 if step is None else min(step, abs(end - start))
    count = max(math.floor(abs(end - start) / stride + 1e-9), 1)
    places = [start + math.copysign(stride * number, end - start) for number in range(count + 1)]
    if abs(places[-1] - end) > 1e-9 * max(abs(end), 1):
        places.append(end)
    if transformation.whole:
        places = list(dict.fromkeys(float(round(place)) for place in places))
    first = next((number for number, place in enumerate(places) if falls(place)), None)
    if first is None:
        return _missed(transformation, accuracy, tried, start, end)
    if first == 0:
        said = f"The accuracy is {tried[start]:.3g} without any change, which is at most {accuracy:g} already."
        return FoundMagnitude(start, tried[start], (start, start), True, tuple(tried.items()), said)
    above, below = places[first - 1], places[first]
    if step is None:
        width = tolerance if tolerance is not None else abs(end - start) / 1000
        while abs(below - above) > max(width, 1.0 if transformation.whole else 0.0):
            middle = float(round((above + below) / 2)) if transformation.whole else (above + below) / 2
            if middle in (above, below):
                break
            above, below = (above, middle) if falls(middle) else (middle, below)
    said = (
        f"The accuracy falls to {tried[below]:.3g}, at most {accuracy:g}, "
        f"at {below:g} ({transformation.unit_of_measure}); at {above:g} it is {tried[above]:.3g}."
    )
    return FoundMagnitude(below, tried[below], (above, below), True, tuple(tried.items()), said)


def _end(transformation: Transformation, size: tuple[int, int] | None, towards: float | None) -> float:
    low, high = transformation.span if size is None else transformation.limits(*size)
    if towards is None:
        towards = high if high != transformation.identity else low
    if not math.isfinite(towards):
        raise SettingError(f"{transformation.name} has no end without an image size; give size= or towards=.")
    transformation.check_magnitudes([towards], size)
    if towards == transformation.identity:
        raise SettingError(f"the search ends where it begins, at {towards:g}; give another towards=.")
    return towards


def _missed(
    transformation: Transformation, accuracy: float, tried: dict[float, float], start: float, end: float
) -> FoundMagnitude:
    lowest = min(tried, key=lambda value: np.nan_to_num(tried[value], nan=np.inf))
    said = (
        f"The accuracy does not fall to {accuracy:g} between {start:g} and {end:g} ({transformation.unit_of_measure}): "
        f"the lowest is {tried[lowest]:.3g}, at {lowest:g}; ask for a higher accuracy or use another transformation."
    )
    return FoundMagnitude(math.nan, math.nan, (end, math.nan), False, tuple(tried.items()), said)
