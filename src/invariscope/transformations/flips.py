"""Mirror images."""

from dataclasses import dataclass

from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude


@TRANSFORMATIONS.add("horizontal-flip")
@dataclass(frozen=True)
class HorizontalFlip(Transformation):
    """Mirror each image left to right.

    Example:
        >>> import torch
        >>> HorizontalFlip()(torch.tensor([[[[1.0, 2.0]]]]), 1).flatten()
        tensor([2., 1.])

    Source: Transforms-2D, appendix A.
    """

    unit_of_measure = "0 or 1"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 1.0)
    smooth = False
    whole = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Reverse the columns."""
        return images.flip(-1)


@TRANSFORMATIONS.add("vertical-flip")
@dataclass(frozen=True)
class VerticalFlip(Transformation):
    """Mirror each image top to bottom.

    Example:
        >>> import torch
        >>> VerticalFlip()(torch.tensor([[[[1.0], [2.0]]]]), 1).flatten()
        tensor([2., 1.])

    Source: Transforms-2D, appendix A.
    """

    unit_of_measure = "0 or 1"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 1.0)
    smooth = False
    whole = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Reverse the rows."""
        return images.flip(-2)
