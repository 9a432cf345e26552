"""Where a quality first falls below a level on the way out from the identity."""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

# Sums of the same images in another order differ by rounding; 0.72 is not below 0.9 · 0.8.
_ROUNDING = 1e-9


def below(quality: Float[ndarray, "*row step"], level: float) -> Bool[ndarray, "*row step"]:
    """Where the quality is below `level` times its first value.

    Args:
        quality: the clean value first, then the values on the way out; shape (..., step).
        level: a share of the clean value; 0 to 1.

    Returns:
        Shape (..., step); all false where the clean value is 0 or unknown.
    """
    target = level * quality[..., :1]
    low: ndarray = quality < target - _ROUNDING * np.abs(target)
    return low


def first_fall(
    quality: Float[ndarray, "*row step"], distance: Float[ndarray, " step"], level: float
) -> Float[ndarray, "*row"]:
    """The distance at which the quality first falls below a level, linearly interpolated in its bracket.

    Between the last step k at which q ≥ L and the next, at which q < L,
    d = d_k + (q_k − L) / (q_k − q_{k+1}) · (d_{k+1} − d_k), where L = level · q_0.

    Args:
        quality: the clean value first, then the values on the way out; shape (..., step).
        distance: of each step from the identity, ascending from 0; shape (step,).
        level: a share of the clean value; 0 to 1.

    Returns:
        Shape (...): infinity where the quality never falls below the level, NaN where the clean value is 0 or unknown.

    Example:
        >>> first_fall(np.array([1.0, 0.8, 0.4]), np.array([0.0, 10.0, 20.0]), 0.5)
        array(17.5)

    Source: Bunne et al., section IV-A, figures 2 and 3 (the paper reads its thresholds off the curves).
    """
    clean = quality[..., 0]
    low = below(quality, level)
    after = low.argmax(axis=-1)
    before = np.maximum(after - 1, 0)
    high_value = np.take_along_axis(quality, before[..., None], -1)[..., 0]
    low_value = np.take_along_axis(quality, after[..., None], -1)[..., 0]
    reached = low.any(axis=-1)
    fall = np.where(reached, high_value - low_value, 1.0)
    share = np.clip((high_value - level * clean) / fall, 0.0, 1.0)
    place = distance[before] + share * (distance[after] - distance[before])
    found: ndarray = np.where(clean > 0, np.where(reached, place, np.inf), np.nan)
    return found


def bracket(quality: Float[ndarray, "row step"], level: float) -> Int[ndarray, " row"]:
    """The step at which the quality is first below the level; the number of steps where it never is.

    Args:
        quality: the clean value first; shape (row, step).
        level: a share of the clean value; 0 to 1.

    Returns:
        Shape (row,).
    """
    low = below(quality, level)
    first: ndarray = np.where(low.any(axis=-1), low.argmax(axis=-1), quality.shape[-1])
    return first


def reentries(quality: Float[ndarray, "row step"], level: float) -> Int[ndarray, " row"]:
    """How often the quality rises to the level again, further out than its first fall.

    Args:
        quality: the clean value first; shape (row, step).
        level: a share of the clean value; 0 to 1.

    Returns:
        Shape (row,).

    Example:
        >>> reentries(np.array([[1.0, 0.2, 1.0, 0.1, 0.9]]), 0.5)
        array([2])
    """
    low = below(quality, level)
    times: ndarray = (low[:, :-1] & ~low[:, 1:]).sum(axis=-1)
    return times
