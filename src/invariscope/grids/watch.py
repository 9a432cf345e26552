"""What a grid tells of its jobs while they are done."""

from typing import Protocol, runtime_checkable

from invariscope.core.progress import Progress, Silent
from invariscope.grids.job import Job


@runtime_checkable
class Watcher(Progress, Protocol):
    """Progress that also hears of single jobs; `run_grid` tells it when it has these methods."""

    def found(self, jobs: int) -> None:
        """So many jobs were finished before."""

    def started(self, job: Job) -> None:
        """A worker began a job."""

    def stepped(self, job: Job, done: int, total: int) -> None:
        """A running job has done so many of its own steps."""

    def finished(self, job: Job, seconds: float) -> None:
        """A job's results are kept."""

    def failed(self, job: Job, reason: str, again: bool) -> None:
        """An attempt failed; `again` says that there will be another."""

    def note(self, sentence: str) -> None:
        """Something that a person who waits wants to know."""


class Deaf:
    """A watcher around plain progress, which hears of numbers only."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def start(self, what: str, total: int) -> None:
        """Pass it on."""
        self._progress.start(what, total)

    def advance(self, steps: int = 1) -> None:
        """Pass it on."""
        self._progress.advance(steps)

    def found(self, jobs: int) -> None:
        """Show nothing."""

    def started(self, job: Job) -> None:
        """Show nothing."""

    def stepped(self, job: Job, done: int, total: int) -> None:
        """Show nothing."""

    def finished(self, job: Job, seconds: float) -> None:
        """Show nothing."""

    def failed(self, job: Job, reason: str, again: bool) -> None:
        """Show nothing."""

    def note(self, sentence: str) -> None:
        """Show nothing."""


def watcher(progress: Progress | None) -> Watcher:
    """Any progress, as something that can be told everything.

    Example:
        >>> watcher(None).note("nobody hears this")
    """
    return progress if isinstance(progress, Watcher) else Deaf(progress or Silent())
