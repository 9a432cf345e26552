"""Images by their specifier: a path, or a set that has a name."""

from pathlib import Path

from invariscope.core.errors import ImageError
from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.folder import load_folder
from invariscope.images.images import Images
from invariscope.images.npz import load_npz
from invariscope.images.options import call_with, split_spec
from invariscope.images.parquet import load_parquet, parquet_files
from invariscope.images.torchvision_sets import load_torchvision


def load_images(spec: str | Path, *, limit: int | None = None, seed: int = 0, strict: bool = False) -> Images:
    """Images from a folder, a file, a torchvision data set or a built-in set; nothing is downloaded.

    Args:
        spec: a folder with one folder per class, or with images only; a parquet file or a folder of them, with the
            columns `image` and `label`; an .npz file with `images` and `labels`;
            `torchvision:CIFAR10?root=PATH&split=test`; `builtin:digits`, `builtin:glyphs` or `builtin:transforms2d`.
        limit: keep at most this many, as even over the classes as they allow.
        seed: chooses which.
        strict: refuse unreadable images when the set is fitted, instead of skipping and counting them.

    Returns:
        The images, decoded later, when a network's input recipe is known.

    Raises:
        ImageError: there is nothing at the path, or no images in it.
        SettingError: an option is not one of the set's.
        UnknownNameError: no built-in set has that name.

    Example:
        >>> load_images("builtin:digits", limit=20)
        <20 images of 'builtin:digits', 10 classes>
    """
    images = _load(str(spec))
    images.strict = strict
    images.spec = str(spec)
    return images if limit is None else images.limit(limit, seed)


def _load(spec: str) -> Images:
    kind, colon, rest = spec.partition(":")
    if colon and kind == "builtin":
        name, options = split_spec(rest)
        images: Images = call_with(BUILTIN_IMAGES[name], options, f"builtin:{name}")
        return images
    if colon and kind == "torchvision":
        return load_torchvision(*split_spec(rest))
    path = Path(spec).expanduser()
    if path.is_dir():
        tables = parquet_files(path)
        return load_parquet(tables) if tables else load_folder(path)
    if not path.exists():
        raise ImageError(
            f"there is nothing at {spec!r}; images are a folder, a .parquet or .npz file, torchvision:NAME?root=… or "
            f"builtin:NAME ({', '.join(BUILTIN_IMAGES)})."
        )
    if path.suffix == ".parquet":
        return load_parquet([path])
    if path.suffix == ".npz":
        return load_npz(path)
    raise ImageError(f"{spec!r} is a single file; images are a folder, a .parquet file or an .npz file.")
