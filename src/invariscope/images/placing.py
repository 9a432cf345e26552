"""Small differences of place, size and tilt, for pictures that are pasted on others."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

_OVERSAMPLING = 3


@dataclass(frozen=True)
class Jitter:
    """How far pictures may stray, evenly, in both directions.

    Args:
        shift: share of the side, across and down.
        zoom: smallest and largest magnification.
        tilt: degrees.
    """

    shift: float
    zoom: tuple[float, float]
    tilt: float


def place(
    pictures: Float[Tensor, "image channel side side"], jitter: Jitter, draw: np.random.Generator, size: int
) -> Float[Tensor, "image channel row column"]:
    """Each picture shifted, scaled and tilted a little; sampled finely and averaged, so that nothing flickers.

    Args:
        pictures: square, nothing beyond their edges; premultiplied where they have an opacity.
        jitter: how far they may stray.
        draw: where the numbers come from.
        size: side of the result, pixels.

    Returns:
        The pictures at their places.

    Example:
        >>> still = Jitter(shift=0.0, zoom=(1.0, 1.0), tilt=0.0)
        >>> draw = np.random.Generator(np.random.PCG64(0))
        >>> place(torch.ones(2, 4, 32, 32), still, draw, 16).shape
        torch.Size([2, 4, 16, 16])
    """
    n, channels = pictures.shape[:2]
    zoom = draw.uniform(*jitter.zoom, n)
    tilt = np.deg2rad(draw.uniform(-jitter.tilt, jitter.tilt, n))
    across, down = draw.uniform(-2 * jitter.shift, 2 * jitter.shift, (2, n))
    cos, sin = np.cos(tilt) / zoom, np.sin(tilt) / zoom
    rows = [[cos, sin, -(cos * across + sin * down)], [-sin, cos, -(cos * down - sin * across)]]
    affine = torch.from_numpy(np.array(rows)).permute(2, 0, 1).float()
    fine = size * _OVERSAMPLING
    grid = affine_grid(affine, [n, channels, fine, fine], align_corners=False)
    return avg_pool2d(grid_sample(pictures, grid, mode="bilinear", align_corners=False), _OVERSAMPLING)
