"""Images on rubber."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from invariscope.core.seeds import normal
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation
from invariscope.transformations.magnitude import Given, Magnitude
from invariscope.transformations.sampling import inside, sample
from invariscope.transformations.separable import blur


@TRANSFORMATIONS.add("elastic")
@dataclass(frozen=True)
class Elastic(Transformation):
    """Deform each image smoothly by a seeded random field of displacements.

    The result at p is the image at p + v·width·u(p). The field u is Gaussian noise, smoothed with a σ of 1/8 of the
    width and scaled so that its longest vector has length one: v is the largest displacement.

    Args:
        fill: what comes in at the border: a value, one per channel, "mean", "zero", "border" or "reflect".

    Example:
        >>> Elastic()(torch.rand(2, 3, 8, 8), 0.05, seeds=torch.tensor([0, 1])).shape
        torch.Size([2, 3, 8, 8])

    Source: Cadena et al., section 4.5 (local deformation).
    """

    fill: Fill = 0.5

    unit_of_measure = "of the width"
    identity = 0.0
    span = (0.0, 0.2)
    grid = (0.0, 0.02, 0.05, 0.1)
    random = True
    resamples = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Read each pixel where the field points."""
        assert seeds is not None
        return sample(images, _places(images, magnitude.tensor, seeds), self.fill)

    def valid_region(
        self, images: Tensor, magnitude: Given, *, seeds: Tensor | None = None
    ) -> Bool[Tensor, "image 1 height width"]:
        """Where no fill took part; needs the seeds of the call."""
        given, seeds = self.checked(images, magnitude), self.checked_seeds(images, seeds)
        assert seeds is not None
        return inside(_places(images, given.tensor.detach(), seeds))

    def near_identity(self, height: int, width: int) -> float:
        """Half a pixel."""
        return min(0.5 / width, self.span[1])


def _places(
    images: Float[Tensor, "image channel height width"], share: Float[Tensor, " image"], seeds: Int[Tensor, " image"]
) -> Float[Tensor, "image height width 2"]:
    """Where every pixel of the result is read."""
    _, _, height, width = images.shape
    deviation = width / 8
    noise = normal(seeds, (2, height, width)).to(images.dtype)
    field = blur(noise, images.new_tensor([deviation**2]), [deviation])
    longest = field.square().sum(1).sqrt().amax((1, 2))[:, None, None, None]
    moved = field / longest.clamp(min=torch.finfo(field.dtype).tiny) * share[:, None, None, None] * width
    x = torch.arange(width, device=images.device, dtype=images.dtype) + 0.5
    y = torch.arange(height, device=images.device, dtype=images.dtype)[:, None] + 0.5
    return torch.stack([(x + moved[:, 0]) * (2 / width) - 1, (y + moved[:, 1]) * (2 / height) - 1], -1)
