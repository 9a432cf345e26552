"""Recorded responses: matrices of stimuli by units from a file or from arrays, whatever produced them."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import ShapeError
from invariscope.transformations.base import TRANSFORMATIONS

_CLEAN_NAMES = ("identity", "clean", "none")
_COLUMNS = ("stimulus", "unit", "transformation", "magnitude", "response")


@dataclass(frozen=True)
class Recorded:
    """Responses of the same units to the same stimuli, clean and at every recorded strength.

    Args:
        clean: repeats averaged; shape (image, unit), float32.
        transformed: per transformation and magnitude; shape (image, unit) each.
        units: names of the units.
        stimuli: names of the stimuli.
        repeats: trials per stimulus that were averaged (the smallest number).
        source: where they come from, for the report.
    """

    clean: Float[Tensor, "image unit"]
    transformed: Mapping[tuple[str, float], Float[Tensor, "image unit"]]
    units: tuple[str, ...]
    stimuli: tuple[str, ...]
    repeats: int
    source: str


def load_recorded(path: Path) -> Recorded:
    """Read recorded responses from a file.

    Args:
        path: an .npz with `clean` and `transformed`, (stimuli, units) or (stimuli, repeats, units), and optionally
            `transformation` (a name) and `magnitude`; or a parquet file with the columns stimulus, unit,
            transformation, magnitude, response, and optionally repeat. Rows of a transformation's identity magnitude,
            or of the transformation "identity", are the clean responses.

    Raises:
        ShapeError: the file is missing, of another kind, or its content does not fit together.
    """
    if not path.exists():
        raise ShapeError(f"{path} does not exist; give an .npz or .parquet file of recorded responses.")
    if path.suffix == ".npz":
        if not zipfile.is_zipfile(path):
            raise ShapeError(f"{path} cannot be read as .npz: it is no archive of arrays.")
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            reason = "it holds Python objects, which are not unpickled" if "allow_pickle" in str(error) else error
            raise ShapeError(f"{path} cannot be read as .npz: {reason}.") from error
        return from_arrays(source=str(path), **_arguments(arrays, path))
    if path.suffix in (".parquet", ".pq"):
        try:
            table = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise ShapeError(f"{path} cannot be read as parquet: {error}.") from error
        return from_table(table, source=str(path))
    raise ShapeError(f"recorded responses come as .npz or .parquet; got {path.name}.")


def _arguments(arrays: Mapping[str, np.ndarray[Any, np.dtype[Any]]], path: Path) -> dict[str, Any]:
    for name in ("clean", "transformed"):
        if name not in arrays:
            raise ShapeError(
                f"{path} has no array called {name!r}; it has {', '.join(sorted(arrays)) or 'none'}. "
                "An .npz of responses holds `clean` and `transformed`, stimuli by units."
            )
    chosen: dict[str, Any] = {"clean": arrays["clean"], "transformed": arrays["transformed"]}
    if "transformation" in arrays:
        chosen["transformation"] = str(arrays["transformation"])
    if "magnitude" in arrays:
        if arrays["magnitude"].size != 1 or arrays["magnitude"].dtype.kind not in "fiu":
            raise ShapeError(
                f"the array 'magnitude' of {path} takes one number; got {arrays['magnitude'].shape} "
                f"of {arrays['magnitude'].dtype}."
            )
        chosen["magnitude"] = float(arrays["magnitude"].item())
    return chosen


def from_arrays(
    clean: Any, transformed: Any, *, transformation: str = "transformed", magnitude: float = 1.0, source: str = "arrays"
) -> Recorded:
    """Recorded responses from two arrays, numpy or torch.

    Args:
        clean: responses to the stimuli; shape (stimuli, units) or (stimuli, repeats, units).
        transformed: to the transformed stimuli, row by row the same; the same number of stimuli and units.
        transformation: what was done to the stimuli.
        magnitude: how strongly.
        source: where they come from.

    Raises:
        ShapeError: the arrays are not numbers, or do not fit together.

    Example:
        >>> import numpy as np
        >>> recorded = from_arrays(np.ones((5, 3)), np.ones((5, 4, 3)))
        >>> recorded.clean.shape, recorded.repeats
        (torch.Size([5, 3]), 1)
    """
    (first, repeats), (second, more) = _averaged(clean, "clean"), _averaged(transformed, "transformed")
    if first.shape != second.shape:
        raise ShapeError(
            f"clean and transformed responses must have the same stimuli and units; got {tuple(np.shape(clean))} "
            f"and {tuple(np.shape(transformed))}."
        )
    return Recorded(
        first,
        {(transformation, magnitude): second},
        tuple(str(unit) for unit in range(first.shape[1])),
        tuple(str(stimulus) for stimulus in range(first.shape[0])),
        min(repeats, more),
        source,
    )


def _averaged(array: Any, name: str) -> tuple[Tensor, int]:
    values = np.asarray(array.detach().cpu() if isinstance(array, Tensor) else array)
    if values.dtype.kind not in "fiub" or values.ndim not in (2, 3) or 0 in values.shape:
        raise ShapeError(
            f"{name} responses take numbers of shape (stimuli, units) or (stimuli, repeats, units); "
            f"got {values.dtype} of shape {values.shape}."
        )
    repeats = values.shape[1] if values.ndim == 3 else 1
    mean = values.astype(np.float64).mean(1) if values.ndim == 3 else values
    return _finite(mean, name), repeats


def _finite(values: np.ndarray[Any, np.dtype[Any]], name: str) -> Tensor:
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(values, np.float32)
    bad = int((~np.isfinite(single)).sum())
    if bad:
        raise ShapeError(f"{name} responses hold {bad} values that are missing or infinite; leave those stimuli out.")
    return torch.from_numpy(single)


def is_clean(transformation: str, magnitude: float) -> bool:
    """Whether a row of a table of responses was recorded without a transformation.

    Example:
        >>> is_clean("rotation", 0.0), is_clean("rotation", 30.0), is_clean("zoom", 1.0), is_clean("identity", 5.0)
        (True, False, True, True)
    """
    if transformation in _CLEAN_NAMES:
        return True
    identity = TRANSFORMATIONS[transformation].identity if transformation in TRANSFORMATIONS else 0.0
    return bool(magnitude == identity)


def from_table(table: pd.DataFrame, source: str = "table") -> Recorded:
    """Recorded responses from a tidy table, one row per response.

    Args:
        table: columns stimulus, unit, transformation, magnitude, response, and optionally repeat.
        source: where they come from.

    Raises:
        ShapeError: a column is missing, there are no clean rows, or a response is missing.
    """
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise ShapeError(f"a table of responses needs the column {missing[0]!r}; it has {', '.join(map(str, table))}.")
    table = _numbers(table)
    keys = ["transformation", "magnitude", "stimulus", "unit"]
    counts = table.groupby(keys, sort=True)["response"].agg(["mean", "size"]).reset_index()
    clean_rows = [
        is_clean(str(name), float(m)) for name, m in zip(counts.transformation, counts.magnitude, strict=True)
    ]
    counts["clean"] = clean_rows
    if not any(clean_rows) or all(clean_rows):
        what = "clean rows (identity magnitude)" if not any(clean_rows) else "transformed rows"
        raise ShapeError(f"the table of responses has no {what}; it needs clean and transformed responses.")
    units, stimuli = sorted(table["unit"].unique()), sorted(table["stimulus"].unique())

    def block(rows: pd.DataFrame, name: str) -> Tensor:
        wide = rows.pivot_table(index="stimulus", columns="unit", values="mean").reindex(index=stimuli, columns=units)
        return _finite(wide.to_numpy(np.float64), name)

    return Recorded(
        block(counts[counts.clean], "clean"),
        {
            (str(name), float(str(magnitude))): block(rows, f"{name} {magnitude}")
            for (name, magnitude), rows in counts[~counts.clean].groupby(["transformation", "magnitude"], sort=True)
        },
        tuple(str(unit) for unit in units),
        tuple(str(stimulus) for stimulus in stimuli),
        int(counts["size"].min()),
        source,
    )


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The table with magnitudes and responses as numbers; clean rows may leave their magnitude out."""
    numbers = {name: pd.to_numeric(table[name], errors="coerce").astype(float) for name in ("magnitude", "response")}
    clean = table["transformation"].astype(str).isin(_CLEAN_NAMES)
    numbers["magnitude"] = numbers["magnitude"].where(~clean, 0.0)
    for name, values in numbers.items():
        bad = ~np.isfinite(values.to_numpy())
        if bad.any():
            first = table[name].to_numpy()[bad][0]
            raise ShapeError(
                f"the column {name!r} of a table of responses takes finite numbers; {int(bad.sum())} of {len(table)} "
                f"rows hold something else, first {first!r}; leave those rows out, or those stimuli."
            )
    absent = [name for name in ("stimulus", "unit", "transformation") if table[name].isna().any()]
    if absent:
        raise ShapeError(f"the column {absent[0]!r} of a table of responses has rows without a value; fill them in.")
    return table.assign(**numbers)
