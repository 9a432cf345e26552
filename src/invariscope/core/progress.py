"""A progress bar with rate and time left, for long work that a person watches."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """What work reports to: how much of it there is, and each step that is done."""

    def start(self, what: str, total: int) -> None:
        """Begin a piece of work of `total` steps."""

    def advance(self, steps: int = 1) -> None:
        """Report steps that are done."""


class Silent:
    """Progress that nobody watches: what a Python call uses unless it is given another."""

    def start(self, what: str, total: int) -> None:
        """Begin nothing that is shown."""

    def advance(self, steps: int = 1) -> None:
        """Show nothing."""


class _Bar:
    def __init__(self, display: Any) -> None:
        self._display = display
        self._task: int | None = None

    def start(self, what: str, total: int) -> None:
        if self._task is not None:
            self._display.remove_task(self._task)
        self._task = self._display.add_task(what, total=total)

    def advance(self, steps: int = 1) -> None:
        self._display.advance(self._task, steps)


@contextmanager
def bar(quiet: bool = False) -> Iterator[Progress]:
    """Within the block, progress is drawn on standard error, unless quiet or not a terminal.

    Args:
        quiet: draw nothing.

    Yields:
        Progress to hand to the work.

    Example:
        >>> with bar(quiet=True) as progress:
        ...     progress.start("images", 3)
        ...     progress.advance()
    """
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Display
    from rich.text import Text

    class _Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Display(*columns, console=Console(stderr=True), transient=True) as display:
        yield _Bar(display)
