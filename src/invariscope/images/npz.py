"""Arrays of images in an .npz file."""

import zipfile
from pathlib import Path

import numpy as np

from invariscope.core.errors import ImageError
from invariscope.images.images import Images


def load_npz(path: Path) -> Images:
    """The arrays `images`, and if they are there `labels` and `classes`, of an .npz file.

    Args:
        path: the file; nothing in it is unpickled.

    Returns:
        The images.

    Raises:
        ImageError: the file cannot be read, has no `images`, or one of the arrays cannot be used.
    """
    try:
        if path.is_file() and not zipfile.is_zipfile(path):
            raise ImageError(f"{path} is not an .npz file that can be read: it is no archive of arrays.")
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if "images" not in file.files:
                raise ImageError(f"{path} has no array 'images'; it holds {', '.join(file.files) or 'nothing'}.")
            arrays = {key: file[key] for key in ("images", "labels", "classes") if key in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError) as error:
        if isinstance(error, ImageError):
            raise
        if "allow_pickle" in str(error):
            raise ImageError(f"{path} holds Python objects, which are not unpickled; save plain arrays.") from error
        raise ImageError(f"{path} is not an .npz file that can be read: {error}.") from error
    classes = [str(name) for name in arrays["classes"].tolist()] if "classes" in arrays else None
    try:
        return Images(arrays["images"], arrays.get("labels"), classes, spec=str(path))
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
