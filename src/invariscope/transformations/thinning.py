"""Images squeezed to a narrow strip."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation
from invariscope.transformations.magnitude import Given, Magnitude
from invariscope.transformations.sampling import fill_values
from invariscope.transformations.separable import along_width


@TRANSFORMATIONS.add("thinning")
@dataclass(frozen=True)
class Thinning(Transformation):
    """Squeeze each image to a share of its width, with black on both sides.

    Every pixel of the result is the mean of the image over the 1/v pixels that it covers (no aliasing); what it covers
    outside the image is black. At 1/2, and a width divisible by four, columns are averaged in pairs. Unlike other
    transformations it does not take the fill of the network: black sides are part of its definition.

    Args:
        side: what lies on both sides: a value, one per channel, "mean" or "zero".

    Example:
        >>> Thinning()(torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]]), 0.5).flatten()
        tensor([0., 2., 6., 0.])

    Source: Jang et al., appendix A (thinning, at 1/2).
    """

    side: Fill = "zero"

    unit_of_measure = "of the width"
    identity = 1.0
    span = (0.25, 1.0)
    grid = (1.0, 0.9, 0.75, 0.5, 0.25)
    resamples = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Average what each pixel of the result covers."""
        outside = fill_values(images, self.side)
        return along_width(images - outside, _shares(magnitude.tensor, images.shape[3])) + outside

    def valid_region(
        self, images: Tensor, magnitude: Given, *, seeds: Tensor | None = None
    ) -> Bool[Tensor, "image 1 height width"]:
        """The strip, without columns that are partly side."""
        covered = _shares(self.checked(images, magnitude).tensor.detach(), images.shape[3]).sum(2)
        return (covered > 1 - 1e-5)[:, None, None, :].expand(-1, -1, images.shape[2], -1)

    def near_identity(self, height: int, width: int) -> float:
        """The share at which the sides move by half a pixel."""
        return max(1 - 1 / width, self.span[0])


def _shares(remaining: Float[Tensor, " image"], width: int) -> Float[Tensor, "image width width"]:
    """How much of each column of the result every column of the image makes up."""
    edges = torch.arange(width + 1, device=remaining.device, dtype=remaining.dtype)
    covered = (edges - width / 2) / remaining[:, None] + width / 2
    right = torch.minimum(covered[:, 1:, None], edges[1:])
    left = torch.maximum(covered[:, :-1, None], edges[:-1])
    return (right - left).clamp(min=0) * remaining[:, None, None]
