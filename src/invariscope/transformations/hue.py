"""Turning colours round the colour circle."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.colour import is_grey
from invariscope.transformations.magnitude import Magnitude


def hue_turned(
    images: Float[Tensor, "image 3 height width"], degrees: Float[Tensor, "image 1 1 1"]
) -> Float[Tensor, "image 3 height width"]:
    """Turn the hue of every pixel; its value and chroma in HSV stay. Any range of values will do."""
    highest, lowest = images.amax(1, keepdim=True), images.amin(1, keepdim=True)
    chroma = highest - lowest
    safe = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
    sixths = torch.where(
        red == highest,
        (green - blue) / safe,
        torch.where(green == highest, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    start = torch.tensor([5.0, 3.0, 1.0], dtype=images.dtype, device=images.device)[:, None, None]
    place = (start + sixths + degrees / 60).remainder(6)
    return highest - chroma * torch.minimum(place, 4 - place).clamp(0, 1)


@TRANSFORMATIONS.add("hue")
@dataclass(frozen=True)
class Hue(Transformation):
    """Turn the hue of every pixel round the colour circle: red to green is 120.

    The hue of HSV plus v degrees; value and saturation stay. At 180 it is max + min − x for every pixel, and is
    computed so. Grey images (1 channel) come back unchanged.

    Example:
        >>> Hue()(torch.tensor([1.0, 0.0, 0.0])[None, :, None, None], 120.0).flatten()
        tensor([0., 1., 0.])

    Source: Jang et al., appendix A (hue rotation, at 180 degrees).
    """

    unit_of_measure = "degrees"
    identity = 0.0
    span = (-180.0, 180.0)
    grid = (0.0, 30.0, -30.0, 60.0, -60.0, 120.0, -120.0, 180.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Turn, or mirror between the extremes at a half turn."""
        if is_grey(self.name, images):
            return images.clone()
        opposite = [magnitude.exact and abs(value) == 180 for value in magnitude.values]
        mirrored = images.amax(1, keepdim=True) + images.amin(1, keepdim=True) - images
        if all(opposite):
            return mirrored
        turned = hue_turned(images, magnitude.column)
        if not any(opposite):
            return turned
        which = torch.tensor(opposite).to(images.device, non_blocking=True)[:, None, None, None]
        return torch.where(which, mirrored, turned)
