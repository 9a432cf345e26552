"""Random pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from invariscope.core.seeds import normal, uniform
from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude


@TRANSFORMATIONS.add("gaussian-noise")
@dataclass(frozen=True)
class GaussianNoise(Transformation):
    """Add independent Gaussian noise to every pixel and channel.

    T(x, σ) = x + σ·n, not clipped. An image's n is the same at every magnitude, so curves over σ are smooth.

    Example:
        >>> noisy = GaussianNoise()(torch.zeros(1, 1, 100, 100), 0.1, seeds=torch.tensor([0]))
        >>> round(noisy.std().item(), 2)
        0.1

    Source: Bunne et al., section III.C, transformation ix; Jang et al., appendix A (white noise).
    """

    unit_of_measure = "of the range"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
    random = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Add the image's own noise."""
        assert seeds is not None
        return torch.addcmul(images, normal(seeds, tuple(images.shape[1:])).to(images.dtype), magnitude.column)


@TRANSFORMATIONS.add("salt-and-pepper")
@dataclass(frozen=True)
class SaltAndPepper(Transformation):
    """Set a random share of the pixels, all channels together, to black or white.

    Each pixel is hit with probability v, independently, and then black or white with equal chance. An image's pixels
    that are hit at one magnitude are hit at every larger one, and to the same value.

    Example:
        >>> hit = SaltAndPepper()(torch.full((1, 1, 100, 100), 0.5), 0.5, seeds=torch.tensor([0])) != 0.5
        >>> round(hit.float().mean().item(), 1)
        0.5

    Source: Jang et al., appendix A (salt-and-pepper noise, at 0.5).
    """

    unit_of_measure = "of the pixels"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5)
    random = True
    smooth = False

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Replace what is hit."""
        assert seeds is not None
        plane = (1, *images.shape[2:])
        white = (uniform(seeds, plane, 1) < 0.5).to(images.dtype)
        return torch.where(uniform(seeds, plane) < magnitude.column, white, images)

    def kept(self, height: int, width: int, magnitude: float) -> float:
        """The pixels that are not hit, on average."""
        return 1 - magnitude
