"""Progress that comes from several processes and is shown as one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from threading import Lock, Thread
from typing import Any

from invariscope.core.progress import Progress, Silent

_current: Progress = Silent()


def current_progress() -> Progress:
    """Where a job that `run_jobs` does reports its steps; nowhere outside of `run_jobs`.

    Example:
        >>> current_progress().start("images", 3)
    """
    return _current


def set_current(progress: Progress) -> None:
    """Say where the jobs of this process report to."""
    global _current
    _current = progress


@contextmanager
def reporting(progress: Progress) -> Iterator[None]:
    """Within the block, a job's steps are told to `progress`."""
    before = current_progress()
    set_current(progress)
    try:
        yield
    finally:
        set_current(before)


class Steps:
    """A job's own steps, added up over its pieces of work and told a few times a second.

    Args:
        tell: is given the steps that are done and those there are.
        every: seconds between two messages.

    Example:
        >>> steps = Steps(lambda done, total: print(done, "of", total), every=0)
        >>> steps.start("images", 2)
        0 of 2
        >>> steps.advance()
        1 of 2
    """

    def __init__(self, tell: Callable[[int, int], None], every: float = 0.5) -> None:
        self._tell, self._every, self._next = tell, every, 0.0
        self.total = self.done = 0

    def start(self, what: str, total: int) -> None:
        """The job begins a piece of work of `total` steps."""
        self.total += total
        self._perhaps()

    def advance(self, steps: int = 1) -> None:
        """The job has done some steps."""
        self.done += steps
        self._perhaps()

    def _perhaps(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._every
            self._tell(self.done, self.total)


class Together:
    """The steps of several jobs, added up as they begin.

    Args:
        progress: is told of the sum.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress, self._lock = progress, Lock()
        self.total = self.done = 0

    def start(self, what: str, total: int) -> None:
        """One more job begins a piece of work of `total` steps."""
        with self._lock:
            self.total += total
            self._progress.start(what, self.total)
            if self.done:
                self._progress.advance(self.done)

    def advance(self, steps: int = 1) -> None:
        """Steps that one of the jobs has done."""
        with self._lock:
            self.done += steps
            self._progress.advance(steps)


class Sender:
    """Progress in a worker process, which sends it to the process that shows it.

    Args:
        queue: of `receiving`.
    """

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def start(self, what: str, total: int) -> None:
        """Send the beginning of a piece of work."""
        self._queue.put((what, total))

    def advance(self, steps: int = 1) -> None:
        """Send steps that are done."""
        self._queue.put((None, steps))


@contextmanager
def receiving(context: BaseContext, progress: Progress) -> Iterator[Any]:
    """Within the block, what workers send to the queue is told to `progress`.

    Args:
        context: how the processes are started.
        progress: is told of the sum over the workers.

    Yields:
        A queue for `Sender`.
    """
    queue = context.Queue()
    together = Together(progress)

    def listen() -> None:
        while (message := queue.get()) is not None:
            what, steps = message
            if what is None:
                together.advance(steps)
            else:
                together.start(what, steps)

    thread = Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield queue
    finally:
        # A worker that was killed in the middle of a message holds the queue's lock: never wait for it at exit.
        queue.cancel_join_thread()
        queue.put(None)
        thread.join(timeout=5)
        queue.close()
