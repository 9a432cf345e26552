"""A run directory: finished parts survive a kill, and nothing that is finished is overwritten by accident."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as parquet

from invariscope.core.errors import RunError
from invariscope.core.files import whole

TABLES = ("verdicts", "curves", "softmax", "predictions", "thresholds", "units", "layers", "outcomes")
# The same images follow one another at every magnitude; their differences take no room.
_ENCODED: dict[str, dict[str, Any]] = {
    "outcomes": {
        "use_dictionary": ["transformation", "magnitude", "class", "predicted"],
        "column_encoding": {"image": "DELTA_BINARY_PACKED"},
    }
}
_PLAN, _PARTS, _INFO = ".plan.json", ".parts", "run.json"

Part = Mapping[str, pd.DataFrame]


def key_of(plan: Mapping[str, Any]) -> str:
    """A short name for everything that decides a run's numbers.

    Example:
        >>> key_of({"seed": 0}) == key_of({"seed": 0}), key_of({"seed": 0}) == key_of({"seed": 1})
        (True, False)
    """
    return hashlib.blake2b(json.dumps(plan, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Store:
    """A run directory while it is being filled.

    Args:
        path: the directory.
        plan: all that decides the run's numbers; plain values.
        done: the directory already holds this very run, finished.
        made: the directory was made for this run.
    """

    path: Path
    plan: Mapping[str, Any]
    done: bool = False
    made: bool = False

    @classmethod
    def open(cls, path: Path, plan: Mapping[str, Any], *, resume: bool, overwrite: bool) -> "Store":
        """Claim a directory for a run.

        Args:
            path: the directory; is made.
            plan: all that decides the run's numbers.
            resume: go on with what lies there if it is the same run.
            overwrite: throw away what lies there if it is a run.

        Raises:
            RunError: the directory holds another run, or this one and neither `resume` nor `overwrite` was said.
        """
        if path.exists() and not path.is_dir():
            raise RunError(f"{path} is a file, not a directory; choose another place with --out.")
        marker = next((path / name for name in (_INFO, _PLAN) if (path / name).exists()), None)
        if marker is not None and overwrite:
            clear(path)
            marker = None
        if marker is not None:
            state = "a finished run" if marker.name == _INFO else "an unfinished run"
            if not resume:
                raise RunError(f"{path} holds {state}; say --resume to go on with it, --overwrite, or another --out.")
            if _key_in(marker) != key_of(plan):
                raise RunError(
                    f"{path} holds {state} with other settings, images or weights, so it cannot be resumed; "
                    "say --overwrite to replace it, or choose another --out."
                )
            _clear_drafts(path / _PARTS)
            return cls(path, plan, done=marker.name == _INFO)
        store = cls(path, plan, made=not path.exists())
        with store.filling():
            _write_json(path / _PLAN, {"key": key_of(plan), "plan": plan})
        return store

    @contextmanager
    def filling(self, parts: str = _PARTS) -> Iterator[None]:
        """Within the block parts are added; after an error before the first is finished, no trace is left.

        Args:
            parts: the folder that finished parts are in.
        """
        kept = self.path / parts
        try:
            yield
        except Exception:
            _clear_drafts(kept)
            with suppress(OSError):
                kept.rmdir()
            if not kept.exists():
                (self.path / _PLAN).unlink(missing_ok=True)
                if self.made:
                    with suppress(OSError):
                        self.path.rmdir()
            raise

    def has(self, name: str) -> bool:
        """Whether a part is finished."""
        return (self.path / _PARTS / name).is_dir()

    def spool(self) -> Path:
        """Where temporary files of the run lie."""
        return self.path / _PARTS

    def add(
        self,
        name: str,
        tables: Part,
        files: Callable[[Path], list[dict[str, Any]]] | None = None,
        negative_sites: Sequence[str] = (),
    ) -> None:
        """Write a finished part, all or nothing: its tables, its pictures and their index, its sites of two signs."""
        with whole(self.path / _PARTS / name) as draft:
            draft.mkdir()
            for table, frame in tables.items():
                how = _ENCODED.get(table, {})
                frame.to_parquet(draft / f"{table}.parquet", index=False, compression="zstd", **how)
            (draft / "examples").mkdir()
            index = files(draft / "examples") if files else []
            (draft / "index.json").write_text(json.dumps(index))
            (draft / "negative.json").write_text(json.dumps(list(negative_sites)))

    def negative_sites(self) -> set[str]:
        """The sites where any finished part met negative responses."""
        files = sorted((self.path / _PARTS).glob("*/negative.json"))
        return {name for file in files for name in json.loads(file.read_text())}

    def finish(
        self, order: Sequence[str], info: Mapping[str, Any], describe: str, *, split_units: bool = False
    ) -> None:
        """Put the parts together, in `order`, and write run.json last: where it lies, the run is complete.

        Args:
            order: names of the parts.
            info: the content of run.json.
            describe: the content of README.txt.
            split_units: one file per layer under units/, for tables of very many units.
        """
        parts = [self.path / _PARTS / name for name in order]
        for table in TABLES:
            files = [part / f"{table}.parquet" for part in parts if (part / f"{table}.parquet").exists()]
            if table == "outcomes":
                self._append(table, files)
                continue
            frames = [frame for file in files if len(frame := pd.read_parquet(file))]
            if frames or files:
                joined = pd.concat(frames, ignore_index=True) if frames else pd.read_parquet(files[0])
                if split_units and table == "units":
                    self._split(joined)
                    continue
                with whole(self.path / f"{table}.parquet") as draft:
                    joined.to_parquet(draft, index=False, compression="zstd")
        with whole(self.path / "examples") as draft:
            draft.mkdir()
            index: list[dict[str, Any]] = []
            for part in parts:
                index += json.loads((part / "index.json").read_text())
                for picture in sorted((part / "examples").iterdir()):
                    shutil.copyfile(picture, draft / picture.name)
            (draft / "index.json").write_text(json.dumps(index, indent=1))
        with whole(self.path / "README.txt") as draft:
            draft.write_text(describe)
        _write_json(self.path / _INFO, {**info, "key": key_of(self.plan)})
        (self.path / _PLAN).unlink(missing_ok=True)
        shutil.rmtree(self.path / _PARTS, ignore_errors=True)

    def _append(self, table: str, files: Sequence[Path]) -> None:
        """Put a long table together without holding it: a row group per part."""
        if not files:
            return
        with whole(self.path / f"{table}.parquet") as draft:
            schema = parquet.read_schema(files[0])
            with parquet.ParquetWriter(draft, schema, compression="zstd", **_ENCODED[table]) as joined:
                for file in files:
                    joined.write_table(parquet.read_table(file))

    def _split(self, units: pd.DataFrame) -> None:
        with whole(self.path / "units") as draft:
            draft.mkdir()
            for place, (layer, rows) in enumerate(units.groupby("layer", sort=False)):
                name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in str(layer))
                file = draft / f"{place:03d}-{name}.parquet"
                rows.to_parquet(file, index=False, compression="zstd")


def clear(path: Path) -> None:
    """Remove a run from its directory; files that no run writes stay."""
    for name in (_INFO, _PLAN, "README.txt", "report.html", *(f"{table}.parquet" for table in TABLES)):
        (path / name).unlink(missing_ok=True)
    for name in (_PARTS, "examples", "figures", "units"):
        shutil.rmtree(path / name, ignore_errors=True)


def _clear_drafts(parts: Path) -> None:
    """Remove what a run that was killed left half written: drafts of parts, and responses in temporary files."""
    for draft in parts.glob(".*"):
        shutil.rmtree(draft, ignore_errors=True)


def _key_in(marker: Path) -> str:
    try:
        return str(json.loads(marker.read_text())["key"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunError(f"{marker} cannot be read as a run; say --overwrite to replace it.") from error


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with whole(path) as draft:
        draft.write_text(json.dumps(content, indent=1, default=str) + "\n")
