"""More colour, less colour, none."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.colour import is_grey, luma
from invariscope.transformations.magnitude import Magnitude


def saturated(
    images: Float[Tensor, "image channel height width"], factor: Float[Tensor, "image 1 1 1"]
) -> Float[Tensor, "image channel height width"]:
    """Scale each pixel's deviation from its luminance, and clip."""
    grey = luma(images)
    return (grey + factor * (images - grey)).clamp(0, 1)


@TRANSFORMATIONS.add("saturation")
@dataclass(frozen=True)
class Saturation(Transformation):
    """Scale how far each pixel's colour lies from grey.

    T(x, v) = l + v·(x − l), clipped to [0, 1], with l = 0.299 R + 0.587 G + 0.114 B. Grey images (1 channel) come back
    unchanged.

    Example:
        >>> import torch
        >>> Saturation()(torch.tensor([1.0, 0.0, 0.0])[None, :, None, None], 0.0).flatten()
        tensor([0.2990, 0.2990, 0.2990])

    Source: ITU-R recommendation BT.601 for the luminance.
    """

    unit_of_measure = "times"
    identity = 1.0
    span = (0.0, 4.0)
    grid = (0.0, 0.5, 1.0, 1.5, 2.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Scale about the luminance of each pixel."""
        return images.clone() if is_grey(self.name, images) else saturated(images, magnitude.column)


@TRANSFORMATIONS.add("grayscale")
@dataclass(frozen=True)
class Grayscale(Transformation):
    """Blend each image with its luminance: 1 is grey.

    T(x, v) = (1 − v)·x + v·(0.299 R + 0.587 G + 0.114 B). Grey images (1 channel) come back unchanged.

    Example:
        >>> import torch
        >>> Grayscale()(torch.tensor([0.0, 1.0, 0.0])[None, :, None, None], 1.0).flatten()
        tensor([0.5870, 0.5870, 0.5870])

    Source: Bunne et al., section III.C, transformation vii, corrected so that v = 0 is the identity; Jang et al. at 1.
    """

    unit_of_measure = "blend"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.25, 0.5, 0.75, 1.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Blend with the luminance."""
        if is_grey(self.name, images):
            return images.clone()
        return images.lerp(luma(images).expand_as(images), magnitude.column)
