"""Image files in a folder: one folder per class, or all in one."""

import os
from pathlib import Path

from invariscope.core.errors import ImageError
from invariscope.images.images import Images
from invariscope.images.source import FileSource

EXTENSIONS = frozenset(
    {"jpg", "jpeg", "jpe", "jfif", "png", "bmp", "dib", "webp", "gif", "tif", "tiff", "ppm", "pgm", "pbm", "pnm"}
    | {"avif", "jp2", "tga", "ico"}
)
_SPLITS = frozenset(["train", "training", "val", "valid", "validation", "test", "testing"])


def load_folder(root: Path) -> Images:
    """The images of a folder.

    Folders in it are the classes, sorted by name, and own every image below them; a folder without folders is an
    unlabelled set. Hidden files and files that are no images are left out.

    Args:
        root: the folder.

    Returns:
        The images, sorted by path within their class.

    Raises:
        ImageError: there are no images, a class has none, images lie beside class folders, or the folders are splits.
    """
    try:
        entries = sorted(e.name for e in os.scandir(root) if not e.name.startswith((".", "__")))
    except OSError as error:
        raise ImageError(f"the folder {root} cannot be read: {error.strerror}.") from error
    folders = [name for name in entries if (root / name).is_dir()]
    loose = [root / name for name in entries if _is_image(name) and not (root / name).is_dir()]
    if not folders:
        if not loose:
            raise ImageError(f"the folder {root} holds no images; {_KINDS}.")
        return Images(FileSource(root, loose), spec=str(root))
    if loose:
        raise ImageError(
            f"the folder {root} holds both images ({loose[0].name}) and folders ({folders[0]}); keep either one folder "
            "per class, or only images."
        )
    files = {name: _images_below(root / name) for name in folders}
    if not any(files.values()):
        raise ImageError(f"the folder {root} holds no images; {_KINDS}.")
    if empty := [name for name in folders if not files[name]]:
        raise ImageError(f"the class folder {root / empty[0]} holds no images; remove it, or fill it ({_KINDS}).")
    if {name.lower() for name in folders} <= _SPLITS:
        raise ImageError(
            f"the folders of {root} are splits, not classes; name one of them, as in {root / folders[-1]}."
        )
    paths = [path for name in folders for path in files[name]]
    labels = [i for i, name in enumerate(folders) for _ in files[name]]
    return Images(FileSource(root, paths), labels, folders, spec=str(root))


_KINDS = "image files end in .jpg, .png, .webp, .bmp, .gif, .tif or the like"


def _is_image(name: str) -> bool:
    return not name.startswith(".") and name.rpartition(".")[2].lower() in EXTENSIONS


def _images_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, inner, names in os.walk(folder, followlinks=True):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found.extend(Path(parent) / name for name in names if _is_image(name))
    return sorted(found)
