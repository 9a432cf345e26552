"""The options behind the question mark of a specifier."""

import inspect
from collections.abc import Callable
from typing import Any

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown

_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def split_spec(spec: str) -> tuple[str, dict[str, str]]:
    """The part before the question mark, and the options after it.

    Args:
        spec: as in `glyphs?split=train&seed=1`.

    Returns:
        The name and the options, as they were written.

    Raises:
        SettingError: an option has no value, or comes twice.

    Example:
        >>> split_spec("glyphs?split=train&seed=1")
        ('glyphs', {'split': 'train', 'seed': '1'})
    """
    name, _, query = spec.partition("?")
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        if not equals or not value:
            raise SettingError(f"the option {part!r} of {spec!r} has no value; write it as in ?split=test&seed=1.")
        if key in options:
            raise SettingError(f"the option {key!r} of {spec!r} is given twice.")
        options[key] = value
    return name, options


def call_with(function: Callable[..., Any], options: dict[str, str], name: str) -> Any:
    """Call a function with options that are text, turned into the types of its keyword arguments.

    Args:
        function: its keyword arguments are annotated int, float, bool or str, and have defaults.
        options: text by name.
        name: what to call the function in a message.

    Returns:
        What the function returns.

    Raises:
        SettingError: an option is not one of the function's, or has a value of another type.

    Example:
        >>> def double(*, number: int = 1) -> int:
        ...     return 2 * number
        >>> call_with(double, {"number": "4"}, "double")
        8
    """
    parameters = inspect.signature(function).parameters
    values: dict[str, Any] = {}
    for key, text in options.items():
        if key not in parameters:
            raise SettingError(unknown(f"option of {name}", key, parameters))
        kind = parameters[key].annotation
        try:
            values[key] = _TRUTH[text.lower()] if kind is bool else kind(text)
        except (ValueError, KeyError) as error:
            what = {int: "a whole number", bool: "true or false"}.get(kind, "a number")
            raise SettingError(f"the option {key!r} of {name} is {what}; got {text!r}.") from error
    if values.get("seed", 0) < 0:
        raise SettingError(f"a seed is 0 or more; got {values['seed']} for {name}.")
    return function(**values)
