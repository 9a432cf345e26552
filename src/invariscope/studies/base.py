"""What a study is: settings, the jobs that follow from them, and what their tables say."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown
from invariscope.core.registry import Registry
from invariscope.findings.figures import Figure
from invariscope.findings.finding import Finding
from invariscope.grids.job import Job

Row = dict[str, Any]
Tables = Mapping[str, pd.DataFrame]
SCALES = ("smoke", "small", "paper")


@dataclass(frozen=True)
class Study(ABC):
    """An experiment: a frozen dataclass of settings whose jobs can be done in any order, in any process.

    An author writes `jobs`, `results`, `findings`, `figures`, the traits below, and a docstring whose first line asks
    the question.

    Attributes:
        source: the figure or table it stands for.
        noun: what its jobs are, in the plural.
        limits: what it cannot tell, a sentence each.
        scales: settings by scale: "smoke" (seconds), "small" (minutes, embedded data), "paper" (as published).
    """

    source: ClassVar[str]
    noun: ClassVar[str] = "jobs"
    limits: ClassVar[tuple[str, ...]] = ()
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    def at(cls, scale: str = "small", **settings: Any) -> "Study":
        """The study at a scale, with some settings of one's own.

        Args:
            scale: "smoke", "small" or "paper".
            settings: by name; they win over the scale's.

        Raises:
            SettingError: there is no such scale or setting.
        """
        if scale not in SCALES:
            raise SettingError(f"scale is smoke, small or paper; got {scale!r}.")
        known = [each.name for each in fields(cls)]
        for name in settings:
            if name not in known:
                raise SettingError(unknown("setting of this study", name, known))
        return cls(**{**cls.scales.get(scale, {}), **settings})

    def check(self) -> None:  # noqa: B027
        """Refuse settings that no job could be done with, before any is.

        Raises:
            InvariscopeError: what does not fit.
        """

    def settled(self, do: Callable[[Sequence[Job]], Tables]) -> "Study":
        """The study with the settings that must be found by jobs of their own before the others.

        Args:
            do: does such jobs and gives their tables.
        """
        return self

    @abstractmethod
    def jobs(self) -> list[Job]:
        """All jobs; each is decided by its settings alone."""

    @abstractmethod
    def results(self, tables: Tables) -> pd.DataFrame:
        """The study's tidy table from the jobs' tables.

        Args:
            tables: of all finished jobs, joined by name.

        Returns:
            Columns: the conditions, `seed` (empty in rows over all seeds), `quantity`, `value`, `low`, `high`, `n`,
            `unit_of_measure`, `source`.
        """

    def named(self, tables: Tables) -> Tables:
        """The jobs' tables with the names that the study's own tables and figures use."""
        return tables

    def more(self, tables: Tables, results: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Tables that the study makes besides, by name."""
        return {}

    @abstractmethod
    def findings(self, results: pd.DataFrame, tables: Tables) -> Sequence[Finding]:
        """What the tables say, in sentences.

        Args:
            results: of `results`.
            tables: all tables, those of `more` included.
        """

    @abstractmethod
    def figures(self) -> Sequence[Figure]:
        """What to draw of the tables."""


STUDIES: Registry[type[Study]] = Registry("study", "invariscope.studies")
