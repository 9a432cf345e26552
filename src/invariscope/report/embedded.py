"""The pictures inside a drawing on the page: as small as they can be without looking otherwise."""

import base64
import binascii
import io
import re

from PIL import Image, UnidentifiedImageError

from invariscope.report.pictures import encoded

_PNG = re.compile(r'href="data:image/png;base64,\s*([^"]*)"')


def lightened(svg: str) -> str:
    """A drawing whose pictures are stored in a smaller form: photographs as JPEG, small pictures without loss.

    Args:
        svg: with pictures as PNG data, as `inline` gives it.

    Example:
        >>> lightened("<svg></svg>")
        '<svg></svg>'
    """
    return _PNG.sub(_smaller, svg)


def _smaller(found: re.Match[str]) -> str:
    try:
        with Image.open(io.BytesIO(base64.b64decode(found[1]))) as opened:
            content, kind = encoded(opened.convert("RGB"))
    except (binascii.Error, ValueError, OSError, UnidentifiedImageError):
        return found[0]
    text = f'href="data:image/{kind};base64,{base64.b64encode(content).decode()}"'
    return text if len(text) < len(found[0]) else found[0]
