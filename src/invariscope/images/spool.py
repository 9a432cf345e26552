"""Where prepared pixels are collected: in memory, or, above a limit or for a cache, in an .npy file."""

import io
import shutil
import tempfile
import weakref
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

MEMORY_LIMIT = 2 * 1024**3
"""Bytes of prepared pixels that are held in memory; more are streamed from disk."""


class NpyWriter:
    """An .npy file that grows image by image, so that skipped images leave no holes.

    Args:
        path: the file.
        shape: of one image.
        dtype: of the pixels.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with NpyWriter(Path(folder) / "pixels.npy", (3, 2, 2), np.dtype(np.uint8)) as file:
        ...         file.write(torch.zeros(5, 3, 2, 2, dtype=torch.uint8))
        ...     np.load(Path(folder) / "pixels.npy").shape
        (5, 3, 2, 2)
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path, self.shape, self.dtype, self.count = path, shape, dtype, 0

    def __enter__(self) -> "NpyWriter":
        self._file: BinaryIO = self.path.open("wb")
        self._file.write(self._header())
        return self

    def write(self, images: Tensor) -> None:
        """Append images, shape (image, *shape)."""
        self._file.write(np.ascontiguousarray(images.numpy()).data)
        self.count += len(images)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._file.seek(0)
            self._file.write(self._header())
        self._file.close()

    def _header(self) -> bytes:
        # numpy leaves room for the first axis to grow, so the header's length does not depend on the count.
        header = io.BytesIO()
        about = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(header, {**about, "shape": (self.count, *self.shape)})
        return header.getvalue()


class TemporaryFolder:
    """A folder that lives as long as this object, or as the process."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="invariscope-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def open_pixels(path: Path, memory: int = MEMORY_LIMIT) -> Tensor | np.memmap:
    """Pixels of an .npy file: in memory when they are few, else left on disk and read when asked for.

    Args:
        path: the file.
        memory: largest number of bytes to hold in memory.

    Returns:
        A tensor, or a read-only array on disk.
    """
    if path.stat().st_size <= memory:
        return torch.from_numpy(np.load(path))
    mapped: np.memmap = np.load(path, mmap_mode="r")
    return mapped
