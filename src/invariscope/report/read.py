"""What a run directory says, read for the page: run.json, the tables and the index of example images."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet

from invariscope.core.errors import RunError
from invariscope.core.words import MINUS, tidy

_NAMES = (
    "transformation",
    "class",
    "predicted",
    "criterion",
    "side",
    "group",
    "layer",
    "measure",
    "verdict",
    "network",
)
_INTERVAL = ("low", "high")
COLUMNS: dict[str, tuple[str, ...]] = {
    "verdicts": (
        *("transformation", "magnitude", "group", "tolerated", "verdict", "layer", "n_active", "n_images"),
        *("invariant_share", "specialized_share", "neither_share", *_INTERVAL),
        *("ablation_invariant", "ablation_invariant_cost", "ablation_invariant_control"),
        *("ablation_specialized", "ablation_specialized_cost", "ablation_specialized_control"),
        *("ablation_invariant_low", "ablation_invariant_high", "ablation_specialized_low", "ablation_specialized_high"),
        *("relative_accuracy", "relative_accuracy_low", "relative_accuracy_high"),
    ),
    "curves": (
        *("transformation", "magnitude", "unit_of_measure", "class", "n", "accuracy", "accuracy_low", "accuracy_high"),
        *("agreement", "agreement_low", "agreement_high", "softmax_true", "softmax_true_low", "softmax_true_high"),
    ),
    "thresholds": (
        *("transformation", "class", "criterion", "level", "side", "threshold", *_INTERVAL),
        *("bracket_low", "bracket_high", "censored", "reentries", "n"),
    ),
    "predictions": ("transformation", "magnitude", "class", "predicted", "n"),
    "layers": (
        *("layer", "transformation", "magnitude", "group", "measure", "n_units", "n_dead", "mean", *_INTERVAL),
        *("q25", "median", "q75", "null", "noise_floor"),
    ),
    "units": ("layer", "unit", "transformation", "magnitude", "group", "invariance", "specialization", "null"),
    "paradigm": (
        *("transformation", "k", "seed", "network", "clean", "within", "across", "invariance_seen"),
        *("invariance_unseen", "specialization", "n_classes", "magnitude"),
        *("within_low", "within_high", "across_low", "across_high"),
    ),
}


@dataclass(frozen=True)
class RunData:
    """One run directory.

    Args:
        path: the directory.
        info: what run.json says.
        tables: by name, with all of `COLUMNS`; a column the run does not have is NaN, a table it does not have empty.
        examples: the index of the example images.
        title: what the run is called on the page it is a part of.
        parts: runs that are shown below this one.
    """

    path: Path
    info: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    examples: list[dict[str, Any]] = field(default_factory=list)
    title: str | None = None
    parts: tuple["RunData", ...] = ()

    def __getattr__(self, name: str) -> pd.DataFrame:
        tables: dict[str, pd.DataFrame] = self.__dict__.get("tables", {})
        if name in tables:
            return tables[name]
        raise AttributeError(name)

    @property
    def configuration(self) -> dict[str, Any]:
        """The resolved settings of the run."""
        return dict(self.info.get("configuration") or {})

    def setting(self, name: str, default: Any) -> Any:
        """One setting, or its default where the run does not tell."""
        value = self.configuration.get(name)
        return default if value is None else value

    def trait(self, transformation: str, name: str, default: Any) -> Any:
        """What run.json says about a transformation: unit_of_measure, identity, magnitudes, summary."""
        value = (self.info.get("transformations") or {}).get(transformation, {}).get(name)
        return default if value is None else value

    def units(self, strengths: Sequence[tuple[str, float]]) -> pd.DataFrame:
        """The rows of the units table of these (transformation, magnitude) pairs, all images together."""
        folder = self.path / "units"
        files = sorted(folder.glob("*.parquet")) if folder.is_dir() else [self.path / "units.parquet"]
        wanted = [
            [("group", "==", "all"), ("transformation", "==", name), ("magnitude", "==", float(magnitude))]
            for name, magnitude in strengths
        ]
        frames = [_table(file, "units", wanted) for file in files if strengths and file.exists()]
        frames = [frame for frame in frames if len(frame)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS["units"]))


def read_run(path: Path, title: str | None = None) -> RunData:
    """Read a run directory, and the runs that are its parts.

    Args:
        path: the directory.
        title: what the page calls it.

    Raises:
        RunError: it is no run, or a file of it is damaged.
    """
    info = read_info(path)
    tables = {name: _table(path / f"{name}.parquet", name) for name in COLUMNS if name != "units"}
    index = path / "examples" / "index.json"
    parts = tuple(read_run(path / place, tidy(name)) for place, name in map(_part, info.get("parts") or ()))
    return RunData(path, info, tables, _json(index) if index.exists() else [], title, parts)


def read_info(path: Path) -> dict[str, Any]:
    """What the run.json of a directory says.

    Args:
        path: the directory.

    Raises:
        RunError: it is no run, or the file is damaged.
    """
    file = path / "run.json"
    if not file.exists():
        raise RunError(f"{path} is no run: it has no run.json; give the directory that --out named.")
    info = _json(file)
    if not isinstance(info, dict):
        raise RunError(f"{file} is damaged: it holds no object; measure again with --overwrite.")
    return info


def _part(part: Any) -> tuple[str, str]:
    """Where a part lies and what it is called: as run.json says, or by its folder's name."""
    if isinstance(part, dict):
        return str(part["path"]), str(part.get("title") or part["path"])
    return str(part), f"{str(part).replace('-', ' ').capitalize()}: full measurement"


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise RunError(f"{file} is damaged: {error}; measure again with --overwrite.") from error


def _table(file: Path, name: str, wanted: list[list[tuple[str, str, Any]]] | None = None) -> pd.DataFrame:
    columns = COLUMNS[name]
    if not file.exists():
        return pd.DataFrame({column: pd.Series(dtype=object if column in _NAMES else float) for column in columns})
    try:
        there = [column for column in parquet.read_schema(file).names if column in columns]
        frame = pd.read_parquet(file, columns=there, filters=wanted)
    except (OSError, ValueError) as error:
        raise RunError(f"{file} is damaged: {error}; measure again with --overwrite.") from error
    frame = frame.reindex(columns=list(columns))
    for column in columns:
        if column in _NAMES or column == "unit_of_measure":
            places, names = pd.factorize(frame[column].astype(object))
            words = np.array([*(tidy(name) for name in names), ""], dtype=object)
            frame[column] = words[places]
        else:
            frame[column] = frame[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    if "side" in columns:
        frame["side"] = frame["side"].str.replace("-", MINUS)
    return frame
