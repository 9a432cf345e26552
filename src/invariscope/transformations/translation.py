"""Moving images sideways and up or down."""

from dataclasses import dataclass

from torch import Tensor

from invariscope.transformations.affine import AffineTransformation, Entry
from invariscope.transformations.base import TRANSFORMATIONS

_GRID = (0.0, 0.0625, -0.0625, 0.125, -0.125, 0.25, -0.25, 0.5, -0.5)


@TRANSFORMATIONS.add("translation-x")
@dataclass(frozen=True)
class TranslationX(AffineTransformation):
    """Move each image to the right by a fraction of its width.

    The result at (x, y) is the image at (x − v·width, y).

    Args:
        fill: what comes in at the side: a value, one per channel, "mean", "zero", "border" or "reflect".

    Example:
        >>> import torch
        >>> TranslationX(fill="zero")(torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), 0.25).flatten()
        tensor([0., 1., 2., 3.])

    Source: Bunne et al., section III.C, transformation i.
    """

    unit_of_measure = "of the width"
    identity = 0.0
    span = (-1.0, 1.0)
    grid = _GRID

    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """Further left by the distance moved."""
        return 1.0, 0.0, -magnitude * width, 0.0, 1.0, 0.0

    def near_identity(self, height: int, width: int) -> float:
        """Half a pixel."""
        return 0.5 / width


@TRANSFORMATIONS.add("translation-y")
@dataclass(frozen=True)
class TranslationY(AffineTransformation):
    """Move each image down by a fraction of its height.

    The result at (x, y) is the image at (x, y − v·height), y downwards.

    Args:
        fill: what comes in above or below: a value, one per channel, "mean", "zero", "border" or "reflect".

    Example:
        >>> import torch
        >>> TranslationY(fill="zero")(torch.tensor([[[[1.0], [2.0]]]]), 0.5).flatten()
        tensor([0., 1.])

    Source: Bunne et al., section III.C, transformation i.
    """

    unit_of_measure = "of the height"
    identity = 0.0
    span = (-1.0, 1.0)
    grid = _GRID

    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """Further up by the distance moved."""
        return 1.0, 0.0, 0.0, 0.0, 1.0, -magnitude * height

    def near_identity(self, height: int, width: int) -> float:
        """Half a pixel."""
        return 0.5 / height
