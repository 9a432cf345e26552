"""Objects for the synthetic images: each pictorial sign in eight liveries, with an opacity."""

from functools import cache

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageFilter
from torch import Tensor

from invariscope.images.artwork import draw_signs
from invariscope.images.symbols import SYMBOLS
from invariscope.images.textures import pattern

# Two colours of the filling, the colour of its lines, the pattern, its period (share of the side), its angle.
LIVERIES: tuple[tuple[str, str, str, str, float, float], ...] = (
    ("#f4ead0", "#d6322f", "#1d1a26", "stripes", 0.16, 90.0),
    ("#ffb02e", "#23408e", "#ffffff", "checks", 0.12, 45.0),
    ("#ffe45c", "#7d3fa8", "#1d1a26", "dots", 0.16, 0.0),
    ("#f2fff0", "#2f9e58", "#14351f", "waves", 0.17, 0.0),
    ("#ff9d8a", "#12706e", "#ffffff", "stripes", 0.15, 45.0),
    ("#fff7c2", "#2b7de0", "#10254a", "rings", 0.17, 0.0),
    ("#c6f04a", "#5b3bc4", "#1d1a26", "marble", 0.40, 20.0),
    ("#9ee3ff", "#96562a", "#ffffff", "checks", 0.14, 0.0),
)
"""Every category wears every livery, so that colour does not tell the category."""


@cache
def object_prototypes(size: int = 96) -> UInt8[Tensor, "category livery 4 size size"]:
    """The objects in canonical pose: upright, centred, the longer side three quarters of the picture.

    The filling of a solid sign has a two-colour pattern, that of a line drawing shows between its lines; even
    liveries have a thin contour, odd ones a thick one with a plain band inside it.

    Args:
        size: side of the pictures, pixels.

    Returns:
        Red, green, blue and opacity, 0 to 255, in the order of SYMBOLS; not premultiplied.

    Example:
        >>> object_prototypes(32).shape
        torch.Size([70, 8, 4, 32, 32])

    Source: the foreground objects of the Transforms-2D data set, of which these are a stand-in that can be embedded.
    """
    ink = draw_signs(tuple(SYMBOLS.values()), ("DejaVuSans",), size=size, share=0.72)[:, 0].numpy()
    fillings = [_filling(livery, size) for livery in LIVERIES]
    objects = np.empty((len(ink), len(LIVERIES), 4, size, size), np.uint8)
    for i, sign in enumerate(ink):
        opacity, patterned, band = _regions(sign)
        for j, (livery, filling) in enumerate(zip(LIVERIES, fillings, strict=True)):
            line, plain = _colour(livery[2]), _colour(livery[0])
            body = filling * patterned[j % 2] + plain[:, None, None] * band[j % 2]
            objects[i, j, :3] = np.round(body + line[:, None, None] * (1 - patterned[j % 2] - band[j % 2]))
            objects[i, j, 3] = opacity
    return torch.from_numpy(objects)


def _regions(ink: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A sign's opacity, and where its pattern and its plain band show, thin and thick; 0 to 1."""
    from scipy.ndimage import binary_fill_holes

    contour = max(3, ink.shape[0] // 24 // 2 * 2 + 1)
    silhouette = np.where(binary_fill_holes(ink > 60), 255, ink).astype(np.uint8)
    solid = ink.sum() > 0.55 * silhouette.sum()
    filled = ink if solid else silhouette - np.minimum(ink, silhouette)
    opacity = np.asarray(Image.fromarray(silhouette).filter(ImageFilter.MaxFilter(contour)))
    core = np.asarray(Image.fromarray(filled).filter(ImageFilter.MinFilter(contour)))
    full, inner = filled / 255.0, core / 255.0
    return opacity, (full, inner), (np.zeros_like(full), full - inner)


def _filling(livery: tuple[str, str, str, str, float, float], size: int) -> np.ndarray:
    first, second, _, kind, period, angle = livery
    draw = np.random.Generator(np.random.PCG64(0))
    weight = pattern(kind, size, period * size, angle, draw)
    mixed: np.ndarray = _colour(first)[:, None, None] * (1 - weight) + _colour(second)[:, None, None] * weight
    return mixed


def _colour(written: str) -> np.ndarray:
    return np.array([int(written[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)
