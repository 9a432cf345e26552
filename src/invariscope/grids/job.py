"""A job: the name of a function and the settings that decide its result wholly."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invariscope.core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas import DataFrame

    Work = Callable[[dict[str, Any], Path], Mapping[str, DataFrame]]

_WORK = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Job:
    """One entry of a grid: what to compute, as a function of plain values and of nothing else.

    Args:
        work: "package.module:function". The function takes the settings and the grid's folder, computes in one thread,
            writes side files whole into the folder, and returns tables by name.
        settings: what decides the result: text, numbers, truth values, None, and lists and mappings of those.
        label: what people call the job; it decides nothing.
        gpu: wants a worker with a GPU; it decides nothing.

    Raises:
        SettingError: `work` does not name a function, or a setting is not a plain value.

    Example:
        >>> job = Job("invariscope.studies.work:observe", {"k": 15, "seed": 0}, label="k=15")
        >>> job.key == Job("invariscope.studies.work:observe", {"seed": 0, "k": 15}).key
        True
        >>> len(job.key)
        20
    """

    work: str
    settings: Mapping[str, Any]
    label: str = field(default="", compare=False)
    gpu: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if not _WORK.fullmatch(self.work):
            raise SettingError(f"a job's work is named package.module:function; got {self.work!r}.")
        # As JSON has them, so that a job computes the same from a tuple here and from a list on another machine.
        object.__setattr__(self, "settings", json.loads(self._json()))

    def _json(self) -> str:
        try:
            return json.dumps(dict(self.settings), sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise SettingError(
                f"settings of a job are text, numbers, truth values, and lists and tables of them; {error}, in "
                f"{self.settings!r}."
            ) from error

    @property
    def key(self) -> str:
        """A short name for the work and its settings: where the job's results lie."""
        return hashlib.blake2b(f"{self.work} {self._json()}".encode(), digest_size=10).hexdigest()

    @property
    def name(self) -> str:
        """What messages call the job: its label, or its key where it has none."""
        return self.label or self.key

    def __hash__(self) -> int:
        return hash(self.key)


def function_of(work: str) -> "Work":
    """The function that a job names.

    Args:
        work: "package.module:function".

    Returns:
        The function, with its module imported.

    Raises:
        SettingError: the module cannot be found, or has no such function.

    Example:
        >>> function_of("math:sqrt")(9.0)
        3.0
    """
    module, _, name = work.partition(":")
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise SettingError(
            f"{work} cannot be used: Python finds no module {error.name!r} here; install it where the jobs run, or "
            "give its folder with PYTHONPATH."
        ) from error
    if not callable(found):
        raise SettingError(f"{work} cannot be used: the module {module} has no function {name!r}.")
    return found  # type: ignore[no-any-return]
