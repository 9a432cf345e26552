"""Images in parquet files with the columns `image` {bytes} and `label`, as Hugging Face data sets have them."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from invariscope.core.errors import ImageError
from invariscope.images.images import Images
from invariscope.images.source import Loader, Source

_IMAGE_COLUMNS, _LABEL_COLUMNS = ("image", "img"), ("label", "labels", "fine_label", "class")


def parquet_files(path: Path) -> list[Path]:
    """The parquet files that a path stands for: itself, or those in a folder, or in its folder `data`, by name.

    Args:
        path: a file or a folder.

    Returns:
        Paths; none for a folder without parquet files.
    """
    if not path.is_dir():
        return [path]
    for folder in (path, path / "data"):
        if found := sorted(p for p in folder.glob("*.parquet") if not p.name.startswith(".")):
            return found
    return []


def load_parquet(files: Sequence[Path]) -> Images:
    """The images of parquet files.

    Class names come from the labels themselves, from a column `name`, or from the file's own description; WordNet
    identifiers from a column `wnid`. Only the small columns are read now, and row groups of images as they are needed.

    Args:
        files: in the order of their rows; at least one.

    Returns:
        The images; unlabelled when there is no column of labels.

    Raises:
        ImageError: a file cannot be read, or has no images.
    """
    source = ParquetSource(files)
    labels = source.column(_LABEL_COLUMNS)
    classes = source.class_names(_LABEL_COLUMNS)
    wnids = None
    if labels is not None and len(labels) and isinstance(labels[0], int):
        wnids = _per_class(labels, source.column(("wnid",)))
        classes = classes or _per_class(labels, source.column(("name",)))
        size = max((len(c) for c in (classes, wnids) if c), default=0)
        if max(labels) >= size:
            classes = wnids = None
    return Images(source, labels, classes or wnids, wnids=wnids, spec=str(files[0]))


class ParquetSource(Source):
    """Rows of parquet files that hold encoded images.

    Args:
        files: the files, in order.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._files: list[Any] = []
        self._groups: list[tuple[int, int]] = []
        starts = [0]
        for path in files:
            try:
                file = pq.ParquetFile(path)
            except (OSError, pa.ArrowException) as error:
                raise ImageError(f"{path} is not a parquet file that can be read: {error}.") from error
            self._files.append(file)
            self._image = self._image_column(file, path)
            for group in range(file.num_row_groups):
                self._groups.append((len(self._files) - 1, group))
                starts.append(starts[-1] + file.metadata.row_group(group).num_rows)
        self._starts = np.array(starts)
        self._paths = list(files)
        self._held: OrderedDict[int, Any] = OrderedDict()
        self._lock = Lock()
        if not len(self):
            raise ImageError(f"{files[0]} has no rows.")

    def _image_column(self, file: Any, path: Path) -> str:
        import pyarrow as pa

        for name in _IMAGE_COLUMNS:
            if name in file.schema_arrow.names:
                kind = file.schema_arrow.field(name).type
                if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                    return name
                if pa.types.is_struct(kind) and "bytes" in [kind.field(i).name for i in range(kind.num_fields)]:
                    return name
        columns = ", ".join(file.schema_arrow.names)
        raise ImageError(f"{path} has no column 'image' of encoded bytes; its columns are {columns}.")

    def __len__(self) -> int:
        return int(self._starts[-1])

    def name(self, index: int) -> str:
        """The file and the row within it."""
        file = self._groups[int(np.searchsorted(self._starts, index, side="right")) - 1][0]
        first = next(i for i, (f, _) in enumerate(self._groups) if f == file)
        return f"{self._paths[file].name}, row {index - self._starts[first]}"

    def column(self, names: Sequence[str]) -> list[Any] | None:
        """The first of these columns that every file has, as Python values."""
        for name in names:
            if all(name in file.schema_arrow.names for file in self._files):
                values: list[Any] = []
                for file in self._files:
                    values.extend(file.read(columns=[name]).column(name).to_pylist())
                if any(value is None for value in values):
                    raise ImageError(f"the column {name!r} of {self._paths[0]} has empty cells; fill or drop them.")
                return values
        return None

    def class_names(self, columns: Sequence[str]) -> list[str] | None:
        """The names that the file's own description gives to the integers of its label column."""
        written = (self._files[0].schema_arrow.metadata or {}).get(b"huggingface")
        if not written:
            return None
        features = json.loads(written).get("info", {}).get("features", {})
        for column in columns:
            if column in self._files[0].schema_arrow.names:
                names = features.get(column, {}).get("names")
                return [str(name) for name in names] if names else None
        return None

    def loaders(self, indices: Sequence[int]) -> Iterator[Loader]:
        """One per row; a row group is read when its first row is asked for, and the last two are kept."""
        for index in indices:
            group = int(np.searchsorted(self._starts, index, side="right")) - 1
            cell = self._read(group)[int(index - self._starts[group])]
            yield _Cell(cell)

    def _read(self, group: int) -> Any:
        with self._lock:
            if group not in self._held:
                file, number = self._groups[group]
                column = self._files[file].read_row_group(number, columns=[self._image]).column(self._image)
                self._held[group] = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
                while len(self._held) > 2:
                    self._held.popitem(last=False)
            return self._held[group]


class _Cell:
    """Gives the bytes of one cell; holds on to its row group only until then."""

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def __call__(self) -> bytes:
        cell = self._cell["bytes"] if hasattr(self._cell, "keys") else self._cell
        return cell.as_py() or b""


def _per_class(labels: list[int], names: list[Any] | None) -> list[str] | None:
    """The name of each label, its number where no image has it; None unless every label has exactly one name."""
    if names is None or min(labels) < 0:
        return None
    found: dict[int, str] = {}
    for label, name in zip(labels, names, strict=True):
        if found.setdefault(label, str(name)) != str(name):
            return None
    return [found.get(i, str(i)) for i in range(max(labels) + 1)]
