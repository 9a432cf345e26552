"""One attempt at one job, in whatever process it happens."""

import errno
import os
import platform
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from invariscope.core.errors import InvariscopeError, StorageError
from invariscope.grids.job import Job, function_of
from invariscope.grids.store import finished, keep, log


@dataclass(frozen=True)
class Attempt:
    """A job that an engine shall do once.

    Args:
        job: which.
        folder: the grid's, as an absolute path.
        number: 1 for the first attempt.
    """

    job: Job
    folder: Path
    number: int = 1


@dataclass(frozen=True)
class Trouble:
    """Why an attempt failed; plain values, so that it passes between processes.

    Args:
        reason: in one line.
        text: the whole traceback.
        full: the disk is full, which no other attempt would change.
        certain: the job's settings are refused, which no other attempt would change.
    """

    reason: str
    text: str = ""
    full: bool = False
    certain: bool = False

    @classmethod
    def of(cls, error: BaseException) -> "Trouble":
        """What an exception tells."""
        name = "" if isinstance(error, InvariscopeError) else f"{type(error).__name__}: "
        reason = " ".join(f"{name}{error}".split())[:400]
        text = "".join(traceback.format_exception(error)).rstrip()
        refused = isinstance(error, InvariscopeError) and not isinstance(error, StorageError)
        return cls(reason, text, full=_full(error), certain=refused)


def perform(attempt: Attempt) -> None:
    """Do a job and keep its results; errors of its work go through.

    Args:
        attempt: which job, and where its results go.
    """
    job, folder = attempt.job, attempt.folder
    start = time.monotonic()
    if finished(job, folder):
        return
    keep(job, function_of(job.work)(dict(job.settings), folder), folder)
    seconds = round(time.monotonic() - start, 3)
    log(job, folder, seconds=seconds, attempt=attempt.number, host=platform.node(), process=os.getpid())


def _full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
