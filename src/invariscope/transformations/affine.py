"""Affine maps of the image plane: what rotation, translation, scale and shear share."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.transformations.base import Fill, Transformation
from invariscope.transformations.magnitude import Given, Magnitude
from invariscope.transformations.sampling import inside, sample

Entry = Float[Tensor, " image"] | float


@dataclass(frozen=True)
class AffineTransformation(Transformation):
    """A transformation that reads each pixel of the result at an affine image of its place; bilinear.

    Places are in pixels from the image's centre, x to the right, y downwards.

    Args:
        fill: what comes in from outside: a value, one per channel, "mean", "zero", "border" or "reflect".
    """

    fill: Fill = 0.5

    resamples: ClassVar[bool] = True

    @abstractmethod
    def source(self, magnitude: Tensor, height: int, width: int) -> tuple[Entry, Entry, Entry, Entry, Entry, Entry]:
        """Where pixel (x, y) of the result is read: (a, b, c, d, e, f) for (a x + b y + c, d x + e y + f)."""

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Read every pixel at its source."""
        _, _, height, width = images.shape
        return sample(images, self._places(magnitude.tensor, height, width), self.fill)

    def valid_region(
        self, images: Tensor, magnitude: Given, *, seeds: Tensor | None = None
    ) -> Bool[Tensor, "image 1 height width"]:
        """Where the transformed image is made of the image alone: False where fill took part."""
        _, _, height, width = images.shape
        return inside(self._places(self.checked(images, magnitude).tensor.detach(), height, width))

    def kept(self, height: int, width: int, magnitude: float) -> float:
        """The share of the image's area that still lies within the frame."""
        a, b, c, d, e, f = (float(entry) for entry in self.source(torch.tensor([magnitude]).double(), height, width))
        return share_within(
            [(a * x + b * y + c, d * x + e * y + f) for x, y in frame_corners(height, width)], height, width
        )

    def _places(self, magnitude: Tensor, height: int, width: int) -> Float[Tensor, "image height width 2"]:
        return places_of(self.source(magnitude, height, width), magnitude, height, width)


def places_of(
    source: tuple[Entry, Entry, Entry, Entry, Entry, Entry], magnitude: Tensor, height: int, width: int
) -> Float[Tensor, "image height width 2"]:
    """Where every pixel is read, for `sample`.

    Args:
        source: the affine map, in pixels from the centre, as `AffineTransformation.source` gives it.
        magnitude: shape (image,); only its length, dtype and device count.
        height: of the images, in pixels.
        width: of the images, in pixels.

    Returns:
        (x, y) per pixel; −1 and 1 are the outer edges.
    """
    a, b, c, d, e, f = (
        entry.expand_as(magnitude) if isinstance(entry, Tensor) else torch.full_like(magnitude, entry)
        for entry in source
    )
    rows = (
        torch.stack([a, b * (height / width), c * (2 / width)], -1),
        torch.stack([d * (width / height), e, f * (2 / height)], -1),
    )
    return F.affine_grid(torch.stack(rows, 1), [len(magnitude), 1, height, width], align_corners=False)


def frame_corners(height: int, width: int) -> list[tuple[float, float]]:
    """The corners of an image in order, from its centre, in pixels."""
    x, y = width / 2, height / 2
    return [(-x, -y), (x, -y), (x, y), (-x, y)]


def share_within(polygon: list[tuple[float, float]], height: int, width: int) -> float:
    """The share of an image's area that a convex polygon covers.

    Example:
        >>> share_within([(0.0, -9.0), (9.0, -9.0), (9.0, 9.0), (0.0, 9.0)], 4, 6)
        0.5
    """
    for axis, edge in ((0, width / 2), (1, height / 2)):
        for side in (-1, 1):
            polygon = _clip(polygon, axis, side, edge)
    return min(1.0, _area(polygon) / (height * width))


def _clip(polygon: list[tuple[float, float]], axis: int, side: int, edge: float) -> list[tuple[float, float]]:
    """The part of a polygon on the inner side of one edge (Sutherland and Hodgman's algorithm)."""
    kept = []
    for start, end in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        before, after = edge - side * start[axis], edge - side * end[axis]
        if before >= 0:
            kept.append(start)
        if before * after < 0:
            share = before / (before - after)
            kept.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
    return kept


def _area(polygon: list[tuple[float, float]]) -> float:
    """The area within a polygon (Gauss's formula)."""
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairs)) / 2
