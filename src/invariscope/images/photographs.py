"""Crops of the two photographs that scikit-learn carries, kept apart for training and testing."""

from functools import cache

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from invariscope.images.bundled import sklearn_data

PHOTOGRAPHS = ("china.jpg", "flower.jpg")
_ROWS, _COLUMNS = 4, 6


@cache
def photographs() -> tuple[Image.Image, ...]:
    """The photographs, 427×640 pixels.

    Source: scikit-learn's load_sample_images; V. Sverdlin and E. Aberg, CC BY 2.0.
    """
    return tuple(Image.open(sklearn_data("images", name)).convert("RGB") for name in PHOTOGRAPHS)


def photograph_crops(n: int, size: int, split: str, seed: int) -> UInt8[Tensor, "image 3 row column"]:
    """Square crops of the photographs at random places and magnifications, averaged to one size.

    Each photograph is a board of 4×6 fields; crops for training come from its white fields and crops for testing from
    its black ones, so the two share no pixel.

    Args:
        n: how many.
        size: side of the result, pixels.
        split: "train" or "test".
        seed: another seed draws other crops.

    Returns:
        Colours, 0 to 255; half of the crops are mirrored.

    Example:
        >>> photograph_crops(5, 16, "train", seed=0).shape
        torch.Size([5, 3, 16, 16])
    """
    draw = np.random.Generator(np.random.PCG64([seed, split == "test"]))
    pictures = photographs()
    fields = [
        (which, row, column)
        for which in range(len(pictures))
        for row in range(_ROWS)
        for column in range(_COLUMNS)
        if (row + column) % 2 == (split == "test")
    ]
    crops = np.empty((n, size, size, 3), dtype=np.uint8)
    for i in range(n):
        which, row, column = fields[int(draw.integers(len(fields)))]
        picture = pictures[which]
        height, width = picture.height // _ROWS, picture.width // _COLUMNS
        side = int(draw.integers(32, min(height, width) + 1))
        top = row * height + int(draw.integers(height - side + 1))
        left = column * width + int(draw.integers(width - side + 1))
        box = (left, top, left + side, top + side)
        crop = np.asarray(picture.resize((size, size), Image.Resampling.BOX, box))
        crops[i] = crop[:, ::-1] if draw.random() < 0.5 else crop
    return torch.from_numpy(crops).permute(0, 3, 1, 2)
