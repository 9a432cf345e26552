"""Student's interval of a mean over few independent values, such as seeds."""

from collections.abc import Sequence

import numpy as np


def t_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Ends of the interval of a mean:  mean ∓ t·s/√n.

    Args:
        values: one per seed; unknown ones are left out.
        level: how often such intervals hold the true mean; 0 to 1.

    Returns:
        Low and high end; NaN for fewer than two values.

    Example:
        >>> low, high = t_interval([0.0, 1.0])
        >>> round(low, 3), round(high, 3)
        (-5.853, 6.853)

    Source: Student 1908, "The probable error of a mean".
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    n = len(known)
    if n < 2:
        return float("nan"), float("nan")
    from scipy.stats import t

    half = float(t.ppf((1 + level) / 2, n - 1) * known.std(ddof=1) / np.sqrt(n))
    mean = float(known.mean())
    return mean - half, mean + half
