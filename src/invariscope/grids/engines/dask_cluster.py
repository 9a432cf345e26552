"""Jobs on a Dask cluster that is there already."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from invariscope.core.errors import RunError, SettingError
from invariscope.grids.dask_driver import OnDask
from invariscope.grids.engines.base import ENGINES
from invariscope.grids.perform import Attempt

# Seconds until a scheduler must have answered.
CONNECTING = 20.0


def client_of(**where: Any) -> Any:
    """A client of a Dask scheduler.

    Args:
        **where: `address` or `scheduler_file`.

    Raises:
        SettingError: Dask is not installed.
        RunError: no scheduler answers.
    """
    need_dask()
    from distributed import Client

    try:
        return Client(**where, timeout=CONNECTING, set_as_default=False, name="invariscope")
    except (OSError, TimeoutError, ValueError) as error:
        raise RunError(
            f"no Dask scheduler answers at {next(iter(where.values()))}; start one with `dask scheduler` and workers "
            "with `dask worker ADDRESS --nthreads 1`."
        ) from error


def need_dask() -> None:
    """Say how to get Dask where it is missing.

    Raises:
        SettingError: Dask is not installed.
    """
    if find_spec("distributed") is None or find_spec("dask_jobqueue") is None:
        raise SettingError(
            "this engine needs Dask, which is not installed; install it with: pip install 'invariscope[dist]'"
        )


@ENGINES.add("dask")
@dataclass
class DaskAddress(OnDask):
    """The Dask cluster whose scheduler listens at an address.

    Args:
        address: "tcp://host:8786".

    Example:
        >>> DaskAddress.parse("//node7:8786").address
        'tcp://node7:8786'
    """

    form = "dask://HOST:PORT"
    address: str = ""

    @classmethod
    def parse(cls, text: str) -> "DaskAddress":
        """The address, without the name of a protocol."""
        if not re.fullmatch(r"//[^/\s]+:\d+/?", text):
            raise SettingError(f"the engine is given as {cls.form}, as in dask://node7:8786; got dask:{text}.")
        return cls(address=f"tcp:{text.rstrip('/')}")

    def connect(self, attempts: list[Attempt]) -> Any:
        """Connect to the scheduler."""
        return client_of(address=self.address)


@ENGINES.add("dask-file")
@dataclass
class DaskFile(OnDask):
    """The Dask cluster whose scheduler wrote a file about itself (`dask scheduler --scheduler-file PATH`).

    Args:
        file: the scheduler's.

    Example:
        >>> DaskFile.parse("scheduler.json").file.name
        'scheduler.json'
    """

    form = "dask-file:PATH"
    file: Path = Path()

    @classmethod
    def parse(cls, text: str) -> "DaskFile":
        """The file's path."""
        if not text:
            raise SettingError(f"the engine is given as {cls.form}; got no path.")
        return cls(file=Path(text))

    def connect(self, attempts: list[Attempt]) -> Any:
        """Connect to the scheduler that the file names."""
        if not self.file.is_file():
            raise SettingError(
                f"the scheduler file {self.file} is not there; start `dask scheduler --scheduler-file` first."
            )
        return client_of(scheduler_file=str(self.file))
