"""A sweep's directory: claimed before its jobs begin, complete when its tables are joined."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invariscope.core.errors import RunError
from invariscope.core.files import whole
from invariscope.grids.job import Job
from invariscope.grids.sweep import Sweep

_INFO, _PLAN = "run.json", ".plan.json"
_FOLDERS, _FILES = ("jobs", "failures", "log"), (_INFO, _PLAN, "sweep.toml", "report.html")


def claim(out: Path, sweep: Sweep, text: str, *, overwrite: bool = False) -> int:
    """Make a directory ready for a sweep, or for going on with it: finished jobs are found by their settings.

    Args:
        out: the directory; is made.
        sweep: what will be done.
        text: of the sweep's file, kept as sweep.toml.
        overwrite: throw away what an earlier sweep left there.

    Returns:
        How many finished jobs lie there that do not belong to this sweep, because an earlier one was wider.

    Raises:
        RunError: something else lies there, or a sweep with another work.
        StorageError: the directory cannot be written to.
    """
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file, not a directory; choose another place with --out.")
    before = _read(out)
    if before is not None:
        if before.get("kind") != "sweep":
            raise RunError(f"{out} holds something else than a sweep; choose another place with --out.")
        work = before["configuration"]["work"]
        if overwrite:
            _clear(out)
        elif work != sweep.work:
            raise RunError(
                f"{out} holds a sweep of {work}, and this one is of {sweep.work}; say --overwrite to replace it, or "
                "choose another --out."
            )
    if not is_complete(out, sweep):
        _write(out / _PLAN, {"kind": "sweep", "configuration": sweep.configuration})
        (out / _INFO).unlink(missing_ok=True)
    with whole(out / "sweep.toml") as draft:
        draft.write_text(text, encoding="utf-8")
    return _others(out, sweep.jobs)


def complete(out: Path, sweep: Sweep) -> dict[str, int]:
    """Join the tables of the jobs that are finished.

    Args:
        out: the sweep's directory.
        sweep: what was done.

    Returns:
        The number of rows of each table.
    """
    tables = sweep.tables(out)
    for name, table in tables.items():
        with whole(out / f"{name}.parquet") as draft:
            table.to_parquet(draft, index=False, compression="zstd")
    return {name: len(table) for name, table in tables.items()}


def is_complete(out: Path, sweep: Sweep) -> bool:
    """Whether run.json says that this very sweep is finished."""
    try:
        info = json.loads((out / _INFO).read_text(encoding="utf-8"))
        return bool(info["configuration"] == json.loads(json.dumps(sweep.configuration)))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _others(out: Path, jobs: list[Job]) -> int:
    own = {job.key for job in jobs}
    return sum(1 for file in (out / "jobs").glob("*/job.json") if file.parent.name not in own)


def _read(out: Path) -> dict[str, Any] | None:
    marker = next((out / name for name in (_PLAN, _INFO) if (out / name).exists()), None)
    if marker is None:
        return None
    try:
        content = json.loads(marker.read_text(encoding="utf-8"))
        if isinstance(content, dict) and (content.get("kind") != "sweep" or "work" in content["configuration"]):
            return content
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise RunError(f"{marker} cannot be read as a sweep; choose another place with --out.")


def _clear(out: Path) -> None:
    tables = {file.name for file in (out / "jobs").glob("*/*.parquet")}
    for name in (*_FILES, *tables):
        (out / name).unlink(missing_ok=True)
    for name in _FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with whole(path) as draft:
        draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
