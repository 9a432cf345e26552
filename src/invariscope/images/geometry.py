"""The resize and crop of a network's input recipe, pixel for pixel as torchvision does them."""

import numpy as np
import torch
from jaxtyping import Shaped
from PIL import Image
from torch import Tensor

from invariscope.core.errors import ImageError
from invariscope.networks.recipe import LUMA, Recipe

_TENSOR_MODES = ("nearest", "nearest-exact", "bilinear", "bicubic")
_PILLOW_MODES = ("lanczos", "box", "hamming")


def resized_size(height: int, width: int, recipe: Recipe) -> tuple[int, int]:
    """The size after the resize, before the crop.

    Args:
        height: of the image, pixels.
        width: of the image, pixels.
        recipe: what the network wants. With a `resize`, the shorter side becomes that long; with a `size` alone, the
            image just covers it.

    Returns:
        Height and width, pixels.

    Example:
        >>> resized_size(100, 200, Recipe(size=(32, 32), resize=40))
        (40, 80)
    """
    if recipe.resize is not None:
        short, long = sorted((height, width))
        longer = int(recipe.resize * long / short)
        return (recipe.resize, longer) if height <= width else (longer, recipe.resize)
    if recipe.size is None or (height, width) == recipe.size:
        return height, width
    rows, columns = recipe.size
    if rows * width >= columns * height:
        return rows, max(columns, int(rows * width / height))
    return max(rows, int(columns * height / width)), columns


def fit_images(
    images: Shaped[Tensor, "image channel height width"], recipe: Recipe
) -> Shaped[Tensor, "image channels rows columns"]:
    """Images resized with antialiasing, cropped at the centre and given the channels of the recipe.

    Args:
        images: uint8, 0 to 255, or float, 0 to 1; all of one size.
        recipe: what the network wants.

    Returns:
        The type of the input. The very same tensor when there is nothing to do.

    Raises:
        ImageError: the channels cannot be made what the recipe asks.

    Example:
        >>> fit_images(torch.zeros(1, 3, 100, 200), Recipe(size=(32, 32), resize=40)).shape
        torch.Size([1, 3, 32, 32])
    """
    height, width = resized_size(images.shape[2], images.shape[3], recipe)
    if (height, width) != tuple(images.shape[2:]):
        images = _resize(images, height, width, recipe.interpolation)
    if recipe.size is not None and (height, width) != recipe.size:
        from torchvision.transforms.v2 import functional

        images = functional.center_crop(images, list(recipe.size))
    return _channels(images, recipe.channels)


def _resize(images: Tensor, height: int, width: int, interpolation: str) -> Tensor:
    if interpolation in _TENSOR_MODES:
        from torchvision.transforms.v2 import InterpolationMode, functional

        mode = InterpolationMode(interpolation)
        resized: Tensor = functional.resize(images, [height, width], interpolation=mode, antialias=True)
        return resized if resized.dtype == torch.uint8 else resized.clamp(0, 1)
    if interpolation not in _PILLOW_MODES:
        known = ", ".join(_TENSOR_MODES + _PILLOW_MODES)
        raise ImageError(f"the network's recipe asks for {interpolation!r} interpolation; known: {known}.")
    if images.dtype != torch.uint8:
        raise ImageError(f"{interpolation} interpolation takes 8-bit images, and these are float; give uint8 images.")
    mode_of_pillow = Image.Resampling[interpolation.upper()]
    planes = images.reshape(-1, *images.shape[2:]).numpy()
    done = [np.asarray(Image.fromarray(plane).resize((width, height), mode_of_pillow)) for plane in planes]
    return torch.from_numpy(np.stack(done)).reshape(*images.shape[:2], height, width)


def _channels(images: Tensor, channels: int) -> Tensor:
    have = images.shape[1]
    if channels in (0, have):
        return images
    if have == 4 and channels in (1, 3):
        images, have = images[:, :3], 3
    if have == channels:
        return images
    if have == 1:
        return images.expand(-1, channels, -1, -1)
    if have == 3 and channels == 1:
        luma = torch.tensor(LUMA).view(3, 1, 1)
        grey = (images.float() * luma).sum(1, keepdim=True)
        return grey.round().to(torch.uint8) if images.dtype == torch.uint8 else grey.to(images.dtype)
    raise ImageError(f"the images have {have} channels and the network takes {channels}; give images of {channels}.")
