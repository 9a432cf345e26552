"""Where encoded images lie: files in folders, rows of tables, data sets that yield pictures."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL.Image import Image

Loader = Callable[[], bytes | Image]


class Source(ABC):
    """Images that have to be read and decoded one by one."""

    @abstractmethod
    def __len__(self) -> int:
        """How many images there are."""

    @abstractmethod
    def name(self, index: int) -> str:
        """What a person calls this image: its file, or its row."""

    @abstractmethod
    def loaders(self, indices: Sequence[int]) -> Iterator[Loader]:
        """For each index something that, called in any thread, gives the encoded bytes or a picture.

        Raises:
            OSError: a loader could not read.
        """


class FileSource(Source):
    """Image files.

    Args:
        root: the folder that names are relative to.
        paths: the files, in order.
    """

    def __init__(self, root: Path, paths: Sequence[Path]) -> None:
        self.root, self.paths = root, list(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        """The file's path within the folder."""
        return self.paths[index].relative_to(self.root).as_posix()

    def loaders(self, indices: Sequence[int]) -> Iterator[Loader]:
        """One reader per file."""
        return (self.paths[i].read_bytes for i in indices)


def digest(load: Loader) -> bytes:
    """Sixteen bytes that stand for an image's content; an image that cannot be read has the digest of nothing.

    Args:
        load: what gives the bytes or the picture.

    Returns:
        The BLAKE2b hash of the encoded bytes, or of a picture's mode, size and pixels.

    Example:
        >>> digest(lambda: b"pixels") == digest(lambda: b"pixels")
        True
    """
    try:
        data = load()
    except OSError:
        data = b""
    if isinstance(data, Image):
        data = f"{data.mode}{data.size}".encode() + data.tobytes()
    return hashlib.blake2b(data, digest_size=16).digest()
