"""Differences of two shares or two estimates, with intervals and p-values."""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import NDArray

from invariscope.statistics.proportions import wilson

Array = NDArray[Any] | np.floating[Any] | float
Z = 1.959963984540054


def mcnemar(lost: Array, won: Array) -> Float[ndarray, "..."]:
    """McNemar's exact test: whether as many images were lost as won.

    Images that two networks judge alike tell nothing. Of the others each is lost or won with chance 1/2 if the
    networks are equally good: p = min(1, 2 · P(Binomial(lost + won, 1/2) ≤ min(lost, won))).

    Args:
        lost: how many images the first alone has right; any shape.
        won: how many images the second alone has right; the same shape.

    Returns:
        Two-sided p-values; 1 where the networks judge all images alike.

    Example:
        >>> mcnemar(np.array([5, 0]), np.array([0, 0])).tolist()
        [0.0625, 1.0]

    Source: McNemar, Psychometrika 12 (1947), 153-157, in its exact form.
    """
    from scipy.stats import binom

    lost, won = np.asarray(lost), np.asarray(won)
    return np.minimum(1.0, 2 * binom.cdf(np.minimum(lost, won), lost + won, 0.5))


def paired_shares(both: Array, lost: Array, won: Array, n: Array) -> tuple[Array, Array]:
    """Newcombe's interval of the difference of two shares of the same images: second less first.

    Wilson's intervals of both shares, combined as square and add with the correlation φ of the two:
    low = d − √((p₂ − l₂)² − 2φ(p₂ − l₂)(u₁ − p₁) + (u₁ − p₁)²), high likewise with the other ends; φ has a continuity
    correction where it is positive.

    Args:
        both: images that succeed both times; any shape.
        lost: images that succeed the first time alone.
        won: images that succeed the second time alone.
        n: all images.

    Returns:
        Low and high, −1 to 1; NaN where there are no images.

    Example:
        >>> low, high = paired_shares(np.array(14), np.array(0), np.array(5), np.array(41))
        >>> round(float(low), 3), round(float(high), 3)
        (0.011, 0.226)

    Source: Newcombe, Statistics in Medicine 17 (1998), 2635-2650, method 10.
    """
    both, lost, won, n = (np.asarray(count, np.float64) for count in (both, lost, won, n))
    neither = n - both - lost - won
    first, second = both + lost, both + won
    product = first * (n - first) * second * (n - second)
    cross = both * neither - lost * won
    corrected = np.where(cross > 0, np.maximum(cross - n / 2, 0), cross)
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = np.where(product > 0, corrected / np.sqrt(product), 0.0)
        one, other = first / n, second / n
    return mover((one, *wilson(first, n)), (other, *wilson(second, n)), phi)


def mover(first: tuple[Array, ...], second: tuple[Array, ...], correlation: Array | float = 0.0) -> tuple[Array, Array]:
    """The interval of a difference, second less first, from the intervals of both estimates.

    low = d − √((e₂ − l₂)² − 2ρ(e₂ − l₂)(u₁ − e₁) + (u₁ − e₁)²), and high likewise with the other ends.

    Args:
        first: estimate, low and high; of any one shape.
        second: estimate, low and high.
        correlation: ρ of the two estimates; 0 for independent ones.

    Returns:
        Low and high; NaN where an end that it needs is NaN.

    Example:
        >>> first, second = ((np.array(value) for value in known) for known in ((4.0, 1.0, 7.0), (9.0, 5.0, 12.0)))
        >>> low, high = mover(tuple(first), tuple(second))
        >>> round(float(low), 3), round(float(high), 3)
        (0.0, 9.243)

    Source: Zou and Donner, Statistics in Medicine 27 (2008), 1693-1702 (method of variance estimates recovery).
    """
    (one, low_one, high_one), (other, low_other, high_other) = first, second
    difference = other - one
    downward = _length(other - low_other, high_one - one, correlation)
    upward = _length(high_other - other, one - low_one, correlation)
    return difference - downward, difference + upward


def _length(first: Array, second: Array, correlation: Array | float) -> Array:
    squared = first**2 - 2 * correlation * first * second + second**2
    length: Array = np.sqrt(np.maximum(squared, 0))
    return length


def from_interval(difference: Array, low: Array, high: Array) -> Float[ndarray, "..."]:
    """The p-value that belongs to a 95 % interval: that of the normal curve whose end on the side of 0 is that end's.

    Args:
        difference: estimate; any shape.
        low: end of its interval.
        high: end of its interval.

    Returns:
        Two-sided p-values: 0.05 where the interval ends at 0; NaN where the end towards 0 is NaN.

    Example:
        >>> from_interval(np.array([2.0, -2.0]), np.array([0.0, -9.0]), np.array([9.0, -1.0])).round(4).tolist()
        [0.05, 0.0001]
    """
    from scipy.special import ndtr

    difference = np.asarray(difference, np.float64)
    towards = np.where(difference > 0, difference - low, np.where(difference < 0, high - difference, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(difference == 0, 0.0, np.abs(difference) / (towards / Z))
    return np.asarray(2 * ndtr(-z))
