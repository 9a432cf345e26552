"""A contract file, read strictly: every mistake is one sentence that names the requirement and the key."""

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from invariscope.checks.contract import QUALITIES, Contract, Requirement
from invariscope.core.errors import SettingError
from invariscope.core.names import unknown

_TOP = ("name", "check", "defaults", "require")
_QUALITY_KEYS = ("magnitude", "at_least")
_THRESHOLD_KEYS = ("threshold_at_least", "level", "side")
_BOTH = ("name", "transformation", "quality", "classes")
_KEYS = (*_BOTH, *_QUALITY_KEYS, *_THRESHOLD_KEYS)
_DEFAULTS = ("transformation", "quality", "classes", "at_least", "level", "side")
_TEXT, _WHOLE, _TRUTH = "text in quotes", "a whole number", "true or false"
_CHECK = {
    "network": _TEXT,
    "images": _TEXT,
    "class_names": _TEXT,
    "device": _TEXT,
    "limit": _WHOLE,
    "seed": _WHOLE,
    "batch_size": _WHOLE,
    "replicates": _WHOLE,
    "strict": _TRUTH,
    "allow_undecided": _TRUTH,
}


def read_contract(path: str | Path) -> Contract:
    r"""Read a contract file; that the transformations, magnitudes and classes exist is seen when it is checked.

    Args:
        path: the TOML file.

    Returns:
        The contract.

    Raises:
        SettingError: the file cannot be read, is not TOML, or is no contract; in one sentence.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "contract.toml"
        >>> _ = file.write_text('[[require]]\ntransformation = "rotation"\nmagnitude = 15\nat_least = 0.8')
        >>> read_contract(file).requirements[0].at_least
        0.8
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise SettingError(f"the contract {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"the contract {file} is not TOML: {error}.") from error
    return replace(parse_contract(content, str(file)), text=text)


def parse_contract(content: Mapping[str, Any], source: str = "the contract") -> Contract:
    """A contract of plain values, as TOML holds them.

    Args:
        content: `require`, a list of tables; `name`, `check` and `defaults` if wanted.
        source: what messages call it.

    Raises:
        SettingError: it is no contract.

    Example:
        >>> parse_contract({"require": [{"transformation": "hue", "magnitud": 5}]})
        Traceback (most recent call last):
        ...
        invariscope.core.errors.SettingError: the contract, requirement 1: no key is called 'magnitud'. Did you mean \
'magnitude'? Known: at_least, classes, level, magnitude, name, quality, side, threshold_at_least, transformation.
    """
    _known(content, _TOP, source)
    defaults = _table(content.get("defaults", {}), "defaults", source)
    _known(defaults, _DEFAULTS, f"{source}, [defaults]")
    check = _check(_table(content.get("check", {}), "check", source), f"{source}, [check]")
    listed = content.get("require", [])
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not all(isinstance(x, Mapping) for x in listed):
        raise SettingError(f"{source}: require is a list of tables; begin each requirement with [[require]].")
    if not listed:
        raise SettingError(f"{source} requires nothing; add a table [[require]] (docs/check.md shows some).")
    requirements = tuple(_requirement(table, defaults, source, place) for place, table in enumerate(listed))
    name = content.get("name", "")
    if not isinstance(name, str):
        raise SettingError(f"{source}: name takes {_TEXT}; got {name!r}.")
    return Contract(requirements, name, check, source)


def _requirement(table: Mapping[str, Any], defaults: Mapping[str, Any], source: str, place: int) -> Requirement:
    where = f"{source}, requirement {place + 1}"
    _known(table, _KEYS, where)
    threshold = _is_threshold(table, where)
    usual = (*_BOTH, *(_THRESHOLD_KEYS if threshold else _QUALITY_KEYS))
    values = {key: value for key, value in defaults.items() if key in usual} | dict(table)
    missing = [key for key in ("transformation", *(() if threshold else ("at_least",))) if key not in values]
    if missing:
        raise SettingError(f"{where}: {missing[0]} is missing; {_ADVICE[missing[0]]}.")
    given = {key: _PARSERS[key](value, f"{where}: {key}") for key, value in values.items()}
    magnitudes = given.pop("magnitude", ())
    return Requirement(magnitudes=magnitudes, **given)


_ADVICE = {
    "transformation": 'write transformation = "rotation" (`invariscope transformations` lists them)',
    "at_least": "write what the quality must reach, as in at_least = 0.8",
}


def _is_threshold(table: Mapping[str, Any], where: str) -> bool:
    """Which of the two kinds it is, told by its keys."""
    threshold = "threshold_at_least" in table
    if threshold and "magnitude" in table:
        raise SettingError(
            f"{where}: magnitude (with at_least) and threshold_at_least ask for two things; make two requirements."
        )
    if not threshold and "magnitude" not in table:
        raise SettingError(
            f"{where}: it names neither magnitude (with at_least) nor threshold_at_least; give one of them."
        )
    wrong = [key for key in (_QUALITY_KEYS if threshold else _THRESHOLD_KEYS) if key in table]
    if wrong:
        kind, own = ("threshold_at_least", "level and side") if threshold else ("magnitude", "at_least")
        raise SettingError(f"{where}: {wrong[0]} says nothing beside {kind}, which takes {own}; leave it out.")
    return threshold


def _known(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise SettingError(f"{where}: {unknown('key', str(key), keys)}")


def _table(value: Any, name: str, source: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(f"{source}: {name} is a table; write [{name}] and its keys below; got {value!r}.")
    return value


def _check(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    _known(table, tuple(_CHECK), where)
    kinds = {_TEXT: str, _WHOLE: int, _TRUTH: bool}
    for key, value in table.items():
        if type(value) is not kinds[_CHECK[key]]:
            raise SettingError(f"{where}: {key} takes {_CHECK[key]}; got {value!r}.")
    return dict(table)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingError(f"{what} takes a number; got {value!r}.")
    return float(value)


def _share(value: Any, what: str) -> float:
    share = _number(value, what)
    if not 0 <= share <= 1:
        raise SettingError(f"{what} takes a share from 0 to 1 (80 % is 0.8); got {value!r}.")
    return share


def _level(value: Any, what: str) -> float:
    level = _share(value, what)
    if level == 0:
        raise SettingError(f"{what} takes a share of the clean value above 0, at most 1; got {value!r}.")
    return level


def _magnitudes(value: Any, what: str) -> tuple[float, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise SettingError(f"{what} takes a number, or a list of numbers; got an empty list.")
    return tuple(dict.fromkeys(_number(each, what) for each in values))


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise SettingError(f"{what} takes {_TEXT}; got {value!r}.")
    return value


def _one_of(*known: str) -> Callable[[Any, str], str]:
    def parse(value: Any, what: str) -> str:
        if value not in known:
            raise SettingError(f"{what} takes one of {', '.join(known)}; got {value!r}.")
        return str(value)

    return parse


def _classes(value: Any, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else None
    if not values or not all(isinstance(each, str) and each for each in values):
        raise SettingError(f'{what} takes a list of class names, as in ["cat", "dog"]; got {value!r}.')
    return tuple(dict.fromkeys(values))


_PARSERS: dict[str, Callable[[Any, str], Any]] = {
    "name": _text,
    "transformation": _text,
    "quality": _one_of(*QUALITIES),
    "classes": _classes,
    "magnitude": _magnitudes,
    "at_least": _share,
    "threshold_at_least": _number,
    "level": _level,
    "side": _one_of("+", "-"),
}
