"""Contrast: a factor on all values, or about the image's mean."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.colour import luma
from invariscope.transformations.magnitude import Magnitude

_GRID = (0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)


@TRANSFORMATIONS.add("gain")
@dataclass(frozen=True)
class Gain(Transformation):
    """Multiply every pixel by a factor.

    T(x, v) = v·x, clipped to [0, 1].

    Example:
        >>> import torch
        >>> Gain()(torch.full((1, 1, 1, 1), 0.25), 2.0).item()
        0.5

    Source: Bunne et al., section III.C, transformation vi, there called contrast.
    """

    unit_of_measure = "times"
    identity = 1.0
    span = (0.0, 4.0)
    grid = _GRID

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Multiply and clip."""
        return (images * magnitude.column).clamp(0, 1)


def contrasted(
    images: Float[Tensor, "image channel height width"], factor: Float[Tensor, "image 1 1 1"]
) -> Float[Tensor, "image channel height width"]:
    """Scale each image's deviation from its mean luminance, and clip."""
    mean = luma(images).mean((2, 3), keepdim=True)
    return (mean + factor * (images - mean)).clamp(0, 1)


@TRANSFORMATIONS.add("contrast")
@dataclass(frozen=True)
class Contrast(Transformation):
    """Scale each image's deviation from its mean luminance.

    T(x, v) = m + v·(x − m), clipped to [0, 1]; m is the mean of 0.299 R + 0.587 G + 0.114 B over the image.

    Example:
        >>> import torch
        >>> Contrast()(torch.tensor([[[[0.25, 0.75]]]]), 0.0).flatten()
        tensor([0.5000, 0.5000])

    Source: the usual meaning of contrast in the field; ITU-R recommendation BT.601 for the luminance.
    """

    unit_of_measure = "times"
    identity = 1.0
    span = (0.0, 4.0)
    grid = _GRID

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Scale about the mean."""
        return contrasted(images, magnitude.column)
