"""Where the responses of all units to all images lie: in memory, or in a temporary file when they are too many."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import SettingError, StorageError

_UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def parse_memory(text: str) -> int:
    """The number of bytes in "2GiB", "500MB" or "1000000".

    Args:
        text: a number and a unit (B, kB, KiB, MB, MiB, GB, GiB; none means bytes).

    Returns:
        Bytes, 1 or more.

    Raises:
        SettingError: the text is no amount of memory.

    Example:
        >>> parse_memory("2KiB")
        2048
    """
    number = text.strip().rstrip("kKmMgGiIbB ")
    unit = text.strip()[len(number) :].strip().lower()
    try:
        size = int(float(number) * _UNITS[unit])
    except (KeyError, ValueError):
        size = 0
    if size < 1:
        raise SettingError(f"memory takes an amount such as 2GiB or 500MB; got {text!r}.")
    return size


@contextmanager
def matrices(
    count: int, images: int, units: int, memory: int, folder: Path | None, device: torch.device
) -> Iterator[list[Float[Tensor, "image unit"]]]:
    """Within the block, `count` matrices (image, unit) that together hold at most `memory` bytes of RAM.

    Args:
        count: how many matrices.
        images: rows of each.
        units: columns of each.
        memory: bytes above which they lie in temporary files that the operating system pages in and out.
        folder: where the temporary files go; None is the system's place for temporary files.
        device: where the matrices should live when they fit in `memory`.

    Yields:
        The matrices, float32, not initialised.

    Raises:
        StorageError: the temporary files do not fit on the disk.
    """
    if 4 * count * images * units <= memory:
        yield [torch.empty(images, units, device=device) for _ in range(count)]
        return
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".responses-", dir=folder, ignore_cleanup_errors=True) as spool:
        files = [Path(spool) / str(place) for place in range(count)]
        for file in files:
            _reserve(file, 4 * images * units)
        yield [torch.from_file(str(file), shared=True, size=images * units).view(images, units) for file in files]


def _reserve(file: Path, size: int) -> None:
    # The operating system ends a process that writes to a mapped file with no room on the disk behind it.
    with file.open("wb") as opened:
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(opened.fileno(), 0, size)
        except OSError as error:
            raise StorageError(
                f"the responses of all units take {size / 1e9:.2g} GB more than {file.parent.parent} can hold "
                f"({(error.strerror or str(error)).lower()}); free some space, measure fewer layers or images, or give "
                "more --memory."
            ) from error


class Columns(Mapping[str, slice]):
    """Which columns of a matrix belong to which site.

    Args:
        units: number of units per site, in order of execution.

    Example:
        >>> columns = Columns({"relu1": 3, "relu2": 2})
        >>> columns["relu2"], columns.total
        (slice(3, 5, None), 5)
    """

    def __init__(self, units: Mapping[str, int]) -> None:
        self._slices: dict[str, slice] = {}
        start = 0
        for name, number in units.items():
            self._slices[name] = slice(start, start + number)
            start += number
        self.total = start

    def __getitem__(self, name: str) -> slice:
        return self._slices[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._slices)

    def __len__(self) -> int:
        return len(self._slices)
