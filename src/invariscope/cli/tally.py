"""The numbers of a grid while it runs: what is done, what runs, how fast, how long still."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from invariscope.grids.job import Job


@dataclass
class Running:
    """A job that a worker has."""

    label: str
    since: float
    done: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        """What part of its own steps is done; 0 when it tells of none."""
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass
class Tally:
    """A `grids.watch.Watcher` that only counts.

    Args:
        clock: seconds.

    Example:
        >>> tally = Tally(clock=lambda: 0.0)
        >>> tally.start("trainings", 4)
        >>> tally.advance()
        >>> tally.line()
        '1 of 4 trainings done'
    """

    clock: Callable[[], float] = time.monotonic
    what: str = ""
    total: int = 0
    done: int = 0
    before: int = 0
    failures: int = 0
    last: str = ""
    told: str = ""
    running: dict[str, Running] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def start(self, what: str, total: int) -> None:
        """Begin to count."""
        self.what, self.total, self.began = what, total, self.clock()
        self.done = self.before = self.failures = 0
        self.running = {}

    def advance(self, steps: int = 1) -> None:
        """Jobs are done, or were found."""
        self.done += steps

    def found(self, jobs: int) -> None:
        """They cost no time now."""
        self.before += jobs

    def started(self, job: Job) -> None:
        """A worker has it."""
        self.running[job.key] = Running(job.name, self.clock())

    def stepped(self, job: Job, done: int, total: int) -> None:
        """It gets on."""
        if job.key in self.running:
            self.running[job.key].done, self.running[job.key].total = done, total

    def finished(self, job: Job, seconds: float) -> None:
        """It runs no more."""
        self.running.pop(job.key, None)

    def failed(self, job: Job, reason: str, again: bool) -> None:
        """It runs no more, and may be tried again."""
        self.running.pop(job.key, None)
        self.failures += not again
        self.last = f"{job.name}: {reason}" + (" (tried again)" if again else "")

    def note(self, sentence: str) -> None:
        """Remember what was said last."""
        self.told = sentence

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began

    @property
    def worth(self) -> float:
        """Jobs that were done now, with the parts of those that run."""
        return self.done - self.before + sum(job.share for job in list(self.running.values()))

    @property
    def rate(self) -> float:
        """Jobs a second; NaN until something is done."""
        return self.worth / self.elapsed if self.worth > 0 and self.elapsed > 0 else math.nan

    @property
    def left(self) -> float:
        """Seconds until the end at this rate; NaN while that is unknown."""
        return max(0.0, self.total - self.before - self.failures - self.worth) / self.rate

    def line(self) -> str:
        """All of it in one line."""
        parts = [f"{self.done} of {self.total} {self.what} done"]
        if self.before:
            parts[0] += f" ({self.before} found)"
        if self.failures:
            parts.append(f"{self.failures} failed")
        if self.running:
            parts.append(f"{len(self.running)} running")
        if not math.isnan(self.rate) and not math.isnan(self.left) and self.done < self.total:
            parts += [pace(self.rate), f"about {duration(self.left)} left"]
        return ", ".join(parts)


def pace(rate: float) -> str:
    """Jobs a second, in the unit that gives a number above 1.

    Example:
        >>> pace(2.5), pace(0.05), pace(0.0005)
        ('2.5/s', '3/min', '1.8/h')
    """
    for unit, factor in (("s", 1), ("min", 60)):
        if rate * factor >= 1:
            return f"{rate * factor:.2g}/{unit}"
    return f"{rate * 3600:.2g}/h"


def duration(seconds: float) -> str:
    """A time as people say it.

    Example:
        >>> duration(12), duration(75), duration(3720), duration(float("nan"))
        ('12 s', '1 min 15 s', '1 h 02 min', '–')
    """
    if math.isnan(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
