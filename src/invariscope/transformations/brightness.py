"""Lighter and darker."""

from dataclasses import dataclass

from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude


@TRANSFORMATIONS.add("brightness")
@dataclass(frozen=True)
class Brightness(Transformation):
    """Add a fraction of the value range to every pixel.

    T(x, v) = x + v, clipped to [0, 1].

    Example:
        >>> import torch
        >>> Brightness()(torch.full((1, 1, 1, 1), 0.25), 0.5).item()
        0.75

    Source: Bunne et al., section III.C, transformation v.
    """

    unit_of_measure = "of the range"
    identity = 0.0
    span = (-1.0, 1.0)
    grid = (0.0, 0.1, -0.1, 0.2, -0.2, 0.4, -0.4, 0.6, -0.6)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Add and clip."""
        return (images + magnitude.column).clamp(0, 1)
