"""Signs of the DejaVu faces as pictures of equal size."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from invariscope.images.bundled import matplotlib_font

FACES = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
)
"""The twelve faces that share Latin, Greek, Cyrillic and common symbols."""


def draw_signs(
    signs: Sequence[str], faces: Sequence[str] = FACES, size: int = 64, share: float = 0.75
) -> UInt8[Tensor, "sign face row column"]:
    """Each sign in each face, centred, scaled so that its longer side is a given share of the picture.

    Args:
        signs: one character each.
        faces: names of the typefaces.
        size: side of the pictures, pixels.
        share: the longer side of the ink, as a share of the picture's side; 0 to 1.

    Returns:
        The ink: 0 is none, 255 is full.

    Example:
        >>> draw_signs("AB", FACES[:3], size=32).shape
        torch.Size([2, 3, 32, 32])
    """
    fonts = [ImageFont.truetype(str(matplotlib_font(face)), 2 * size) for face in faces]
    drawn = [[_draw(sign, font, size, round(share * size)) for font in fonts] for sign in signs]
    return torch.from_numpy(np.array(drawn))


def _draw(sign: str, font: ImageFont.FreeTypeFont, size: int, longest: int) -> np.ndarray:
    wide = Image.new("L", (6 * size, 6 * size))
    ImageDraw.Draw(wide).text((3 * size, 3 * size), sign, fill=255, font=font, anchor="mm")
    ink = wide.crop(wide.getbbox())
    scale = longest / max(ink.size)
    width, height = (max(1, round(side * scale)) for side in ink.size)
    picture = Image.new("L", (size, size))
    picture.paste(ink.resize((width, height), Image.Resampling.BOX), ((size - width) // 2, (size - height) // 2))
    return np.asarray(picture)
