"""Slanting images."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from invariscope.transformations.affine import AffineTransformation, Entry
from invariscope.transformations.base import TRANSFORMATIONS


@TRANSFORMATIONS.add("shear")
@dataclass(frozen=True)
class Shear(AffineTransformation):
    """Slant each image to the right: upright lines lean by an angle, rows keep their height.

    The result at (x, y), from the centre and y downwards, is the image at (x + tan(v)·y, y): the top moves right.

    Args:
        fill: what comes in at the corners: a value, one per channel, "mean", "zero", "border" or "reflect".

    Example:
        >>> Shear(fill="zero")(torch.tensor([[[[0.0, 1.0, 0.0]] * 3]]), 45.0).round().argmax(-1).flatten()
        tensor([2, 1, 0])

    Source: completes the affine family of Bunne et al.
    """

    unit_of_measure = "degrees"
    identity = 0.0
    span = (-60.0, 60.0)
    grid = (0.0, 10.0, -10.0, 20.0, -20.0, 40.0, -40.0)

    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """Further right in lower rows."""
        return 1.0, torch.deg2rad(magnitude).tan(), 0.0, 0.0, 1.0, 0.0

    def near_identity(self, height: int, width: int) -> float:
        """The angle that moves the top by half a pixel."""
        return math.degrees(math.atan(1 / height))
