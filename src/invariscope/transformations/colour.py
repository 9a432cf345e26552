"""What colour transformations share."""

from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import ShapeError

LUMA = (0.299, 0.587, 0.114)


def luma(images: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image 1 height width"]:
    """Brightness as the eye weighs it: 0.299 R + 0.587 G + 0.114 B; the mean of the channels unless they are three.

    Source: ITU-R recommendation BT.601.

    Example:
        >>> import torch
        >>> luma(torch.tensor([1.0, 0.0, 0.0])[None, :, None, None]).item()
        0.29899999499320984
    """
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def is_grey(name: str, images: Float[Tensor, "image channel height width"]) -> bool:
    """Whether images have no colour that could change.

    Raises:
        ShapeError: neither one channel nor three.
    """
    channels = images.shape[1]
    if channels not in (1, 3):
        raise ShapeError(f"{name} takes colour images (3 channels) or grey ones (1 channel); got {channels} channels.")
    return channels == 1
