"""Coarse pixels."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude
from invariscope.transformations.separable import along_height, along_width


@TRANSFORMATIONS.add("pixelate")
@dataclass(frozen=True)
class Pixelate(Transformation):
    """Replace square blocks of pixels by their mean.

    Blocks are v pixels wide and high, counted from the top left; those at the far edges may be smaller.

    Example:
        >>> Pixelate()(torch.tensor([[[[1.0, 3.0, 5.0, 7.0]] * 4]]), 2)[0, 0, 0]
        tensor([2., 2., 6., 6.])

    Source: resolution as a common corruption; Hendrycks & Dietterich, 2019.
    """

    unit_of_measure = "pixels"
    identity = 1.0
    span = (1.0, float("inf"))
    grid = (1.0, 2.0, 4.0, 8.0)
    smooth = False
    whole = True

    def limits(self, height: int, width: int) -> tuple[float, float]:
        """Up to half the shorter side."""
        return 1.0, max(1.0, float(min(height, width) // 2))

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Average rows, then columns, of every block."""
        count = 1 if len(set(magnitude.values)) == 1 else len(images)
        sides = magnitude.tensor[:count].to(images.dtype)
        rows = along_width(images, _means(sides, images.shape[3]))
        return along_height(rows, _means(sides, images.shape[2]))


def _means(sides: Float[Tensor, " image"], size: int) -> Float[Tensor, "image size size"]:
    """The matrix that replaces every value of an axis by its block's mean."""
    block = torch.arange(size, device=sides.device).div(sides[:, None], rounding_mode="floor")
    same = (block[:, :, None] == block[:, None, :]).to(sides.dtype)
    return same / same.sum(-1, keepdim=True)
