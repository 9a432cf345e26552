"""What an engine is: attempts go in, what became of them comes out."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from invariscope.core.errors import SettingError
from invariscope.core.registry import Registry
from invariscope.grids.perform import Attempt, Trouble


@dataclass(frozen=True)
class Started:
    """A worker began an attempt."""

    attempt: Attempt


@dataclass(frozen=True)
class Stepped:
    """A running attempt has done some of its own steps."""

    attempt: Attempt
    done: int
    total: int


@dataclass(frozen=True)
class Finished:
    """The results of an attempt are kept."""

    attempt: Attempt


@dataclass(frozen=True)
class Failed:
    """An attempt raised an error, or its worker died of it."""

    attempt: Attempt
    trouble: Trouble


@dataclass(frozen=True)
class Said:
    """Something that a person who waits wants to know."""

    sentence: str


Event = Started | Stepped | Finished | Failed | Said
Tell = Callable[[Event], None]


class Engine(ABC):
    """Where jobs are done. An author writes the methods below and `form`; attempts are never repeated in here.

    Attributes:
        form: how a person asks for it.
    """

    form: ClassVar[str]

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> "Engine":
        """An engine from what stands behind the colon in its name.

        Args:
            text: "4" in "processes:4", "//host:8786" in "dask://host:8786".

        Raises:
            SettingError: the text cannot be used.
        """

    @abstractmethod
    def open(self, attempts: list[Attempt]) -> None:
        """Get ready for some first attempts, which are submitted afterwards; `close` follows in any case."""

    @abstractmethod
    def submit(self, attempt: Attempt) -> None:
        """Take an attempt on; it begins when a worker is free."""

    @abstractmethod
    def wait(self, tell: Tell) -> None:
        """Tell what happens, until something has happened or a second has passed."""

    @abstractmethod
    def close(self) -> None:
        """Give everything up that is not finished, and free what was started."""


ENGINES: Registry[type[Engine]] = Registry("engine", "invariscope.grids.engines")


def make_engine(name: str) -> Engine:
    """An engine by its name.

    Args:
        name: "serial", "processes:N", "dask://HOST:PORT", "dask-file:PATH" or "slurm:partition=…,jobs=…".

    Returns:
        An engine that is not open yet.

    Raises:
        UnknownNameError: no engine is called so.
        SettingError: what stands behind the colon cannot be used.

    Example:
        >>> make_engine("processes:4").workers
        4
    """
    scheme, _, text = name.partition(":")
    return ENGINES[scheme].parse(text)


def number(text: str, form: str) -> int:
    """A count of 1 or more, in an engine's name.

    Example:
        >>> number("4", "processes:N")
        4
    """
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingError(f"the engine is given as {form} with a number of 1 or more; got {text!r}.")
    return int(text)
