"""Settings of a study, given by name on the command line, as values of the types that the study declares."""

import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown


def parse_settings(kind: type, given: Sequence[str]) -> dict[str, Any]:
    """The settings in NAME=VALUE pairs, checked against the fields of a dataclass.

    A value is written as in TOML; text needs no quotes, and a list no brackets: `k=1,15,30`.

    Args:
        kind: the dataclass.
        given: the pairs.

    Returns:
        Values by name.

    Raises:
        SettingError: a pair has no name, there is no such setting, or its value has another type.

    Example:
        >>> from dataclasses import make_dataclass
        >>> kind = make_dataclass("Kind", [("k", tuple[int, ...]), ("tau", float), ("images", str)])
        >>> parse_settings(kind, ["k=1,15", "tau=1", "images=builtin:glyphs"])
        {'k': (1, 15), 'tau': 1.0, 'images': 'builtin:glyphs'}
    """
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    types_of = {each.name: hints[each.name] for each in fields(kind) if each.init}
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise SettingError(f"--set takes NAME=VALUE, as in --set epochs=4; got {pair!r}.")
        if name not in types_of:
            raise SettingError(unknown("setting of this study", name, types_of))
        found[name] = _value(name, text.strip(), types_of[name])
    return found


def _value(name: str, text: str, wanted: Any) -> Any:
    for written in (text, f"[{text}]"):
        try:
            value = tomllib.loads(f"value = {written}")["value"]
        except tomllib.TOMLDecodeError:
            continue
        try:
            return _as(value, wanted)
        except TypeError:
            continue
    try:
        words = [word.strip() for word in text.split(",")]
        return _as(words if _is_list(wanted) else _bare(text), wanted)
    except TypeError:
        raise SettingError(f"{name} takes {described(wanted)}; got {text!r}.") from None


def _bare(text: str) -> Any:
    return None if text == "none" else text


def _is_list(wanted: Any) -> bool:
    return get_origin(wanted) in (tuple, list)


def _as(value: Any, wanted: Any) -> Any:
    """A value of TOML as a value of a type.

    Raises:
        TypeError: it is none.
    """
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return value
    if origin in (Union, types.UnionType):
        for each in sorted(inner, key=lambda each: each is str):
            try:
                return _as(value, each)
            except TypeError:
                continue
    elif origin is Literal:
        if value in inner:
            return value
    elif origin in (tuple, list):
        return _sequence(value, origin, inner)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(value, dict):
            return {name: _as(each, inner[1]) for name, each in value.items()}
    elif is_dataclass(wanted) and isinstance(wanted, type):
        return _nested(value, wanted)
    elif wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif wanted is type(None):
        if value is None:
            return None
    elif isinstance(wanted, type) and type(value) is wanted:
        return value
    raise TypeError(value)


def _sequence(value: Any, origin: type, inner: tuple[Any, ...]) -> Any:
    if not isinstance(value, list):
        raise TypeError(value)
    if origin is list:
        return [_as(each, inner[0]) for each in value]
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_as(each, inner[0]) for each in value)
    if len(inner) != len(value):
        raise TypeError(value)
    return tuple(_as(each, kind) for each, kind in zip(value, inner, strict=True))


def _nested(value: Any, wanted: type) -> Any:
    hints = get_type_hints(wanted)
    if not isinstance(value, dict) or not set(value) <= set(hints):
        raise TypeError(value)
    return wanted(**{name: _as(each, hints[name]) for name, each in value.items()})


def described(wanted: Any) -> str:
    """A type in words.

    Example:
        >>> described(int), described(tuple[int, ...]), described(str | None)
        ('a whole number', 'a list, each a whole number', "text or none (without a value: 'none')")
    """
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted in names:
        return names[wanted]
    if origin in (Union, types.UnionType):
        some = " or ".join(described(each) for each in inner if each is not type(None))
        return f"{some} or none (without a value: 'none')" if type(None) in inner else some
    if origin is Literal:
        return " or ".join(map(str, inner))
    if origin in (tuple, list):
        if (len(inner) == 2 and inner[1] is Ellipsis) or origin is list:
            return f"a list, each {described(inner[0])}"
        return f"a list of {', '.join(described(each) for each in inner)}"
    return "a table of settings, as in {name = value}"
