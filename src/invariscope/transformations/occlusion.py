"""Images partly covered."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from invariscope.core.seeds import uniform
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation
from invariscope.transformations.magnitude import Given, Magnitude
from invariscope.transformations.sampling import fill_values


@TRANSFORMATIONS.add("occlusion")
@dataclass(frozen=True)
class Occlusion(Transformation):
    """Cover each image with a square at a seeded place.

    The square's side is v widths, and it lies within the image (where it is higher than the image, over its whole
    height). Pixels that it covers in part are blended by the share covered, so the result changes smoothly with v.

    Args:
        fill: the square's colour: a value, one per channel, "mean" (of the image) or "zero"; "border" and "reflect"
            count as "mean".

    Example:
        >>> Occlusion(fill="zero")(torch.ones(1, 1, 4, 4), 0.5, seeds=torch.tensor([3])).sum().item()
        12.0

    Source: occlusion as a probe of networks; Zeiler & Fergus, 2014.
    """

    fill: Fill = 0.5

    unit_of_measure = "of the width"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.1, 0.25, 0.5)
    random = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Blend with the fill by the share of each pixel that is covered."""
        assert seeds is not None
        covered = _square(images, magnitude.tensor, seeds).expand_as(images)
        return images.lerp(fill_values(images, self.fill).expand_as(images), covered)

    def valid_region(
        self, images: Tensor, magnitude: Given, *, seeds: Tensor | None = None
    ) -> Bool[Tensor, "image 1 height width"]:
        """What is not covered, not even in part; needs the seeds of the call."""
        given, seeds = self.checked(images, magnitude), self.checked_seeds(images, seeds)
        assert seeds is not None
        return _square(images, given.tensor.detach().to(images.dtype), seeds) == 0

    def kept(self, height: int, width: int, magnitude: float) -> float:
        """What is not covered."""
        return 1 - magnitude * min(magnitude * width, height) / height


def _square(
    images: Float[Tensor, "image channel height width"], share: Float[Tensor, " image"], seeds: Int[Tensor, " image"]
) -> Float[Tensor, "image 1 height width"]:
    """The share of each pixel that the square covers."""
    _, _, height, width = images.shape
    place, side = uniform(seeds, (2,)).to(images.dtype), share * width
    return (_covered(side, place[:, 0], width)[:, None, :] * _covered(side, place[:, 1], height)[:, :, None])[:, None]


def _covered(side: Float[Tensor, " image"], place: Float[Tensor, " image"], size: int) -> Float[Tensor, "image size"]:
    """The share of each pixel of an axis that an interval within the axis covers."""
    side = side.clamp(max=size)
    start = (place * (size - side))[:, None]
    edges = torch.arange(size + 1, device=side.device, dtype=side.dtype)
    return (torch.minimum(start + side[:, None], edges[1:]) - torch.maximum(start, edges[:-1])).clamp(min=0)
