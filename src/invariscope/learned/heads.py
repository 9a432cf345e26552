"""What a learned transformation does to an image, given how far its parameters are from the identity."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from invariscope.transformations.base import Fill
from invariscope.transformations.sampling import fill_values, sample
from invariscope.transformations.separable import mirrored

Images = Float[Tensor, "image channel height width"]
Places = Float[Tensor, "image height width 2"]


def recolour(images: Images, deviations: Float[Tensor, "image channel channel+1"]) -> Images:
    """X + D·(x, 1) for the colour x of every pixel, clipped to [0, 1].

    Args:
        images: in [0, 1]; shape (image, channel, height, width).
        deviations: D = C − I of each image's colour matrix; the last column shifts the channels.

    Returns:
        Images of the same shape; bit for bit the same where D = 0.

    Example:
        >>> darker = torch.tensor([[[-0.5, 0.0]]])
        >>> recolour(torch.full((1, 1, 1, 2), 0.5), darker)
        tensor([[[[0.2500, 0.2500]]]])

    Source: Bunne et al., §III.D and Figure 1 (colour transformer).
    """
    change = deviations[:, :, :-1] @ images.flatten(2) + deviations[:, :, -1:]
    return (images + change.view_as(images)).clamp(0, 1)


def filtered(images: Images, deviations: Float[Tensor, "image tap tap"]) -> Images:
    """The correlation of every channel with the kernel δ + D, mirrored at the border and clipped to [0, 1].

    Args:
        images: in [0, 1]; shape (image, channel, height, width).
        deviations: D = K − δ of each image's kernel, of an odd size.

    Returns:
        Images of the same shape; bit for bit the same where D = 0.

    Example:
        >>> blur = torch.tensor([[[0.0, 0.0, 0.0], [0.25, -0.5, 0.25], [0.0, 0.0, 0.0]]])
        >>> filtered(torch.tensor([[[[0.0, 0.0, 1.0, 0.0, 0.0]]]]), blur)
        tensor([[[[0.0000, 0.2500, 0.5000, 0.2500, 0.0000]]]])

    Source: Bunne et al., §V (parametrized convolutions, as a wish).
    """
    count, channels, height, width = images.shape
    taps = deviations.shape[-1]
    reach = torch.arange(-(taps // 2), taps // 2 + 1, device=images.device)
    rows = mirrored(torch.arange(height, device=images.device)[:, None] + reach, height)
    columns = mirrored(torch.arange(width, device=images.device)[:, None] + reach, width)
    # Mirrored by hand: torch's reflection refuses images smaller than the kernel.
    frame_rows = torch.cat([rows[0, : taps // 2], rows[:, taps // 2], rows[-1, taps // 2 + 1 :]])
    frame_columns = torch.cat([columns[0, : taps // 2], columns[:, taps // 2], columns[-1, taps // 2 + 1 :]])
    framed = images[:, :, frame_rows][:, :, :, frame_columns]
    kernels = deviations[:, None, None].expand(-1, channels, 1, -1, -1).reshape(count * channels, 1, taps, taps)
    change = F.conv2d(framed.reshape(1, count * channels, *framed.shape[2:]), kernels, groups=count * channels)
    return (images + change.view_as(images)).clamp(0, 1)


def read_at(images: Images, places: Places, fill: Fill, interpolation: str = "bilinear") -> Images:
    """Read images at places between pixels.

    Args:
        images: in [0, 1]; shape (image, channel, height, width).
        places: (x, y) for every pixel of the result; −1 and 1 are the outer edges of the image.
        fill: what lies outside: a value, one per channel, "mean", "zero", "border" or "reflect".
        interpolation: "bilinear", or "bicubic", which is clipped to [0, 1].

    Returns:
        Images of the same shape.
    """
    if interpolation == "bilinear":
        return sample(images, places, fill)
    if fill in ("border", "reflect"):
        padding = {"border": "border", "reflect": "reflection"}[str(fill)]
        read = F.grid_sample(images, places, mode="bicubic", padding_mode=padding, align_corners=False)
    else:
        outside = fill_values(images, fill)
        read = F.grid_sample(images - outside, places, mode="bicubic", align_corners=False) + outside
    return read.clamp(0, 1)


def pixel_places(height: int, width: int, like: Tensor) -> Float[Tensor, "height width 2"]:
    """(x, y) of every pixel's centre; −1 and 1 are the outer edges of the image.

    Example:
        >>> pixel_places(1, 2, torch.zeros(1))
        tensor([[[-0.5000,  0.0000],
                 [ 0.5000,  0.0000]]])
    """
    x = (torch.arange(width, device=like.device, dtype=like.dtype) * 2 + 1) / width - 1
    y = (torch.arange(height, device=like.device, dtype=like.dtype) * 2 + 1) / height - 1
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


def affine_shifts(deviations: Float[Tensor, "image 2 3"], height: int, width: int) -> Places:
    """How far from itself every pixel is read: D·(x, y, 1), in halves of the image.

    Args:
        deviations: D = T − I of each image's sampling matrix.
        height: rows of the images.
        width: columns of the images.

    Source: Bunne et al., §III.D and Figure 1 (spatial transformer).
    """
    places = pixel_places(height, width, deviations)
    shifts = places.view(1, -1, 2) @ deviations[:, :, :2].transpose(1, 2) + deviations[:, None, :, 2]
    return shifts.view(-1, height, width, 2)


def field_shifts(deviations: Float[Tensor, "image 2 point point"], height: int, width: int) -> Places:
    """How far from itself every pixel is read, from a coarse grid of shifts between which cubics run.

    Args:
        deviations: (x, y) shifts at control points that reach from corner to corner, in halves of the image.
        height: rows of the images.
        width: columns of the images.
    """
    field = F.interpolate(deviations, size=(height, width), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1)
