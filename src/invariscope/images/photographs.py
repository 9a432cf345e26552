"""Crops of the two photographs that scikit-learn carries, kept apart for training and testing."""

from functools import cache

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from invariscope.images.bundled import sklearn_data

PHOTOGRAPHS = ("china.jpg", "flower.jpg")
_ROWS, _COLUMNS = 4, 6


@cache
def photographs() -> tuple[UInt8[Tensor, "3 height width"], ...]:
    """The photographs, 427×640 pixels.

    Source: scikit-learn's load_sample_images; V. Sverdlin and E. Aberg, CC BY 2.0.
    """
    opened = (Image.open(sklearn_data("images", name)).convert("RGB") for name in PHOTOGRAPHS)
    return tuple(torch.from_numpy(np.array(picture)).permute(2, 0, 1) for picture in opened)


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
    crops = torch.empty((n, 3, size, size), dtype=torch.uint8)
    for i in range(n):
        which, row, column = fields[int(draw.integers(len(fields)))]
        picture = pictures[which]
        height, width = picture.shape[1] // _ROWS, picture.shape[2] // _COLUMNS
        side = int(draw.integers(32, min(height, width) + 1))
        top = row * height + int(draw.integers(height - side + 1))
        left = column * width + int(draw.integers(width - side + 1))
        crop = picture[:, top : top + side, left : left + side].float()
        crop = crop.flip(2) if draw.random() < 0.5 else crop
        crops[i] = adaptive_avg_pool2d(crop, size).round().to(torch.uint8)
    return crops
