"""Blur."""

from dataclasses import dataclass

import torch
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude
from invariscope.transformations.separable import along_height, along_width, blur, kernel_matrices


@TRANSFORMATIONS.add("gaussian-blur")
@dataclass(frozen=True)
class GaussianBlur(Transformation):
    """Blur each image with a Gaussian.

    T(x, σ) = x * G(σ): a sampled Gaussian, cut at ⌈3σ⌉ and divided by its sum; the border is mirrored without
    repeating the edge. `derivative` is taken in σ² rather than σ, where it vanishes at the identity; at σ = 0 it is
    that of the heat equation, half the discrete Laplacian.

    Example:
        >>> spot = torch.zeros(1, 1, 5, 5)
        >>> spot[..., 2, 2] = 1
        >>> GaussianBlur()(spot, 0.5)[0, 0, 2].round(decimals=3)
        tensor([0.0000, 0.0840, 0.6190, 0.0840, 0.0000])

    Source: Bunne et al., section III.C, transformation viii; Jang et al., appendix A.
    """

    unit_of_measure = "pixels"
    identity = 0.0
    span = (0.0, float("inf"))
    grid = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
    power = 2

    def limits(self, height: int, width: int) -> tuple[float, float]:
        """Up to a quarter of the shorter side."""
        return 0.0, min(height, width) / 4

    def default_grid(self, height: int, width: int) -> tuple[float, ...]:
        """The grid is for a width of 32 pixels; it grows with the width."""
        _, most = self.limits(height, width)
        return tuple(value * width / 32 for value in self.grid if value * width / 32 <= most)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Blur with one kernel per image, or one for all where they are alike."""
        alike = magnitude.exact and len(set(magnitude.values)) == 1
        count = 1 if alike else len(images)
        return blur(images, magnitude.tensor[:count].square(), magnitude.values[:count])

    def tangent(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """∂T/∂(σ²); the limit of small σ where σ is zero."""
        tangent = super().tangent(images, magnitude, seeds)
        still = torch.tensor([value == 0 for value in magnitude.values], device=images.device)[:, None, None, None]
        half = images.new_tensor([[0.5, -1.0, 0.5]])
        heat = along_width(images, kernel_matrices(half, images.shape[3]))
        heat = heat + along_height(images, kernel_matrices(half, images.shape[2]))
        slope = torch.where(still, torch.ones_like(magnitude.column), 2 * magnitude.column)
        return torch.where(still, heat, tangent / slope)
