"""Bytes of an image file to eight-bit RGB: JPEG through torchvision, everything else through Pillow.

A truncated PNG can end the process inside torchvision's decoder; Pillow raises an error.
"""

import io
import struct
from functools import cache

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from invariscope.core.errors import ImageError

MAX_PIXELS = 89_478_485
"""More than this in one image is taken for a decompression bomb: Pillow's own first limit, 256 MiB of RGB."""

_WIDE = {"I;16", "I;16B", "I;16L", "I;16N", "I"}


class Unreadable(Exception):
    """One image cannot be decoded; the message is the reason, for a person."""


def decode(data: bytes | Image.Image, name: str = "image") -> tuple[UInt8[Tensor, "3 height width"], str | None]:
    """One image as upright eight-bit RGB, and how it was stored if that was something else.

    The EXIF orientation is applied. Transparency is dropped, as torchvision's folder reader does; sixteen bits are
    divided by 257.

    Args:
        data: an encoded file, or a picture that is open already.
        name: what to call the image in an error.

    Returns:
        The image, shape (3, height, width), 0 to 255; and "grey", "transparent", "16-bit", "CMYK", "palette" or None.

    Raises:
        Unreadable: the bytes are truncated, or no image.
        ImageError: the image has more pixels than MAX_PIXELS.

    Example:
        >>> pixels, stored_as = decode(Image.new("L", (4, 3), 200))
        >>> pixels.shape, int(pixels.max()), stored_as
        (torch.Size([3, 3, 4]), 200, 'grey')
    """
    try:
        picture = data if isinstance(data, Image.Image) else _open(data, name)
        if picture.width * picture.height > MAX_PIXELS:
            raise _bomb(name, f"{picture.width} × {picture.height} pixels")
        kind = _kind(picture, data if isinstance(data, bytes) else b"")
        if isinstance(data, bytes) and picture.format == "JPEG" and picture.mode in ("RGB", "L") and _torch_jpeg():
            return _decode_jpeg(data), kind
        return _convert(picture), kind
    except Image.DecompressionBombError as error:
        raise _bomb(name, str(error).split(", could")[0]) from error
    except UnidentifiedImageError as error:
        raise Unreadable("not an image in a known format" if data else "an empty file") from error
    except (ImageError, Unreadable, MemoryError):
        raise
    except Exception as error:
        # Damaged files make Pillow raise nearly every kind of error, TypeError and KeyError among them.
        raise Unreadable(_reason(error)) from error


def _open(data: bytes, name: str) -> Image.Image:
    # Pillow only warns between its two limits, and a warning cannot be turned into an error for one thread alone.
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        if width * height > MAX_PIXELS:
            raise _bomb(name, f"{width} × {height} pixels")
    return Image.open(io.BytesIO(data))


def _bomb(name: str, size: str) -> ImageError:
    return ImageError(
        f"{name} would unpack to {size}; above {MAX_PIXELS} it is taken for a decompression bomb: remove or shrink it."
    )


def _kind(picture: Image.Image, data: bytes) -> str | None:
    if picture.mode in _WIDE or (data[:4] == b"\x89PNG" and data[24:25] == b"\x10"):
        return "16-bit"
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or (picture.mode == "RGB" and "transparency" in picture.info):
        return "transparent"
    return {"RGB": None, "L": "grey", "1": "grey", "P": "palette", "CMYK": "CMYK"}.get(picture.mode, picture.mode)


def _convert(picture: Image.Image) -> Tensor:
    if picture.mode == "F":
        raise Unreadable("its floating-point pixels have no known range")
    if picture.mode in _WIDE:
        levels = np.asarray(ImageOps.exif_transpose(picture)).astype(np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise Unreadable("its 32-bit pixels have no known range")
        grey = torch.from_numpy(((levels + 128) // 257).astype(np.uint8))
        return grey.expand(3, *grey.shape).contiguous()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode == "P" and "transparency" in upright.info:
        upright = upright.convert("RGBA")
    return torch.from_numpy(np.array(upright.convert("RGB"))).permute(2, 0, 1)


@cache
def _torch_jpeg() -> bool:
    """Whether torchvision's decoder is there; later releases of torchvision will come without it."""
    one = io.BytesIO()
    Image.new("RGB", (8, 8)).save(one, "JPEG")
    try:
        import torchvision  # noqa: F401, registers the operator

        _decode_jpeg(one.getvalue())
    except (ImportError, RuntimeError, AttributeError):
        return False
    return True


def _decode_jpeg(data: bytes) -> Tensor:
    # The operator behind torchvision.io.decode_jpeg, which warns at every call; 3 is ImageReadMode.RGB.
    decoded: Tensor = torch.ops.image.decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), 3, True)
    return decoded


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "truncated" in text.lower() or "incomplete" in text.lower() or isinstance(error, EOFError):
        return "truncated"
    return text.rpartition("cpp:")[2].partition(", ")[2] or text if "cpp:" in text else text
