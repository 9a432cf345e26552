"""Values of which only an interval is known: how they are distributed, and their quantiles."""

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

# Self-consistency gains a factor per step; what is left is far below what an image can tell.
_STEPS, _ENOUGH = 20_000, 1e-12
_REPLICATE_STEPS, _REPLICATE_ENOUGH = 500, 1e-7


@dataclass(frozen=True, eq=False)
class Distribution:
    """Where the mass of interval-censored values lies: on intervals, each open below and closed above.

    Attributes:
        low: of the intervals, ascending; shape (interval,).
        high: of the intervals; infinity for what lies beyond the last value that was looked at; shape (interval,).
        mass: of the intervals, adding up to 1; shape (interval,).
    """

    low: Float[ndarray, " interval"]
    high: Float[ndarray, " interval"]
    mass: Float[ndarray, " interval"]

    def quantile(self, share: float = 0.5) -> float:
        """The value that this share of the mass does not exceed, linearly interpolated inside its interval.

        Where the share is reached between two intervals it is the low end of the further one, beyond which less than
        the rest remains.

        Args:
            share: above 0, below 1; 0.5 is the median.

        Returns:
            Infinity where the share is reached only beyond the last value that was looked at.
        """
        return float(_quantiles(self.low, self.high, self.mass[None], share)[0])


def distribution(low: Float[ndarray, " value"], high: Float[ndarray, " value"]) -> Distribution:
    """The nonparametric maximum-likelihood estimate for interval-censored values.

    A value is known to be above `low` and at most `high`; with both equal it is known exactly. All mass lies on the
    innermost intervals (from a low end to a high end with no end between), and its shares satisfy
    p_j = mean over values of p_j a_ij / Σ_k p_k a_ik, a_ij = 1 where interval j lies within value i's. Where each
    value holds one innermost interval alone, as on one common grid, they are counted; else the equation is iterated.

    Args:
        low: below each value; shape (value,).
        high: at or above each value, infinity where it was never reached (right-censored); shape (value,).

    Returns:
        The innermost intervals and their mass.

    Example:
        >>> found = distribution(np.array([0.0, 1.0, 1.0, 2.0]), np.array([1.0, 2.0, 2.0, np.inf]))
        >>> found.mass.tolist(), found.quantile()
        ([0.25, 0.5, 0.25], 1.5)

    Source: Turnbull, Journal of the Royal Statistical Society B 38 (1976), 290-295.
    """
    inner = _innermost(low, high)
    within, counts = _within(inner, low, high)
    return Distribution(*inner, _masses(within, counts[None] / len(low), _STEPS, _ENOUGH)[0])


def quantile(
    low: Float[ndarray, " value"],
    high: Float[ndarray, " value"],
    share: float = 0.5,
    *,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """A quantile of interval-censored values, with the percentile interval of a bootstrap over the values.

    Args:
        low: below each value; shape (value,).
        high: at or above each value, infinity where it was never reached; shape (value,).
        share: of the values that do not exceed the quantile; above 0, below 1.
        replicates: of the bootstrap.
        seed: of its draws.
        level: the share of the replicates that lies inside; 0 to 1.

    Returns:
        The quantile, and the low and the high end; infinity for what lies beyond the last value that was looked at,
        NaN without values, and for the ends with fewer than two.

    Example:
        >>> below, above = np.arange(20.0), np.arange(1.0, 21.0)
        >>> [round(found, 6) for found in quantile(below, above)]
        [10.0, 6.0, 14.0]
    """
    assert 0 < share < 1, share
    if not len(low):
        return float("nan"), float("nan"), float("nan")
    found = distribution(low, high)
    if len(low) < 2:
        return found.quantile(share), float("nan"), float("nan")
    within, counts = _within((found.low, found.high), low, high)
    generator = np.random.Generator(np.random.PCG64(seed))
    # Values of one kind are alike, so that drawing kinds is drawing values.
    drawn = generator.multinomial(len(low), counts / len(low), size=replicates) / len(low)
    masses = _masses(within, drawn, _REPLICATE_STEPS, _REPLICATE_ENOUGH)
    ordered = np.sort(_quantiles(found.low, found.high, masses, share))
    tail = (1 - level) / 2
    # Ends are replicates, not values between two of them, for one may be infinite.
    ends = ordered[[int(np.floor(tail * (replicates - 1))), int(np.ceil((1 - tail) * (replicates - 1)))]]
    return found.quantile(share), float(ends[0]), float(ends[1])


_Intervals = tuple[Float[ndarray, " interval"], Float[ndarray, " interval"]]


def _innermost(low: Float[ndarray, " value"], high: Float[ndarray, " value"]) -> _Intervals:
    """The intervals that begin with a low end and end with a high end, no end lying between."""
    assert (low <= high).all(), "a value's low end is not above its high end"
    exact = low == high
    # At one place an exact value begins, then intervals end (they hold it), then intervals begin (they do not).
    ends = [*zip(low, np.where(exact, 0, 2), strict=True), *zip(high, np.ones(len(high)), strict=True)]
    ordered = sorted(set(ends))
    pairs = [(before[0], after[0]) for before, after in itertools.pairwise(ordered) if before[1] != 1 and after[1] == 1]
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def _within(
    inner: _Intervals, low: Float[ndarray, " value"], high: Float[ndarray, " value"]
) -> tuple[Bool[ndarray, "kind interval"], Int[ndarray, " kind"]]:
    """Which innermost intervals lie within each kind of value, and how many values are of the kind."""
    kinds, counts = np.unique(np.stack([low, high], axis=1), axis=0, return_counts=True)
    exact = kinds[:, :1] == kinds[:, 1:]
    points = inner[0] == inner[1]
    # A point at a value's low end lies outside, for the value is above that; the point of an exact value is itself.
    above = (inner[0] > kinds[:, :1]) | ((inner[0] == kinds[:, :1]) & (~points | exact))
    return above & (inner[1] <= kinds[:, 1:]), counts


def _masses(
    within: Bool[ndarray, "kind interval"], weights: Float[ndarray, "draw kind"], steps: int, enough: float
) -> Float[ndarray, "draw interval"]:
    """The shares of the intervals, by counting where that is exact, else by self-consistency."""
    covers = within.astype(np.float64)
    if (within.sum(axis=1) == 1).all():
        counted: ndarray = weights @ covers
        return counted
    mass = np.full((len(weights), covers.shape[1]), 1 / covers.shape[1])
    for _ in range(steps):
        chance = mass @ covers.T
        share = np.divide(weights, chance, out=np.zeros_like(weights), where=chance > 0)
        new: ndarray = mass * (share @ covers)
        if np.abs(new - mass).max() < enough:
            return new
        mass = new
    return mass


def _quantiles(
    low: Float[ndarray, " interval"],
    high: Float[ndarray, " interval"],
    mass: Float[ndarray, "draw interval"],
    share: float,
) -> Float[ndarray, " draw"]:
    reached = np.cumsum(mass, axis=1)
    place: Int[ndarray, " draw"] = (reached <= share + 1e-9).sum(axis=1).clip(max=len(low) - 1)
    rows = np.arange(len(mass))
    here = np.maximum(mass[rows, place], 1e-300)
    part = np.clip((share - (reached[rows, place] - mass[rows, place])) / here, 0.0, 1.0)
    wide = np.where(np.isfinite(high), high - low, 0.0)[place]
    found: ndarray = np.where(np.isfinite(high[place]), low[place] + part * wide, np.inf)
    return found
