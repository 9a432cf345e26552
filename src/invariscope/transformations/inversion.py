"""Photographic negatives."""

from dataclasses import dataclass

from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude


@TRANSFORMATIONS.add("inversion")
@dataclass(frozen=True)
class Inversion(Transformation):
    """Blend each image with its negative: 0.5 is mid-grey, 1 the negative.

    T(x, v) = (1 − v)·x + v·(1 − x).

    Example:
        >>> import torch
        >>> Inversion()(torch.full((1, 1, 1, 1), 0.25), 1.0).item()
        0.75

    Source: Jang et al., section 3 (contrast inversion, at 1).
    """

    unit_of_measure = "blend"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.25, 0.5, 0.75, 1.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Blend with one minus the image."""
        return images.lerp(1 - images, magnitude.column)
