"""What lies behind objects: crops of photographs, and patterns and noise in muted colours."""

import colorsys

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from invariscope.images.photographs import photograph_crops
from invariscope.images.textures import PATTERNS, pattern

POOL = 256


def background_pool(split: str, size: int = 32, n: int = POOL, seed: int = 0) -> UInt8[Tensor, "image 3 row column"]:
    """Backgrounds of one split; half photographs, half patterns. The pools of the two splits share nothing.

    Args:
        split: "train" or "test".
        size: side, pixels.
        n: how many.
        seed: another seed draws other backgrounds.

    Returns:
        Colours, 0 to 255.

    Example:
        >>> background_pool("train", size=16, n=10).shape
        torch.Size([10, 3, 16, 16])
    """
    photographed = photograph_crops(n - n // 2, size, split, seed)
    draw = np.random.Generator(np.random.PCG64([seed, split == "test", 2]))
    drawn = np.stack([_texture(size, draw) for _ in range(n // 2)]) if n > 1 else np.empty((0, 3, size, size), np.uint8)
    return torch.cat([photographed, torch.from_numpy(drawn)])


def _texture(size: int, draw: np.random.Generator) -> np.ndarray:
    kind = PATTERNS[int(draw.integers(len(PATTERNS)))]
    weight = pattern(kind, size, draw.uniform(0.12, 0.5) * size, draw.uniform(0, 180), draw)
    hue, apart = draw.random(), draw.uniform(-0.15, 0.15)
    light, contrast = draw.uniform(0.25, 0.75), draw.uniform(0.08, 0.2)
    ends = [
        colorsys.hsv_to_rgb((hue + apart * sign) % 1, draw.uniform(0.1, 0.5), light + contrast * sign)
        for sign in (-1, 1)
    ]
    first, second = (np.array(end)[:, None, None] * 255 for end in ends)
    grain = draw.normal(0, 5, (1, size, size))
    return np.clip(np.round(first * (1 - weight) + second * weight + grain), 0, 255).astype(np.uint8)
