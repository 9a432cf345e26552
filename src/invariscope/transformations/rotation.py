"""Turning images about their centre."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from invariscope.transformations.affine import AffineTransformation, Entry
from invariscope.transformations.base import TRANSFORMATIONS
from invariscope.transformations.magnitude import Magnitude


@TRANSFORMATIONS.add("rotation")
@dataclass(frozen=True)
class Rotation(AffineTransformation):
    """Turn each image anticlockwise about its centre.

    The result at place p (from the centre, in pixels) is the image at R(v) p. Half turns, and quarter turns of square
    images, move pixels exactly, without interpolation, unless the magnitude carries a gradient.

    Args:
        fill: what comes in at the corners: a value, one per channel, "mean", "zero", "border" or "reflect".

    Example:
        >>> image = torch.rand(1, 3, 8, 8)
        >>> torch.equal(Rotation()(image, 90.0), image.rot90(1, (2, 3)))
        True

    Source: Bunne et al., section III.C, transformation ii; Jang et al., appendix A (90 and 180 degrees).
    """

    unit_of_measure = "degrees"
    identity = 0.0
    span = (-180.0, 180.0)
    grid = (0.0, 5.0, -5.0, 10.0, -10.0, 15.0, -15.0, 30.0, -30.0, 60.0, -60.0, 90.0, -90.0, 180.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Move pixels where the angle allows it, else read between them."""
        square = images.shape[2] == images.shape[3]
        turns = [_quarter_turns(value, square) if magnitude.exact else None for value in magnitude.values]
        if all(turn is None for turn in turns):
            return super().transform(images, magnitude, seeds)
        out = torch.empty_like(images)
        for turn in set(turns):
            places = [place for place, other in enumerate(turns) if other == turn]
            index = torch.tensor(places, device=images.device)
            some = images[index]
            if turn is None:
                out[index] = super().transform(some, magnitude.subset(places, index), seeds)
            else:
                out = out.index_copy(0, index, some.rot90(turn, (2, 3)))
        return out

    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """The inverse turn; y points downwards, so anticlockwise for the eye has the signs of clockwise."""
        angle = torch.deg2rad(magnitude)
        cosine, sine = angle.cos(), angle.sin()
        return cosine, -sine, 0.0, sine, cosine, 0.0

    def near_identity(self, height: int, width: int) -> float:
        """The angle that moves the corners by half a pixel."""
        return math.degrees(2 * math.asin(0.25 / (math.hypot(height, width) / 2)))


def _quarter_turns(angle: float, square: bool) -> int | None:
    """How often to turn by 90 degrees without interpolation; None where that cannot be."""
    turns = angle / 90
    if turns != round(turns) or (round(turns) % 2 and not square):
        return None
    return round(turns) % 4
