"""Reading images between their pixels, and what is read outside of them."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown

NAMED_FILLS = ("mean", "zero", "border", "reflect")


def fill_values(images: Tensor, fill: float | int | str | tuple[float, ...]) -> Float[Tensor, "#image channel 1 1"]:
    """The colour that a fill stands for; "border" and "reflect", which are none, count as the image's mean.

    Args:
        images: shape (image, channel, height, width).
        fill: one value, one per channel, "zero", or "mean" (each image's own mean per channel).

    Returns:
        One colour, or one per image.

    Raises:
        SettingError: an unknown name, or a number of values that is not the number of channels.

    Example:
        >>> fill_values(torch.zeros(1, 3, 2, 2), (0.1, 0.2, 0.3)).flatten()
        tensor([0.1000, 0.2000, 0.3000])
    """
    channels = images.shape[1]
    if isinstance(fill, str):
        if fill not in NAMED_FILLS:
            raise SettingError(unknown("fill", fill, NAMED_FILLS))
        if fill == "zero":
            return images.new_zeros(1, channels, 1, 1)
        return images.mean((2, 3), keepdim=True)
    values = tuple(fill) if isinstance(fill, tuple) else (float(fill),)
    if len(values) == 1:
        values *= channels
    if channels == 1 and len(values) > 1:
        values = (sum(values) / len(values),)
    if len(values) != channels:
        raise SettingError(
            f"the fill has {len(values)} values, but the images have {channels} channels; give one each."
        )
    return torch.tensor(values, dtype=images.dtype).to(images.device, non_blocking=True)[None, :, None, None]


def sample(
    images: Float[Tensor, "image channel height width"],
    places: Float[Tensor, "image height width 2"],
    fill: float | int | str | tuple[float, ...],
) -> Float[Tensor, "image channel height width"]:
    """Read images at places between pixels, bilinearly.

    Args:
        images: what to read.
        places: (x, y) for every pixel of the result; −1 and 1 are the outer edges of the image (align_corners=False).
        fill: what lies outside: a value, one per channel, "mean", "zero", "border" (the nearest pixel), or "reflect"
            (mirrored at the edges).

    Returns:
        Images of the same shape; differentiable in both arguments, in reverse and in forward mode.

    Raises:
        SettingError: a fill that is unknown or does not fit the channels.
    """
    if fill == "border":
        return F.grid_sample(images, places, padding_mode="border", align_corners=False)
    if fill == "reflect":
        return F.grid_sample(images, places, padding_mode="reflection", align_corners=False)
    if fill in ("zero", 0, 0.0):
        return F.grid_sample(images, places, align_corners=False)
    outside = fill_values(images, fill)
    return F.grid_sample(images - outside, places, align_corners=False) + outside


def inside(places: Float[Tensor, "image height width 2"]) -> Bool[Tensor, "image 1 height width"]:
    """Where a bilinear reading takes all four of its pixels from within the image, up to rounding."""
    _, height, width, _ = places.shape
    reach = torch.tensor([1 - 1 / width, 1 - 1 / height], dtype=places.dtype, device=places.device)
    return (places.abs() <= reach + 1e-5).all(-1)[:, None]
