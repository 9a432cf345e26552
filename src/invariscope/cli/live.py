"""A grid while it runs: a live table on a terminal, a plain line now and then in a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invariscope.cli.tally import Tally, duration, pace
from invariscope.core.progress import Progress, Silent
from invariscope.grids.job import Job

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWN, EVERY = 12, 30.0


@contextmanager
def live(quiet: bool = False) -> Iterator[Progress]:
    """Within the block, what a grid tells is shown on standard error.

    Args:
        quiet: show nothing.

    Yields:
        A watcher for `run_grid`.

    Example:
        >>> with live(quiet=True) as progress:
        ...     progress.start("jobs", 3)
    """
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        lines = Lines(lambda text: print(text, file=sys.stderr, flush=True))
        yield lines
        lines.end()
    else:
        from rich.console import Console
        from rich.live import Live

        tally = Tally()
        console = Console(stderr=True)
        with Live(get_renderable=lambda: picture(tally), console=console, transient=True, refresh_per_second=4):
            yield tally
        if tally.total:
            console.print(tally.line(), highlight=False, markup=False)


class Lines(Tally):
    """A line for what was found, for every failure, every half minute and at the end.

    Args:
        say: prints a line.
        every: seconds between two lines.
    """

    def __init__(self, say: Callable[[str], None], every: float = EVERY) -> None:
        super().__init__()
        self._say, self._every, self._next, self._said = say, every, 0.0, ""

    def _print(self, text: str) -> None:
        self._say(text)
        self._said, self._next = text, self.clock() + self._every

    def end(self) -> None:
        """Say what came of it."""
        if self.total and self.line() != self._said:
            self._print(self.line())

    def found(self, jobs: int) -> None:
        """Say what need not be done again."""
        super().found(jobs)
        self._print(f"{jobs} of {self.total} {self.what} were finished before")

    def advance(self, steps: int = 1) -> None:
        """Say it now and then."""
        super().advance(steps)
        if self.done > self.before and self.clock() >= self._next:
            self._print(self.line())

    def failed(self, job: Job, reason: str, again: bool) -> None:
        """Say which and why."""
        super().failed(job, reason, again)
        self._print(f"{'failed, to be tried again' if again else 'failed'}: {job.name}: {reason}")

    def note(self, sentence: str) -> None:
        """Say it."""
        self._print(sentence)


def picture(tally: Tally) -> "RenderableType":
    """What a terminal shows of a grid.

    Args:
        tally: its numbers.

    Returns:
        A bar with rate and time left, a row for each running job, and what failed or was said last.
    """
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    if not tally.total:
        return Text("")
    head = Table.grid(padding=(0, 2))
    cells = [f"{tally.done}/{tally.total} {tally.what}", f"{len(tally.running)} running"]
    cells += [f"{tally.before} found"] * bool(tally.before)
    cells += [f"[red]{tally.failures} failed[/red]"] * bool(tally.failures)
    cells += [pace(tally.rate)] if tally.rate == tally.rate else []
    cells += [f"{duration(tally.elapsed)} elapsed", f"{duration(tally.left)} left"]
    head.add_row(ProgressBar(tally.total, tally.done, width=30), *cells)
    rows = Table.grid(padding=(0, 2))
    now, running = tally.clock(), list(tally.running.values())
    for job in running[:SHOWN]:
        bar = ProgressBar(1, job.share, width=20) if job.total else ""
        rows.add_row(" ", Text(job.label, overflow="ellipsis", no_wrap=True), duration(now - job.since), bar)
    more = [Text(f"   … and {len(running) - SHOWN} more")] if len(running) > SHOWN else []
    said = [Text(f"last failure: {tally.last}", style="red", overflow="ellipsis", no_wrap=True)] if tally.last else []
    said += [Text(tally.told, style="dim", overflow="ellipsis", no_wrap=True)] if tally.told else []
    return Group(head, rows, *more, *said)
