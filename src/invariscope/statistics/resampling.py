"""The bootstrap over images."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def bootstrap_weights(n_images: int, replicates: int, seed: int) -> Float[Tensor, "replicate image"]:
    """How often each image is drawn in each resampling of all images with replacement.

    Args:
        n_images: images in the set, 1 or more.
        replicates: resamplings.
        seed: of the draws.

    Returns:
        Multiplicities, float32, each row adding up to `n_images`; shape (replicate, image).

    Example:
        >>> bootstrap_weights(5, 3, seed=0).sum(1)
        tensor([5., 5., 5.])
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.integers(0, n_images, size=(replicates, n_images))
    drawn += n_images * np.arange(replicates)[:, None]
    times = np.bincount(drawn.ravel(), minlength=replicates * n_images)
    return torch.from_numpy(times.reshape(replicates, n_images).astype(np.float32))


def percentile_interval(
    replicates: Float[Tensor, "replicate ..."], level: float = 0.95
) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    """The central interval that holds a share of the replicates.

    Args:
        replicates: values of a statistic in resamplings, the replicates along the first axis; NaN is left out.
        level: share inside, 0 to 1.

    Returns:
        The low and the high end; NaN where every replicate is NaN.

    Example:
        >>> low, high = percentile_interval(torch.arange(101, dtype=torch.float64), level=0.9)
        >>> round(low.item(), 6), round(high.item(), 6)
        (5.0, 95.0)

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    tail = (1 - level) / 2
    ends = torch.tensor([tail, 1 - tail], dtype=replicates.dtype, device=replicates.device)
    low, high = torch.nanquantile(replicates, ends, dim=0)
    return low, high
