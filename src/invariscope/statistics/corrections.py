"""p-values of many tests, corrected for their number."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def holm(p: Float[ndarray, " test"]) -> Float[ndarray, " test"]:
    """Holm's correction: the chance of a single false alarm among all tests stays below the level.

    With p(1) ≤ … ≤ p(m), adjusted p(i) = max over j ≤ i of min(1, (m − j + 1) · p(j)). It asks nothing of how the
    tests depend on one another.

    Args:
        p: p-values from 0 to 1; NaN for what was not tested, which does not count; shape (test,).

    Returns:
        Adjusted p-values; NaN where p is NaN; shape (test,).

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03, 0.005])).round(6).tolist()
        [0.03, 0.06, 0.06, 0.02]

    Source: Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
    """
    return _stepwise(p, lambda ordered, n: np.maximum.accumulate(ordered * np.arange(n, 0, -1)))


def benjamini_hochberg(p: Float[ndarray, " test"]) -> Float[ndarray, " test"]:
    """Benjamini and Hochberg's correction: the expected share of false alarms among the alarms stays below the level.

    With p(1) ≤ … ≤ p(m), adjusted p(i) = min over j ≥ i of min(1, m / j · p(j)). It holds for tests that are
    independent or positively dependent.

    Args:
        p: p-values from 0 to 1; NaN for what was not tested, which does not count; shape (test,).

    Returns:
        Adjusted p-values; NaN where p is NaN; shape (test,).

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005])).round(6).tolist()
        [0.02, 0.04, 0.04, 0.02]

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995), 289-300.
    """
    return _stepwise(p, lambda ordered, n: np.minimum.accumulate((ordered * n / np.arange(1, n + 1))[::-1])[::-1])


CORRECTIONS: Mapping[str, Callable[[Float[ndarray, " test"]], Float[ndarray, " test"]]] = MappingProxyType(
    {"holm": holm, "bh": benjamini_hochberg}
)


def _stepwise(
    p: Float[ndarray, " test"], step: Callable[[Float[ndarray, " test"], int], Float[ndarray, " test"]]
) -> Float[ndarray, " test"]:
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    adjusted[order] = np.minimum(step(np.asarray(p[order], np.float64), len(order)), 1.0)
    return adjusted
