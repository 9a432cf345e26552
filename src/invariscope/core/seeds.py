"""Random numbers that depend on an image's seed and on nothing else."""

import hashlib
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def _mix(x: Tensor) -> Tensor:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014); >> is made logical by the mask."""
    x = (x ^ (x >> 30 & (1 << 34) - 1)) * -4658895280553007687
    x = (x ^ (x >> 27 & (1 << 37) - 1)) * -7723592293110705685
    return x ^ (x >> 31 & (1 << 33) - 1)


def uniform(seeds: Int[Tensor, " image"], shape: tuple[int, ...], stream: int = 0) -> Float[Tensor, "image ..."]:
    """Uniform numbers on [0, 1): a hash of (seed, stream, place), so batches, workers and devices do not matter.

    Args:
        seeds: one integer per image; shape (image,).
        shape: the shape of one image's numbers.
        stream: draws with different streams are independent.

    Returns:
        Shape (image, *shape), float32, on the device of the seeds.

    Example:
        >>> seeds = torch.tensor([3, 7])
        >>> torch.equal(uniform(seeds, (2, 2))[1:], uniform(seeds[1:], (2, 2)))
        True
    """
    place = torch.arange(math.prod(shape), device=seeds.device)
    bits = _mix(_mix(_mix(seeds.long()) + stream)[:, None] + place)
    return ((bits >> 40) & (1 << 24) - 1).float().div(1 << 24).reshape(len(seeds), *shape)


def normal(seeds: Int[Tensor, " image"], shape: tuple[int, ...], stream: int = 0) -> Float[Tensor, "image ..."]:
    """Standard normal numbers with the guarantees of `uniform` (Box and Muller's method).

    Args:
        seeds: one integer per image; shape (image,).
        shape: the shape of one image's numbers.
        stream: draws with different streams are independent; this one uses 2·stream and 2·stream + 1 of `uniform`.

    Returns:
        Shape (image, *shape), float32, on the device of the seeds.

    Example:
        >>> normal(torch.tensor([3, 7]), (4, 4)).shape
        torch.Size([2, 4, 4])
    """
    radius = (-2 * torch.log1p(-uniform(seeds, shape, 2 * stream))).sqrt()
    return radius * torch.cos(2 * math.pi * uniform(seeds, shape, 2 * stream + 1))


def image_seeds(indices: Int[Tensor, " image"], seed: int, name: str) -> Int[Tensor, " image"]:
    """One seed per (image, run, transformation): the same noise for an image at every magnitude, batch and worker.

    Args:
        indices: the images' places in their set; shape (image,).
        seed: the run's seed.
        name: the transformation's name.

    Returns:
        Seeds for `uniform` and `normal`; shape (image,), int64.

    Example:
        >>> image_seeds(torch.tensor([0, 1]), 0, "gaussian-noise").shape
        torch.Size([2])
    """
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=7).digest()
    return _mix(indices.long() + int.from_bytes(digest, "big"))
