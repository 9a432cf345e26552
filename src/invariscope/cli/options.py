"""The options that every command has."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from invariscope.core.errors import SettingError

COMMAND_LINE: ContextVar[str | None] = ContextVar("command line", default=None)
SHARED = Group("Shared options", sort_key=90)


def _shared(**settings: Any) -> Parameter:
    return Parameter(group=SHARED, **settings)


Names = Annotated[list[str] | None, Parameter(negative="")]
Flag = Annotated[bool, Parameter(negative="", show_default=False)]
SharedFlag = Annotated[bool, _shared(negative="", show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True)
class Shared:
    """What can be said to every command.

    Args:
        out: folder for the results [default: runs/NAME-TIME].
        resume: continue an interrupted run in that folder; only what is missing is computed.
        overwrite: replace the run that is in that folder.
        device: auto, cpu, mps, cuda or cuda:N.
        seed: of every random choice.
        json: print one machine-readable object; everything else goes to standard error.
        quiet: print the result's place and nothing else.
        config: a TOML file with the same names as the options; what is typed wins over what it says.
        debug: show the whole traceback of an error.
    """

    out: Annotated[Path | None, _shared()] = None
    resume: SharedFlag = False
    overwrite: SharedFlag = False
    device: Annotated[str, _shared()] = "auto"
    seed: Annotated[int, _shared()] = 0
    json: SharedFlag = False
    quiet: SharedFlag = False
    config: Annotated[Path | None, _shared()] = None
    debug: SharedFlag = False

    def folder(self, name: str) -> Path:
        """Where a run's results go: what was asked for, or a folder named by the command and the time.

        Args:
            name: of the command.

        Returns:
            The folder; it need not exist.

        Raises:
            SettingError: a run shall be continued, and nobody said which; or it shall be continued and replaced.

        Example:
            >>> Shared(out=Path("here")).folder("measure").name
            'here'
        """
        if self.resume and self.overwrite:
            raise SettingError("--resume continues a run and --overwrite replaces it; give one of them.")
        if self.resume and self.out is None:
            raise SettingError("--resume continues a run; say which one with --out DIR.")
        return self.out or Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"

    @property
    def command(self) -> str | None:
        """The command line that is being run, for the record of a run."""
        return COMMAND_LINE.get()


def split(values: list[str] | None) -> list[str] | None:
    """The names in options that take several, separated by commas or repeated.

    Args:
        values: as typed; None when the option was not given.

    Returns:
        One name each; None when the option was not given.

    Raises:
        SettingError: the option was given without a name.

    Example:
        >>> split(["rotation,hue", "zoom"])
        ['rotation', 'hue', 'zoom']
    """
    if values is None:
        return None
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if not names:
        raise SettingError(f"names are expected, separated by commas; got {','.join(values)!r}.")
    return names
