"""Larger and smaller: along the width, along the height, or both."""

import math
from dataclasses import dataclass

from torch import Tensor

from invariscope.transformations.affine import AffineTransformation, Entry
from invariscope.transformations.base import TRANSFORMATIONS

_SPAN = (0.25, 4.0)
_GRID = (0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)


@TRANSFORMATIONS.add("scale-x")
@dataclass(frozen=True)
class ScaleX(AffineTransformation):
    """Stretch each image along its width: 2 is twice as wide.

    The result at (x, y), from the centre, is the image at (x / v, y).

    Args:
        fill: what comes in at the sides of a narrowed image: a value, one per channel, "mean", "zero", "border" or
            "reflect".

    Example:
        >>> import torch
        >>> ScaleX(fill="border")(torch.tensor([[[[0.0, 1.0]]]]), 2.0).flatten()
        tensor([0.2500, 0.7500])

    Source: Bunne et al., section III.C, transformation iii, whose v is 1 / magnification.
    """

    unit_of_measure = "times as wide"
    identity = 1.0
    span = _SPAN
    grid = _GRID

    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """Nearer to the centre line, if larger."""
        return 1 / magnitude, 0.0, 0.0, 0.0, 1.0, 0.0

    def near_identity(self, height: int, width: int) -> float:
        """The stretch that moves the sides by half a pixel."""
        return 1 + 1 / width


@TRANSFORMATIONS.add("scale-y")
@dataclass(frozen=True)
class ScaleY(AffineTransformation):
    """Stretch each image along its height: 2 is twice as high.

    The result at (x, y), from the centre, is the image at (x, y / v).

    Args:
        fill: what comes in above and below a flattened image: a value, one per channel, "mean", "zero", "border" or
            "reflect".

    Example:
        >>> import torch
        >>> ScaleY(fill="border")(torch.tensor([[[[0.0], [1.0]]]]), 2.0).flatten()
        tensor([0.2500, 0.7500])

    Source: Bunne et al., section III.C, transformation iii, whose v is 1 / magnification.
    """

    unit_of_measure = "times as high"
    identity = 1.0
    span = _SPAN
    grid = _GRID

    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """Nearer to the centre line, if larger."""
        return 1.0, 0.0, 0.0, 0.0, 1 / magnitude, 0.0

    def near_identity(self, height: int, width: int) -> float:
        """The stretch that moves the top by half a pixel."""
        return 1 + 1 / height


@TRANSFORMATIONS.add("zoom")
@dataclass(frozen=True)
class Zoom(AffineTransformation):
    """Enlarge each image about its centre: 2 is twice as large.

    The result at place p, from the centre, is the image at p / v.

    Args:
        fill: what comes in around a shrunken image: a value, one per channel, "mean", "zero", "border" or "reflect".

    Example:
        >>> Zoom().kept(32, 32, 2.0)
        0.25

    Source: Bunne et al., section III.C, transformation iv, whose v is 1 / magnification.
    """

    unit_of_measure = "times as large"
    identity = 1.0
    span = _SPAN
    grid = _GRID

    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """Nearer to the centre, if larger."""
        return 1 / magnitude, 0.0, 0.0, 0.0, 1 / magnitude, 0.0

    def near_identity(self, height: int, width: int) -> float:
        """The magnification that moves the corners by half a pixel."""
        return 1 + 1 / math.hypot(height, width)
