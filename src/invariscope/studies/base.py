"""What a study is: settings, the jobs that follow from them, and a tidy row for each."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

import pandas as pd

from invariscope.core.progress import Progress
from invariscope.core.registry import Registry
from invariscope.training.grid import run_jobs

Row = dict[str, Any]


@dataclass(frozen=True)
class Study(ABC):
    """An experiment: a frozen dataclass of settings whose jobs can be done in any order, in any process.

    An author writes `jobs`, `prepare`, `run`, the traits below, and a docstring whose first line asks the question.

    Attributes:
        source: the figure or table it stands for.
        noun: what its jobs are, in the plural.
    """

    source: ClassVar[str]
    noun: ClassVar[str] = "jobs"

    @abstractmethod
    def jobs(self) -> list[Row]:
        """The conditions of every job, as plain values."""

    @abstractmethod
    def prepare(self) -> Any:
        """What all jobs share, such as images; it is made once and sent to every worker process."""

    @abstractmethod
    def run(self, shared: Any, folder: Path, conditions: Row) -> Row:
        """One job: its conditions and what was found under them, as a row of the study's table.

        Args:
            shared: what `prepare` made.
            folder: where a job keeps what shall not be done twice.
            conditions: one of `jobs`.
        """

    @final
    def table(self, folder: Path, workers: int = 2, progress: Progress | None = None) -> pd.DataFrame:
        """All jobs, in worker processes; the same table for any number of them.

        Args:
            folder: where jobs keep what shall not be done twice, so that an interrupted study goes on.
            workers: how many processes.
            progress: told of every finished job.

        Returns:
            One row per job, in the order of `jobs`.
        """
        jobs = self.jobs()
        work: Callable[[Any, Row], Row] = _run
        rows = run_jobs(work, (self, self.prepare(), folder), jobs, workers, progress, self.noun)
        return pd.DataFrame(rows)


STUDIES: Registry[type[Study]] = Registry("study", "invariscope.studies")


def _run(shared: tuple[Study, Any, Path], job: Row) -> Row:
    study, prepared, folder = shared
    return study.run(prepared, folder, job)
