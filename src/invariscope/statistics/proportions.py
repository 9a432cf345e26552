"""Intervals for shares of images."""

from statistics import NormalDist
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import NDArray


def wilson(
    successes: int | float | NDArray[Any], n: int | float | NDArray[Any], level: float = 0.95
) -> tuple[Float[ndarray, "..."], Float[ndarray, "..."]]:
    """Wilson's interval for a proportion: it stays inside 0 to 1 and is honest at 0 and at n.

    With p = successes / n and z the normal quantile of the level,
    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n).

    Args:
        successes: how many images succeed, from 0 to n; any shape.
        n: how many images there are; a shape that broadcasts with it.
        level: confidence, 0 to 1.

    Returns:
        The low and the high end; NaN where there are no images.

    Example:
        >>> low, high = wilson(8, 10)
        >>> round(float(low), 3), round(float(high), 3)
        (0.49, 0.943)

    Source: Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    count, total = np.asarray(successes, np.float64), np.asarray(n, np.float64)
    z = NormalDist().inv_cdf((1 + level) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = count / total
        middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        half = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / (1 + z**2 / total)
    # At the ends the formula gives 0 and 1 but for rounding.
    low = np.where(count == 0, 0.0, middle - half)
    high = np.where(count == total, 1.0, middle + half)
    empty = total == 0
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)
