"""Linear maps of rows and columns: blurs, block means and resampling, each as one small matrix per axis.

A matrix product costs about as much as a grouped convolution with a short kernel, does not grow with the kernel, holds
the border rule within the matrix, and is differentiable in both modes.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def along_width(
    images: Float[Tensor, "image channel height width"], matrices: Float[Tensor, "#image width width"]
) -> Float[Tensor, "image channel height width"]:
    """Replace every row r by M r; one matrix per image, or one for all."""
    return images @ matrices[:, None].transpose(-1, -2)


def along_height(
    images: Float[Tensor, "image channel height width"], matrices: Float[Tensor, "#image height height"]
) -> Float[Tensor, "image channel height width"]:
    """Replace every column c by M c; one matrix per image, or one for all."""
    return matrices[:, None] @ images


def mirrored(places: Int[Tensor, "..."], size: int) -> Int[Tensor, "..."]:
    """Places on an endless axis, folded back into 0..size−1 by mirrors on the first and last pixel.

    Example:
        >>> mirrored(torch.tensor([-2, -1, 0, 1, 2, 3, 4]), 3)
        tensor([2, 1, 0, 1, 2, 1, 0])
    """
    if size == 1:
        return torch.zeros_like(places)
    period = 2 * (size - 1)
    folded = places.remainder(period)
    return torch.where(folded < size, folded, period - folded)


def kernel_matrices(kernels: Float[Tensor, "image tap"], size: int) -> Float[Tensor, "image size size"]:
    """The matrix of a correlation with a centred odd kernel, mirrored at the border without repeating the edge.

    Args:
        kernels: one per image, or one for all.
        size: the length of the axis.

    Returns:
        One matrix per kernel.

    Example:
        >>> kernel_matrices(torch.tensor([[1.0, 0.0, 2.0]]), 3)
        tensor([[[0., 3., 0.],
                 [1., 0., 2.],
                 [0., 3., 0.]]])
    """
    count, taps = kernels.shape
    radius = taps // 2
    rows = torch.arange(size, device=kernels.device)
    columns = mirrored(rows[:, None] + torch.arange(-radius, radius + 1, device=kernels.device), size)
    flat = (rows[:, None] * size + columns).reshape(-1)
    values = kernels[:, None, :].expand(count, size, taps).reshape(count, -1)
    return kernels.new_zeros(count, size * size).index_add(1, flat, values).reshape(count, size, size)


def gaussian_kernels(variance: Float[Tensor, " image"], deviations: Sequence[float]) -> Float[Tensor, "image tap"]:
    """Sampled Gaussians that sum to one, each cut at its own ⌈3σ⌉; σ = 0 is the single tap.

    Args:
        variance: σ² in square pixels, with its gradient.
        deviations: the same σ on the CPU, to cut by.

    Returns:
        Kernels of the length that the widest needs.

    Example:
        >>> gaussian_kernels(torch.tensor([0.0, 0.25]), [0.0, 0.5]).shape
        torch.Size([2, 5])
    """
    radii = [math.ceil(3 * deviation) for deviation in deviations]
    places = torch.arange(-max(radii), max(radii) + 1, device=variance.device, dtype=variance.dtype)
    reach = torch.tensor(radii, dtype=variance.dtype).to(variance.device, non_blocking=True)[:, None]
    flat = torch.tensor([deviation == 0 for deviation in deviations]).to(variance.device, non_blocking=True)
    safe = torch.where(flat, torch.ones_like(variance), variance)[:, None]
    heights = torch.where(places.abs() <= reach, torch.exp(-places.square() / (2 * safe)), torch.zeros_like(safe))
    return heights / heights.sum(1, keepdim=True)


def blur(
    images: Float[Tensor, "image channel height width"], variance: Float[Tensor, " #image"], deviations: Sequence[float]
) -> Float[Tensor, "image channel height width"]:
    """Gaussian blur with a σ per image, mirrored at the border; differentiable in the images and in σ².

    Args:
        images: what to blur.
        variance: σ² in square pixels, with its gradient; one per image, or one for all.
        deviations: the same σ on the CPU.

    Returns:
        The blurred images.
    """
    _, _, height, width = images.shape
    kernels = gaussian_kernels(variance, deviations)
    return along_height(along_width(images, kernel_matrices(kernels, width)), kernel_matrices(kernels, height))
