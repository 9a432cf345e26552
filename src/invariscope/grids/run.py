"""A grid: jobs that are done once, wherever an engine does them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from invariscope.core.errors import RunError, SettingError, StorageError
from invariscope.core.progress import Progress
from invariscope.grids.engines.base import Engine, Event, Failed, Finished, Said, Started, Stepped, make_engine
from invariscope.grids.job import Job
from invariscope.grids.perform import Attempt, Trouble
from invariscope.grids.store import (
    Failure,
    appears,
    clear_drafts,
    finished,
    forget_failure,
    note_failure,
    seconds_of,
)
from invariscope.grids.watch import Watcher, watcher


@dataclass(frozen=True)
class Outcome:
    """What became of a grid.

    Args:
        done: jobs that were finished now.
        found: jobs that had been finished before.
        failed: those that failed every time, in the order of the jobs.
        what: the jobs' noun in the plural.
    """

    done: int
    found: int
    failed: list[Failure]
    what: str = "jobs"

    def check(self) -> None:
        """Make nothing of failures that nobody saw.

        Raises:
            RunError: a job failed; the first is named, with the file that tells more.

        Example:
            >>> Outcome(3, 0, []).check()
        """
        if not self.failed:
            return
        first, total = self.failed[0], self.done + self.found + len(self.failed)
        times = f"{first.attempts} times" if first.attempts > 1 else "once"
        raise RunError(
            f"{len(self.failed)} of {total} {self.what} failed; the first is {first.job.name}, tried "
            f"{times}: {first.reason} More in {first.file}. What is finished is kept; repeat the command to try again."
        )


def run_grid(
    jobs: Sequence[Job],
    folder: Path,
    engine: str | Engine = "processes:2",
    *,
    progress: Progress | None = None,
    retries: int = 2,
    what: str = "jobs",
) -> Outcome:
    """Do the jobs that are not finished yet, anywhere; the results are those of doing them here, one after another.

    A job that raises an error, or whose worker dies, is tried again `retries` times, but not where its settings are
    refused; then it is given up, with its traceback in failures/KEY.txt, and the others go on. Whatever is killed, what
    is finished stays finished.

    Args:
        jobs: what there is to do; equal jobs are done once.
        folder: where results are kept; other machines must see it under the same path.
        engine: "serial", "processes:N", "dask://HOST:PORT", "dask-file:PATH", "slurm:partition=…,jobs=…", or an engine.
        progress: told of every finished job; a `grids.watch.Watcher` is told more.
        retries: how often a failed job is tried again.
        what: the jobs' noun in the plural, for progress and messages.

    Returns:
        How many jobs were done and found, and which failed.

    Raises:
        SettingError: the engine or the number of retries cannot be used.
        StorageError: the disk is full.
        RunError: no more jobs can be done, because the engine is gone or cannot see the folder.

    Example:
        >>> run_grid([], Path("grid"), "serial")
        Outcome(done=0, found=0, failed=[], what='jobs')
    """
    if retries < 0:
        raise SettingError(f"retries takes 0 or more; got {retries}.")
    chosen = make_engine(engine) if isinstance(engine, str) else engine
    grid = _Grid(jobs, Path(folder).resolve(), retries, watcher(progress), what)
    if grid.open:
        grid.run(chosen)
    return grid.outcome()


class _Grid:
    def __init__(self, jobs: Sequence[Job], folder: Path, retries: int, watch: Watcher, what: str) -> None:
        self.jobs = list({job.key: job for job in jobs}.values())
        self.folder, self.retries, self.watch, self.what = folder, retries, watch, what
        self.open = {job.key: job for job in self.jobs if not finished(job, folder)}
        self.found, self.done = len(self.jobs) - len(self.open), 0
        self.troubles: dict[str, list[Trouble]] = {}
        self.failures: dict[str, Failure] = {}
        self.watch.start(what, len(self.jobs))
        if self.found:
            self.watch.found(self.found)
            self.watch.advance(self.found)
            for job in self.jobs:
                if job.key not in self.open:
                    forget_failure(job, folder)

    def run(self, engine: Engine) -> None:
        first = [Attempt(job, self.folder) for job in self.open.values()]
        self.engine = engine
        try:
            engine.open(first)
            for attempt in first:
                engine.submit(attempt)
            while self.open:
                engine.wait(self.tell)
        except RunError as error:
            raise RunError(
                f"{error} {self.found + self.done} of {len(self.jobs)} {self.what} are finished and kept in "
                f"{self.folder}; repeat the command to go on."
            ) from error
        finally:
            engine.close()
            clear_drafts(self.folder)

    def tell(self, event: Event) -> None:
        match event:
            case Started(attempt):
                self.watch.started(attempt.job)
            case Stepped(attempt, done, total):
                self.watch.stepped(attempt.job, done, total)
            case Said(sentence):
                self.watch.note(sentence)
            case Finished(attempt):
                self.finish(attempt.job)
            case Failed(attempt, trouble):
                self.fail(attempt, trouble)

    def finish(self, job: Job) -> None:
        if self.open.pop(job.key, None) is None:
            return
        if not appears(job, self.folder):
            raise RunError(
                f"a worker finished {job.name}, but its results are not seen here: {self.folder} is not on "
                "a disk that all machines share."
            )
        forget_failure(job, self.folder)
        self.done += 1
        self.watch.finished(job, seconds_of(job, self.folder))
        self.watch.advance()

    def fail(self, attempt: Attempt, trouble: Trouble) -> None:
        job = attempt.job
        if job.key not in self.open:
            return
        if trouble.full:
            raise StorageError(
                f"the disk of {self.folder} is full, said {job.name} ({trouble.reason}); "
                f"{self.found + self.done} of {len(self.jobs)} {self.what} are finished and kept. Free some space and "
                "repeat the command to go on."
            )
        troubles = self.troubles.setdefault(job.key, [])
        troubles.append(trouble)
        again = len(troubles) <= self.retries and not trouble.certain
        self.watch.failed(job, trouble.reason, again)
        if again:
            self.engine.submit(Attempt(job, self.folder, len(troubles) + 1))
        else:
            del self.open[job.key]
            told = [(one.reason, one.text) for one in troubles]
            self.failures[job.key] = note_failure(job, told, self.folder)

    def outcome(self) -> Outcome:
        failed = [self.failures[job.key] for job in self.jobs if job.key in self.failures]
        return Outcome(self.done, self.found, failed, self.what)
