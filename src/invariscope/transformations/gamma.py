"""Gamma: a power of every value."""

from dataclasses import dataclass

import torch
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude


@TRANSFORMATIONS.add("gamma")
@dataclass(frozen=True)
class Gamma(Transformation):
    """Raise every pixel to a power: above 1 is darker, below 1 lighter.

    T(x, v) = x^v, and −|x|^v for negative x. At x = 0 the gradient is taken as zero.

    Example:
        >>> Gamma()(torch.full((1, 1, 1, 1), 0.5), 2.0).item()
        0.25

    Source: gamma correction, as in image processing at large.
    """

    unit_of_measure = "exponent"
    identity = 1.0
    span = (0.1, 5.0)
    grid = (0.3, 0.5, 0.8, 1.0, 1.25, 2.0, 3.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Power of the size, with the sign kept."""
        size = images.abs()
        black = size == 0
        power = torch.where(black, torch.ones_like(size), size).pow(magnitude.column)
        return torch.where(black, torch.zeros_like(size), images.sign() * power)
