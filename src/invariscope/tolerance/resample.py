"""The bootstrap over images, for many classes at once."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from invariscope.tolerance.outputs import Groups

REPLICATES = 1000
# Numbers held at once: 32 MB of float64 stay inside a cache's reach and a small machine's memory.
_BLOCK = 4_000_000


def draws(n_images: int, replicates: int, seed: int) -> Iterator[Float[ndarray, "replicate image"]]:
    """Bootstrap weights, some replicates at a time: how often each image is drawn, as a share of all draws.

    Args:
        n_images: how many images there are to draw from.
        replicates: how many replicates in all.
        seed: of the draws.

    Yields:
        Weights that sum to 1 in each replicate; shape (replicate, image).

    Example:
        >>> [weights.sum(axis=1).tolist() for weights in draws(4, 2, seed=0)]
        [[1.0, 1.0]]
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, _BLOCK // n_images)
    for start in range(0, replicates, step):
        count = min(step, replicates - start)
        places = generator.integers(0, n_images, (count, n_images)) + np.arange(count)[:, None] * n_images
        times = np.bincount(places.ravel(), minlength=count * n_images)
        yield times.reshape(count, n_images) / n_images


def resampled_means(
    values: Float[ndarray, "image column"],
    groups: Groups,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    only: Sequence[int] | None = None,
) -> Iterator[tuple[Int[ndarray, " block"], Float[ndarray, "block replicate column"]]]:
    """The means of every row of a table in bootstrap replicates over its images.

    Classes are resampled within themselves; rows with as many images share their draws, so that one matrix product
    serves them all. Rows with fewer than two images have no replicates.

    Args:
        values: qualities of the images; shape (image, column).
        groups: which images make up a row.
        replicates: how many.
        seed: of the draws.
        only: these rows; None is all.

    Yields:
        Rows, and their means; shapes (block,) and (block, replicate, column).
    """
    counts = groups.counts
    if only is not None:
        counts = np.where(np.isin(np.arange(len(counts)), list(only)), counts, 0)
    for size in np.unique(counts[counts > 1]).tolist():
        rows = np.flatnonzero(counts == size)
        step = max(1, _BLOCK // (replicates * values.shape[1]))
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            chosen = values[np.stack([groups.members[row] for row in block])]
            yield block, np.concatenate([part @ chosen for part in draws(size, replicates, seed)], axis=1)


def interval(
    replicates: Float[ndarray, "block replicate column"], level: float = 0.95
) -> tuple[Float[ndarray, "block column"], Float[ndarray, "block column"]]:
    """The percentile interval of each row and column; infinite ends stay infinite, NaN replicates are left out.

    The ends are replicates, not values between two of them, so that an end may be infinite ("beyond the grid").

    Args:
        replicates: shape (block, replicate, column); may hold infinities and NaN.
        level: the share of the replicates that lies inside; 0 to 1.

    Returns:
        Low and high, shape (block, column); NaN where fewer than half of the replicates are known.

    Example:
        >>> low, high = interval(np.arange(101.0)[None, :, None])
        >>> low.item(), high.item()
        (2.0, 98.0)
    """
    ordered = np.sort(replicates, axis=1)
    known = (~np.isnan(ordered)).sum(axis=1)
    tail = (1 - level) / 2
    low = np.floor(tail * (known - 1)).astype(np.int64)
    high = np.ceil((1 - tail) * (known - 1)).astype(np.int64)
    enough = 2 * known >= replicates.shape[1]

    def at(place: Int[ndarray, "block column"]) -> Float[ndarray, "block column"]:
        values = np.take_along_axis(ordered, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        return np.where(enough, values, np.nan)

    return at(low), at(high)
