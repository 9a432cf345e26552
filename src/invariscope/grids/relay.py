"""What a running job tells of its own steps, whatever process it runs in."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from invariscope.core.progress import Progress, Silent

_current: Progress = Silent()


def current_progress() -> Progress:
    """Where a job of a grid reports its steps; nowhere outside of a grid.

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
