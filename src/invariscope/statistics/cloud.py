"""One cloud: points that are spread and correlated like others, and have no clusters."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_ROUNDS, _TRIES, _SHARES = 4, 30, 2000


@dataclass(frozen=True)
class Cloud:
    """A distribution of points: columns of given distributions, put together by a normal one.

    Args:
        n: how many points are drawn.
        quantiles: of every column, at evenly spaced shares; shape (share, axis).
        root: the normal distribution, as what independent numbers are multiplied by; shape (axis, axis).
    """

    n: int
    quantiles: Float[np.ndarray, "share axis"]
    root: Float[np.ndarray, "axis axis"]

    @classmethod
    def like(cls, points: Float[np.ndarray, "point axis"], random: np.random.Generator) -> "Cloud":
        """The cloud with the mean, the spread and the correlations of these points.

        Every column is a beta distribution with one peak, and its mean and variance, as far as one peak allows. The
        normal distribution begins with the points' correlations and is corrected in a few rounds by what draws from it
        have too little or too much.

        Args:
            points: coefficients from 0 to 1; shape (point, axis).
            random: where those draws come from.

        Example:
            >>> random = np.random.Generator(np.random.PCG64(0))
            >>> points = 0.5 + 0.1 * random.standard_normal((200, 1)) + 0.01 * random.standard_normal((200, 2))
            >>> drawn = Cloud.like(points, random).draw(random)
            >>> bool(np.corrcoef(drawn.T)[0, 1] > 0.97), bool(abs(drawn.std() / points.std() - 1) < 0.05)
            (True, True)
        """
        n, target = len(points), _correlations(points)
        quantiles = np.stack([_one_peak(column) for column in points.T], axis=1)
        latent = target
        for _ in range(_ROUNDS):
            cloud = cls(n, quantiles, _root(latent))
            drawn = np.mean([_correlations(cloud.draw(random)) for _ in range(_TRIES)], axis=0)
            latent = (latent + target - drawn).clip(-1, 1)
        return cls(n, quantiles, _root(latent))

    def draw(self, random: np.random.Generator) -> Float[np.ndarray, "point axis"]:
        """As many points as there were."""
        from scipy.special import ndtr

        shares = ndtr(random.standard_normal((self.n, len(self.root))) @ self.root)
        places = (np.arange(_SHARES) + 0.5) / _SHARES
        return np.stack(
            [np.interp(share, places, column) for share, column in zip(shares.T, self.quantiles.T, strict=True)], axis=1
        )


def _one_peak(values: np.ndarray) -> np.ndarray:
    """Quantiles of the beta distribution with the values' mean and variance."""
    from scipy.special import betaincinv

    mean, variance = float(values.mean()), float(values.var())
    if variance == 0:
        return np.full(_SHARES, mean)
    # With a sum of 1 / max(mean, 1 - mean) or more, no more than one of the ends is a peak.
    total = max(mean * (1 - mean) / variance - 1, 1 / max(mean, 1 - mean))
    shares = (np.arange(_SHARES) + 0.5) / _SHARES
    return np.asarray(betaincinv(mean * total, (1 - mean) * total, shares))


def _correlations(points: np.ndarray) -> np.ndarray:
    """1 on the diagonal, 0 beside a column that does not vary."""
    centred = points - points.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    scaled = centred / np.where(spread > 0, spread, 1)
    correlations: np.ndarray = scaled.T @ scaled
    np.fill_diagonal(correlations, 1)
    return correlations


def _root(latent: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(latent)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))).T)
