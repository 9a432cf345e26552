"""JPEG compression."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.colour import is_grey
from invariscope.transformations.magnitude import Magnitude


@TRANSFORMATIONS.add("jpeg")
@dataclass(frozen=True)
class Jpeg(Transformation):
    """Compress each image as JPEG and decompress it.

    The image is clipped to [0, 1], rounded to bytes, written at the quality and read back, on the CPU. Quality 100 is
    the identity and touches nothing. No gradient passes.

    Example:
        >>> Jpeg()(torch.full((1, 3, 8, 8), 0.5), 50).shape
        torch.Size([1, 3, 8, 8])

    Source: ITU-T recommendation T.81; compression as a common corruption in Hendrycks & Dietterich, 2019.
    """

    unit_of_measure = "quality"
    identity = 100.0
    span = (1.0, 100.0)
    grid = (100.0, 50.0, 20.0, 10.0, 5.0)
    smooth = False
    differentiable = False
    whole = True

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Encode and decode image by image; the codec leaves Python free, so threads help."""
        is_grey(self.name, images)
        pixels = images.detach().clamp(0, 1).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        qualities = [round(value) for value in magnitude.values]
        with ThreadPoolExecutor(min(len(pixels), os.cpu_count() or 1)) as pool:
            read = np.stack(list(pool.map(_again, pixels, qualities)))
        return torch.from_numpy(read).to(images.device).to(images.dtype).div(255).permute(0, 3, 1, 2).contiguous()


def _again(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Write and read one image of bytes, (height, width, channel)."""
    written = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(written, "JPEG", quality=quality)
    with Image.open(written) as image:
        return np.asarray(image).reshape(pixels.shape)
