"""Images seen at a slant."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from invariscope.core.seeds import uniform
from invariscope.transformations.affine import frame_corners, share_within
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation
from invariscope.transformations.magnitude import Given, Magnitude
from invariscope.transformations.sampling import inside, sample


@TRANSFORMATIONS.add("perspective")
@dataclass(frozen=True)
class Perspective(Transformation):
    """Tilt each image about its centre, towards the viewer in a seeded direction.

    Place p (from the centre, in pixels) moves to p / (1 − w·p). The direction of w is drawn per image; its length is
    such that the corner that comes nearest moves outwards by exactly v widths, so v is the largest displacement of
    any corner.

    Args:
        fill: what comes in on the far side: a value, one per channel, "mean", "zero", "border" or "reflect".

    Example:
        >>> Perspective()(torch.rand(2, 3, 8, 8), 0.2, seeds=torch.tensor([0, 1])).shape
        torch.Size([2, 3, 8, 8])

    Source: the eight-parameter maps of the plane, of which this is the part that is not affine.
    """

    fill: Fill = 0.5

    unit_of_measure = "of the width"
    identity = 0.0
    span = (0.0, 0.5)
    grid = (0.0, 0.1, 0.2, 0.4)
    random = True
    resamples = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Read place q of the result at q / (1 + w·q)."""
        assert seeds is not None
        return sample(images, _places(images, magnitude.tensor, seeds), self.fill)

    def valid_region(
        self, images: Tensor, magnitude: Given, *, seeds: Tensor | None = None
    ) -> Bool[Tensor, "image 1 height width"]:
        """Where no fill took part; needs the seeds of the call."""
        given, seeds = self.checked(images, magnitude), self.checked_seeds(images, seeds)
        assert seeds is not None
        return inside(_places(images, given.tensor.detach(), seeds))

    def kept(self, height: int, width: int, magnitude: float) -> float:
        """The share of the image's area that still lies within the frame, on average over directions."""
        moved, shares = magnitude * width, []
        for angle in (math.pi * (turn + 0.5) / 32 for turn in range(64)):
            pull = moved / (moved + math.hypot(width, height) / 2)
            corner = abs(math.cos(angle)) * width / 2 + abs(math.sin(angle)) * height / 2
            across, down = pull * math.cos(angle) / corner, pull * math.sin(angle) / corner
            read = [
                (x / (1 + across * x + down * y), y / (1 + across * x + down * y))
                for x, y in frame_corners(height, width)
            ]
            shares.append(share_within(read, height, width))
        return sum(shares) / len(shares)

    def near_identity(self, height: int, width: int) -> float:
        """Half a pixel."""
        return min(0.5 / width, self.span[1])


def _places(
    images: Float[Tensor, "image channel height width"], share: Float[Tensor, " image"], seeds: Int[Tensor, " image"]
) -> Float[Tensor, "image height width 2"]:
    """Where every pixel of the result is read."""
    _, _, height, width = images.shape
    angle = 2 * math.pi * uniform(seeds, ()).to(images.dtype)
    cosine, sine = angle.cos(), angle.sin()
    corner = cosine.abs() * width / 2 + sine.abs() * height / 2
    moved = share * width
    pull = moved / (moved + math.hypot(width, height) / 2) / corner
    x, y = _centred(width, images), _centred(height, images)
    depth = 1 + (pull * cosine)[:, None, None] * x + (pull * sine)[:, None, None] * y[:, None]
    return torch.stack([x * (2 / width) / depth, y[:, None] * (2 / height) / depth], -1)


def _centred(size: int, images: Tensor) -> Float[Tensor, " size"]:
    return torch.arange(size, device=images.device, dtype=images.dtype) - (size - 1) / 2
