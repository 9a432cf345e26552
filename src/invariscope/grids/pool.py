"""Many jobs in several processes of one thread each, with the results of doing them one after another."""

import multiprocessing
import pickle
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

import torch

from invariscope.core.errors import RunError, SettingError
from invariscope.core.files import whole
from invariscope.core.progress import Progress, Silent
from invariscope.grids.relay import Sender, Together, current_progress, receiving, set_current
from invariscope.grids.threads import one_thread

J = TypeVar("J")
R = TypeVar("R")
S = TypeVar("S")

_shared: Any = None


def run_jobs(
    work: Callable[[S, J], R],
    shared: S,
    jobs: Sequence[J],
    workers: int = 2,
    progress: Progress | None = None,
    what: str = "jobs",
    steps: bool = False,
) -> list[R]:
    """Do jobs in worker processes; the results are those of one process, in the order of the jobs.

    Args:
        work: a function of a module, called with `shared` and a job; what it shall keep, it writes itself.
        shared: sent to each worker once.
        jobs: what there is to do.
        workers: how many processes; 1 works here.
        progress: told of every finished job, or of the jobs' own steps.
        what: the jobs' noun in the plural, for progress and messages.
        steps: the jobs report their own steps to `current_progress`, and those are shown.

    Returns:
        One result per job.

    Raises:
        SettingError: there is less than one worker.
        RunError: a worker process died; what was finished before was kept by `work`.

    Example:
        >>> run_jobs(pow, 2, [1, 2, 3], workers=1)
        [2, 4, 8]
    """
    if workers < 1:
        raise SettingError(f"workers takes 1 or more processes; got {workers}.")
    progress = progress or Silent()
    inner, outer = (progress, Silent()) if steps else (Silent(), progress)
    outer.start(what, len(jobs))
    if min(workers, len(jobs)) <= 1:
        return list(_here(work, shared, jobs, inner, outer))
    context = multiprocessing.get_context("spawn")
    results: dict[int, R] = {}
    # In a file, because a worker that dies while a long message is sent to it would leave us waiting for ever.
    with receiving(context, inner) as queue, tempfile.TemporaryDirectory(prefix="invariscope-") as folder:
        file = Path(folder) / "shared"
        with whole(file) as draft:
            draft.write_bytes(pickle.dumps(shared))
        pool = ProcessPoolExecutor(min(workers, len(jobs)), context, _begin, (file, queue))
        try:
            places = {pool.submit(_do, work, job): place for place, job in enumerate(jobs)}
            for future in as_completed(places):
                results[places[future]] = future.result()
                outer.advance()
        except BrokenProcessPool as error:
            raise RunError(
                f"a worker process ended after {len(results)} of {len(jobs)} {what}: it ran out of memory or was "
                'killed, or your script lacks if __name__ == "__main__". What is finished is kept; repeat the call '
                "to go on."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return [results[place] for place in range(len(jobs))]


def _here(work: Callable[[S, J], R], shared: S, jobs: Sequence[J], inner: Progress, outer: Progress) -> Iterator[R]:
    before = current_progress()
    set_current(Together(inner))
    try:
        with one_thread():
            for job in jobs:
                yield work(shared, job)
                outer.advance()
    finally:
        set_current(before)


def _begin(file: Path, queue: Any) -> None:
    global _shared
    # Ctrl-C reaches the whole group: a worker then ends at once and without a traceback; its parent speaks.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(1)
    _shared = pickle.loads(file.read_bytes())
    set_current(Sender(queue))


def _do(work: Callable[[S, J], R], job: J) -> R:
    return work(_shared, job)
