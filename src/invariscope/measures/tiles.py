"""Cutting responses into tiles that stay in a processor's cache."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference

# 64 · 1024 float32 numbers are 256 KiB; a dozen such tiles stay in a second-level cache. 64 is also the number of
# images after which float64 takes over the sums.
IMAGES, UNITS = 64, 1024


def tiles(
    pair: Pair, reference: Reference, tall: int = IMAGES, wide: int = UNITS
) -> Iterator[tuple[slice, slice, Pair, Reference]]:
    """The tiles of a pair, units outermost.

    Args:
        pair: responses; shape (image, unit).
        reference: of the same units.
        tall: images in a tile.
        wide: units in a tile.

    Yields:
        Which images, which units, and the pair and the reference cut to them, as views.
    """
    images, units = pair.clean.shape
    # On an accelerator a tile is as large as memory comfortably allows: there the launches cost, not the cache.
    if pair.clean.device.type != "cpu":
        tall, wide = 4 * tall, 64 * wide
    for left in range(0, units, wide):
        columns = slice(left, min(left + wide, units))
        part = narrow(reference, columns)
        for top in range(0, images, tall):
            rows = slice(top, min(top + tall, images))
            other = None if pair.other is None else pair.other[rows, columns]
            yield rows, columns, Pair(pair.clean[rows, columns], pair.transformed[rows, columns], other), part


def narrow(reference: Reference, columns: slice) -> Reference:
    """The reference of some of the units.

    Args:
        reference: of all units.
        columns: which units.

    Returns:
        Views of the same tensors.
    """
    return Reference(
        peak=reference.peak[columns],
        clean_mean=reference.clean_mean[columns],
        firing=reference.firing[columns],
        scale=reference.scale[columns],
        tau=reference.tau,
    )


def working(pair: Pair) -> Pair:
    """The pair in a type that can be computed with: half precision and integers become float32.

    Args:
        pair: responses of any type.

    Returns:
        The same pair, or a copy in float32.
    """
    if pair.clean.dtype in (torch.float32, torch.float64) and pair.transformed.dtype == pair.clean.dtype:
        return pair
    other = None if pair.other is None else pair.other.float()
    return Pair(pair.clean.float(), pair.transformed.float(), other)


def zeros(rows: int, units: int, device: torch.device) -> Float[Tensor, "row unit"]:
    """Sums before anything is added.

    Args:
        rows: groups of images.
        units: units.
        device: where the sums are.

    Returns:
        Float64 zeros.
    """
    return torch.zeros(rows, units, dtype=torch.float64, device=device)
