"""Where a grid's results lie: a folder per finished job, written whole, and notes on those that failed."""

import json
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.errors import SettingError, StorageError
from invariscope.core.files import whole
from invariscope.grids.job import Job

_TABLE = re.compile(r"[A-Za-z][\w-]*")


def place(job: Job, folder: Path) -> Path:
    """The folder of a job's results; it holds job.json and a table per file, and nothing that depends on the engine.

    Example:
        >>> job = Job("math:sqrt", {"x": 2})
        >>> place(job, Path("grid")).as_posix() == f"grid/jobs/{job.key}"
        True
    """
    return folder / "jobs" / job.key


def finished(job: Job, folder: Path) -> bool:
    """Whether a job's results lie in a grid's folder: they are there whole or not at all.

    Example:
        >>> finished(Job("math:sqrt", {"x": 2}), Path("no-such-grid"))
        False
    """
    return (place(job, folder) / "job.json").is_file()


def keep(job: Job, tables: object, folder: Path) -> None:
    """Write a job's results, all or nothing.

    Args:
        job: what was done.
        tables: what it returned, which must be tables by name.
        folder: the grid's.

    Raises:
        SettingError: the work returned something else than tables by name.
        StorageError: the disk is full or does not let us write.
    """
    if not isinstance(tables, Mapping) or not all(
        _TABLE.fullmatch(str(name)) and isinstance(table, pd.DataFrame) for name, table in tables.items()
    ):
        raise SettingError(f"{job.work} must return tables (pandas.DataFrame) by name; got {tables!r:.200}.")
    try:
        with whole(place(job, folder)) as draft:
            draft.mkdir()
            for name, table in tables.items():
                table.to_parquet(draft / f"{name}.parquet", index=False, compression="zstd")
            _write(draft / "job.json", {"work": job.work, "settings": dict(job.settings)})
    except StorageError:
        # Another process, left over from a driver that was killed, may have finished the same job meanwhile.
        if not finished(job, folder):
            raise


def read_tables(jobs: Sequence[Job], folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of many jobs, each put together in the order of the jobs; those that are not finished are skipped.

    Args:
        jobs: whose tables are wanted.
        folder: the grid's.

    Returns:
        Rows of all jobs, by the name of the table.

    Example:
        >>> import tempfile
        >>> folder, jobs = Path(tempfile.mkdtemp()), [Job("math:sqrt", {"x": x}) for x in (1, 4)]
        >>> for job in jobs:
        ...     keep(job, {"roots": pd.DataFrame({"root": [job.settings["x"] ** 0.5]})}, folder)
        >>> read_tables(jobs, folder)["roots"].root.tolist()
        [1.0, 2.0]
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    for job in jobs:
        for name, table in tables_of(job, folder).items():
            parts.setdefault(name, []).append(table)
    return {name: joined(tables) for name, tables in parts.items()}


def tables_of(job: Job, folder: Path) -> dict[str, pd.DataFrame]:
    """One job's tables by name; none when it is not finished."""
    if not finished(job, folder):
        return {}
    return {file.stem: pd.read_parquet(file) for file in sorted(place(job, folder).glob("*.parquet"))}


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables below one another; those without rows only lend their columns when all are so."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


@dataclass(frozen=True)
class Failure:
    """A job that failed every time.

    Args:
        job: which.
        attempts: how often it was tried.
        reason: what went wrong last, in one line.
        file: where its settings and its traceback are written.
    """

    job: Job
    attempts: int
    reason: str
    file: Path


def note_failure(job: Job, troubles: Sequence[tuple[str, str]], folder: Path) -> Failure:
    """Write what is known of a job that failed: failures/KEY.txt, removed when the job succeeds later.

    Args:
        job: which.
        troubles: the reason in one line and the whole traceback of each attempt.
        folder: the grid's.

    Returns:
        The failure, with the file's place.
    """
    file = folder / "failures" / f"{job.key}.txt"
    told, before = "", None
    for number, (reason, text) in enumerate(troubles, 1):
        told += f"\nattempt {number}: {reason}\n" + ("(as before)\n" if text and text == before else f"{text}\n")
        before = text
    settings = json.dumps(dict(job.settings), indent=1, sort_keys=True)
    with whole(file) as draft:
        draft.write_text(
            f"label: {job.label}\nwork: {job.work}\nsettings: {settings}\nattempts: {len(troubles)}\n{told}",
            encoding="utf-8",
        )
    return Failure(job, len(troubles), troubles[-1][0], file)


def forget_failure(job: Job, folder: Path) -> None:
    """Remove the note on a job that failed earlier."""
    (folder / "failures" / f"{job.key}.txt").unlink(missing_ok=True)


def log(job: Job, folder: Path, **told: Any) -> None:
    """Keep what may differ from time to time: log/KEY.json with seconds, host and attempts."""
    with suppress(StorageError), whole(folder / "log" / f"{job.key}.json") as draft:
        _write(draft, {"label": job.label, **told})


def seconds_of(job: Job, folder: Path) -> float:
    """How long a finished job took; NaN when its log is lost."""
    try:
        return float(json.loads((folder / "log" / f"{job.key}.json").read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError):
        return float("nan")


def appears(job: Job, folder: Path, patience: float = 30.0) -> bool:
    """Whether a job that was finished elsewhere is seen here, where a network's file system may tell it late.

    Args:
        job: which.
        folder: the grid's.
        patience: how long to look, in seconds.
    """
    end = time.monotonic() + patience
    while not finished(job, folder):
        if time.monotonic() > end:
            return False
        with suppress(OSError):
            any(folder.joinpath("jobs").iterdir())
        time.sleep(0.1)
    return True


def clear_drafts(folder: Path) -> None:
    """Remove what processes that were killed left half written of jobs that are finished now."""
    for draft in (folder / "jobs").glob(".*"):
        if (folder / "jobs" / draft.name.split(".")[1] / "job.json").is_file():
            shutil.rmtree(draft, ignore_errors=True)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
