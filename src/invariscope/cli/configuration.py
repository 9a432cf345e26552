"""Options from a TOML file, and a run's options written as one."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cyclopts.config import Dict

from invariscope.core.errors import SettingError
from invariscope.core.files import whole
from invariscope.core.names import unknown


def from_tokens(tokens: Sequence[str], commands: Sequence[str]) -> Dict | None:
    """The configuration that a command line names with --config.

    Args:
        tokens: the command line, without the program's name.
        commands: the names that a table in the file may have.

    Returns:
        Options for the parser, which what is typed overrides; None when no file is named.

    Raises:
        SettingError: the file cannot be read, is not TOML, or sets something that is not an option.
    """
    for place, token in enumerate(tokens):
        if token == "--":
            break
        if token == "--config" and place + 1 < len(tokens):
            return read(Path(tokens[place + 1]), tokens[0], commands)
        if token.startswith("--config="):
            return read(Path(token.removeprefix("--config=")), tokens[0], commands)
    return None


def read(path: Path, command: str, commands: Sequence[str]) -> Dict:
    """The options of one command in a TOML file: those at its top and those in a table of the command's name.

    Args:
        path: the file.
        command: whose options are wanted.
        commands: the names that a table may have.

    Returns:
        Options for the parser.

    Raises:
        SettingError: the file cannot be read or is not TOML, or a table has the name of no command.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "mine.toml"
        >>> _ = path.write_text('tau = 0.2' + chr(10) + '[measure]' + chr(10) + 'batch_size = 8')
        >>> read(path, "measure", ["measure"]).data
        {'measure': {'tau': 0.2, 'batch-size': 8}}
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"the configuration {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"the configuration {path} is not TOML: {error}.") from error
    grids = content.pop("magnitudes", None)
    for name, value in content.items():
        if isinstance(value, dict) and name not in commands:
            raise SettingError(f"in {path}: {unknown('command', name, commands)}")
    options = {name: value for name, value in content.items() if not isinstance(value, dict)}
    own = content.get(command, {})
    if isinstance(own, dict):
        grids = own.pop("magnitudes", grids)
        options |= own
    if grids is not None:
        options["magnitudes"] = _grids(grids)
    # Under the command's name: at the top the parser would take `transformations` and `layers` for commands.
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return Dict({command: named}, source=str(path))


def _grids(value: Any) -> list[str]:
    """Magnitudes as the command line has them, from a list of such or a table of numbers."""
    if isinstance(value, dict):
        return [f"{name}={','.join(str(number) for number in grid)}" for name, grid in value.items()]
    return [value] if isinstance(value, str) else list(value)


def write(path: Path, options: Mapping[str, Any]) -> None:
    """Write a run's resolved options, so that `--config` with this file asks for the same run again.

    Args:
        path: the file.
        options: values by name; those that are None are left out.

    Raises:
        StorageError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "configuration.toml"
        >>> write(path, {"tau": 0.2, "limit": None, "transformations": ["hue"], "strict": False})
        >>> print(path.read_text(), end="")
        tau = 0.2
        transformations = ["hue"]
        strict = false
    """
    text = "".join(f"{name} = {_toml(value)}\n" for name, value in options.items() if value is not None)
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    quoted = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
