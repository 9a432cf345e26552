"""Kinds of work that a sweep may name, and the settings that each takes."""

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown
from invariscope.core.registry import Registry
from invariscope.grids.job import function_of

_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", list: "a list", dict: "a table"}


@dataclass(frozen=True)
class Work:
    """A function for jobs, and what its settings are.

    Args:
        function: "package.module:function", called with the settings and the grid's folder.
        takes: "package.module:name" of a function, dataclass or TypedDict whose parameters or fields are the settings;
            without it, the TypedDict that the function's first parameter is annotated with; without that, anything.

    Example:
        >>> work = Work("invariscope.grids.works:Work", takes="invariscope.grids.works:Work")
        >>> [setting.name for setting in settings_of(work).values() if setting.needed]
        ['function']
    """

    function: str
    takes: str = ""


# Packages register what they offer in the files of their studies: WORKS.add("name")(Work("package.module:function")).
WORKS: Registry[Work] = Registry("work", "invariscope.studies")


@dataclass(frozen=True)
class Setting:
    """One setting of a work.

    Args:
        name: its name.
        needed: it must be given.
        kinds: the types that a value may have; empty for any.
    """

    name: str
    needed: bool
    kinds: tuple[type, ...] = ()


def work_named(name: str) -> Work:
    """A work by its name, or a person's own function.

    Args:
        name: a name in `WORKS`, or "package.module:function".

    Raises:
        UnknownNameError: no work is called so.
        SettingError: the function cannot be imported.
    """
    work = Work(name) if ":" in name else WORKS[name]
    function_of(work.function)
    return work


def settings_of(work: Work) -> dict[str, Setting] | None:
    """The settings that a work takes, by name.

    Args:
        work: which.

    Returns:
        None when it takes anything.
    """
    source: Any = function_of(work.takes or work.function)
    if not work.takes:
        source = next(iter(_hints(source).values()), None)
        if not typing.is_typeddict(source):
            return None
    hints = _hints(source)
    if typing.is_typeddict(source):
        return {name: Setting(name, name in source.__required_keys__, _kinds(hint)) for name, hint in hints.items()}
    found = {}
    for name, parameter in inspect.signature(source).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            return None
        needed = parameter.default is parameter.empty
        found[name] = Setting(name, needed, _kinds(hints.get(name, Any)))
    return found


def check_settings(known: Mapping[str, Setting], given: Mapping[str, list[Any]]) -> None:
    """Find what a person mistyped before anything is computed.

    Args:
        known: of `settings_of`.
        given: every value that a setting shall have, by name.

    Raises:
        UnknownNameError: there is no such setting.
        SettingError: one that is needed is missing, or a value has another type.

    Example:
        >>> check_settings({"k": Setting("k", True, (int,))}, {"k": ["many"]})
        Traceback (most recent call last):
        ...
        invariscope.core.errors.SettingError: the setting k is a whole number; got 'many'.
    """
    for name, values in given.items():
        if name not in known:
            raise SettingError(unknown("setting", name, known))
        for value in values:
            if known[name].kinds and not _fits(value, known[name].kinds):
                wanted = " or ".join(_WORDS[kind] for kind in known[name].kinds if kind in _WORDS)
                raise SettingError(f"the setting {name} is {wanted}; got {value!r}.")
    missing = [name for name, setting in known.items() if setting.needed and name not in given]
    if missing:
        raise SettingError(f"the setting {missing[0]} is missing; give it under [settings] or as a list under [grid].")


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (isinstance(value, int) and float in kinds)


def _hints(source: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(source)
    except (NameError, TypeError):
        return {}


def _kinds(hint: Any) -> tuple[type, ...]:
    """The plain types among which a value must be; none when the annotation says more than that."""
    origin = typing.get_origin(hint) or hint
    if origin in (types.UnionType, typing.Union, typing.Required, typing.NotRequired):
        parts = [_kinds(part) for part in typing.get_args(hint) if part is not type(None)]
        return tuple(kind for part in parts for kind in part) if all(parts) else ()
    if origin in (int, float, str, bool):
        return (origin,)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return (list,)
    return (dict,) if isinstance(origin, type) and issubclass(origin, Mapping) else ()
