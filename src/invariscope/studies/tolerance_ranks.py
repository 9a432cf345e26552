"""Rank correlations of thresholds, some of which lie beyond the grid, with a bootstrap over what they belong to."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from invariscope.studies.compare import REPLICATES
from invariscope.studies.correlations import correlate

FEWEST = 5


def rank_correlation(
    x: Float[ndarray, " row"],
    y: Float[ndarray, " row"],
    *,
    within: Int[ndarray, " row"] | None = None,
    members: Int[ndarray, " row"] | None = None,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Spearman's correlation and its 95 % interval; infinite values rank above all others.

    Args:
        x: NaN where it is unknown; the row is then left out.
        y: the same.
        within: rows are ranked among those with the same number, such as those of one side; None ranks all together.
        members: rows with the same number are drawn together, such as both sides of a class; None draws each alone.
        seed: of the bootstrap. Ranks are those of the whole sample.

    Returns:
        The correlation and the ends of its interval; NaN where fewer than five members are known or nothing varies.

    Example:
        >>> x = np.arange(6.0)
        >>> rank_correlation(x, np.array([0, 1, 2, 3, 4, np.inf]))[0]
        1.0
    """
    from scipy.stats import rankdata

    known = ~(np.isnan(x) | np.isnan(y))
    n = int(known.sum())
    groups = np.zeros(n, dtype=np.int64) if within is None else within[known]
    drawn_together = np.arange(n) if members is None else members[known]
    every, place = np.unique(drawn_together, return_inverse=True)
    if len(every) < FEWEST:
        return float("nan"), float("nan"), float("nan")
    ranks = []
    for values in (x[known], y[known]):
        own = np.empty(n)
        for group in np.unique(groups):
            here = groups == group
            # As shares, so that sides with more known members do not weigh more.
            own[here] = rankdata(values[here]) / here.sum()
        ranks.append(own)
    random = np.random.Generator(np.random.PCG64(seed))
    times = random.multinomial(len(every), np.full(len(every), 1 / len(every)), REPLICATES)
    weights = np.concatenate([np.ones((1, n)), times[:, place].astype(np.float64)])
    found = correlate(ranks[0], ranks[1], weights, groups)
    if np.isnan(found[0]):
        return float("nan"), float("nan"), float("nan")
    low, high = np.nanquantile(found[1:], [0.025, 0.975])
    return round(float(found[0]), 12), float(low), float(high)
