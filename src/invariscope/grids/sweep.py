"""A sweep: one work with every combination of some settings, as a file says it."""

import itertools
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.errors import InvariscopeError, SettingError
from invariscope.core.names import unknown
from invariscope.grids.job import Job
from invariscope.grids.store import joined, tables_of
from invariscope.grids.works import check_settings, settings_of, work_named

_ENTRIES = ("work", "gpu", "settings", "grid")


@dataclass(frozen=True)
class Sweep:
    """What a sweep does.

    Args:
        work: the name that the file gives.
        function: "package.module:function" that does it.
        settings: the same for all jobs.
        grid: values by setting; every combination is a job, the last setting varies fastest.
        gpu: the jobs want a GPU.

    Example:
        >>> sweep = Sweep("square", "mine:square", {"unit": "cm"}, {"x": [1, 2], "seed": [0, 1]})
        >>> [job.label for job in sweep.jobs]
        ['x=1 seed=0', 'x=1 seed=1', 'x=2 seed=0', 'x=2 seed=1']
    """

    work: str
    function: str
    settings: Mapping[str, Any]
    grid: Mapping[str, list[Any]]
    gpu: bool = False

    @cached_property
    def jobs(self) -> list[Job]:
        """A job for every combination."""
        return [
            Job(self.function, {**self.settings, **varied}, " ".join(f"{k}={v}" for k, v in varied.items()), self.gpu)
            for varied in (
                dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())
            )
        ]

    @property
    def configuration(self) -> dict[str, Any]:
        """What its directory says of it."""
        return {"work": self.work, "settings": dict(self.settings), "grid": dict(self.grid)}

    def tables(self, folder: Path) -> dict[str, pd.DataFrame]:
        """The tables of all finished jobs, each with the settings that vary as its first columns.

        Args:
            folder: the sweep's.

        Returns:
            Tables by name, in the order of the jobs. A column that a table has itself is not added again.
        """
        parts: dict[str, list[pd.DataFrame]] = {}
        for job in self.jobs:
            for name, table in tables_of(job, folder).items():
                values = {key: table[key] if key in table else _cell(job.settings[key]) for key in self.grid}
                rest = table.drop(columns=[key for key in self.grid if key in table])
                parts.setdefault(name, []).append(pd.concat([pd.DataFrame(values, index=table.index), rest], axis=1))
        return {name: joined(tables) for name, tables in parts.items()}


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def read_sweep(path: Path) -> Sweep:
    """A sweep from its file, with every name and value in it checked.

    Args:
        path: TOML with `work`, a table `settings`, a table `grid` of lists, and `gpu = true` where jobs want one.

    Returns:
        The sweep; its work can be imported here.

    Raises:
        SettingError: the file cannot be read, or says something that cannot be.
        UnknownNameError: no work is called so.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"the sweep {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"the sweep {path} is not TOML: {error}.") from error
    try:
        return _sweep_of(content)
    except InvariscopeError as error:
        raise SettingError(f"in {path}: {error}") from error


def _sweep_of(content: dict[str, Any]) -> Sweep:
    for name in content:
        if name not in _ENTRIES:
            raise SettingError(unknown("entry", name, _ENTRIES))
    for name, kind, words in (
        ("work", str, 'a work, as in work = "train", or "package.module:function" of your own'),
        ("settings", dict, "a table of what is the same for all jobs"),
        ("grid", dict, "a table of lists, as in seed = [0, 1, 2]"),
        ("gpu", bool, "true or false"),
    ):
        given = content.get(name, {"settings": {}, "gpu": False}.get(name))
        if not isinstance(given, kind):
            raise SettingError(f"{name} must be {words}; got {'nothing' if given is None else repr(given)}.")
        content[name] = given
    settings, grid = content["settings"], content["grid"]
    if not grid:
        raise SettingError("[grid] must list the values of at least one setting, as in seed = [0, 1, 2].")
    for name, values in grid.items():
        if not isinstance(values, list) or not values:
            raise SettingError(f"{name} under [grid] must be a list with at least one value; got {values!r}.")
        if any(value in values[:place] for place, value in enumerate(values)):
            raise SettingError(f"{name} under [grid] has a value twice: {values!r}.")
        if name in settings:
            raise SettingError(f"{name} stands under [settings] and under [grid]; give it once.")
    work = work_named(content["work"])
    known = settings_of(work)
    if known is not None:
        check_settings(known, {**{name: [value] for name, value in settings.items()}, **grid})
    sweep = Sweep(content["work"], work.function, settings, grid, content["gpu"])
    # So that a value that is no plain one is found now.
    assert sweep.jobs
    return sweep
