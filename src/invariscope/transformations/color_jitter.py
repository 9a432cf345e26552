"""Random changes of colour."""

from dataclasses import dataclass

from torch import Tensor

from invariscope.core.seeds import uniform
from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.colour import is_grey
from invariscope.transformations.contrast import contrasted
from invariscope.transformations.hue import hue_turned
from invariscope.transformations.magnitude import Magnitude
from invariscope.transformations.saturation import saturated


@TRANSFORMATIONS.add("color-jitter")
@dataclass(frozen=True)
class ColorJitter(Transformation):
    """Change brightness, contrast, saturation and hue of each image by seeded random amounts.

    In this order, each clipped to [0, 1]: gain 1 + 0.6·v·a, contrast 1 + 0.6·v·b, saturation 1 + 0.8·v·c, hue 180·v·d
    degrees; a, b, c and d are uniform on [−1, 1], drawn per image and the same at every magnitude. Grey images
    (1 channel) have only the first two.

    Example:
        >>> import torch
        >>> ColorJitter()(torch.rand(2, 3, 8, 8), 1.0, seeds=torch.tensor([0, 1])).shape
        torch.Size([2, 3, 8, 8])

    Source: Transforms-2D, appendix A; the ranges are our own.
    """

    unit_of_measure = "strength"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.25, 0.5, 1.0)
    random = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """One change after the other."""
        assert seeds is not None
        drawn = (uniform(seeds, (4, 1, 1, 1)).to(images.dtype) * 2 - 1) * magnitude.column[:, None]
        images = (images * (1 + 0.6 * drawn[:, 0])).clamp(0, 1)
        images = contrasted(images, 1 + 0.6 * drawn[:, 1])
        if is_grey(self.name, images):
            return images
        return hue_turned(saturated(images, 1 + 0.8 * drawn[:, 2]), 180 * drawn[:, 3])
