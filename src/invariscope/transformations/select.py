"""Which transformations and magnitudes a person asks for, in the words of the command line or of Python."""

from collections.abc import Mapping, Sequence

import numpy as np

from invariscope.core.errors import MagnitudeError, SettingError
from invariscope.transformations.base import TRANSFORMATIONS, Transformation

Names = str | Sequence[str | Transformation] | Mapping[str, Sequence[float | int]] | None
Chosen = list[tuple[Transformation, tuple[float, ...] | None]]


def select_transformations(
    names: Names = None,
    magnitudes: Sequence[str] = (),
) -> Chosen:
    """Turn names and magnitudes, as they are typed, into transformations and their magnitudes.

    Args:
        names: "rotation,gaussian-blur", names or transformations in a list, or magnitudes by name; None or "all" is
            every transformation.
        magnitudes: "rotation=0:180:13" (first, last, how many) or "rotation=0,15,30"; a name that is given more than
            once collects all its magnitudes. A name that is not among `names` is an error.

    Returns:
        Each transformation once, in the order asked for, with its magnitudes in rising order, or None for its default
        grid.

    Raises:
        UnknownNameError: no transformation has that name.
        MagnitudeError: a magnitude is no number or lies outside the span.
        SettingError: one transformation is given with two settings.

    Example:
        >>> [(t.name, grid) for t, grid in select_transformations("rotation,shear", ["rotation=0:90:3"])]
        [('rotation', (0.0, 45.0, 90.0)), ('shear', None)]
    """
    typed: dict[str, list[float]] = {}
    for text in magnitudes:
        name, values = _parse(text)
        typed.setdefault(name, []).extend(values)
    if isinstance(names, Mapping):
        for name, given in names.items():
            typed.setdefault(name, []).extend(float(value) for value in given)
    chosen = _named(names)
    missing = [name for name in typed if name not in chosen]
    if missing:
        raise MagnitudeError(
            f"magnitudes are given for {TRANSFORMATIONS[missing[0]]().name}, which is not among the transformations "
            f"asked for ({', '.join(chosen)}); add it there or leave its magnitudes out."
        )
    return [(chosen[name], _grid(chosen[name], typed[name]) if name in typed else None) for name in chosen]


def _named(
    names: Names,
) -> dict[str, Transformation]:
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    if names is None or list(names) in ([], ["all"]):
        names = list(TRANSFORMATIONS)
    chosen: dict[str, Transformation] = {}
    for name in names:
        one = name if isinstance(name, Transformation) else TRANSFORMATIONS[name]()
        if chosen.setdefault(one.name, one) != one:
            raise SettingError(f"{one.name} is asked for with two settings, {chosen[one.name]} and {one}; choose one.")
    return chosen


def _parse(text: str) -> tuple[str, list[float]]:
    name, _, values = (part.strip() for part in text.partition("="))
    TRANSFORMATIONS[name]
    try:
        if ":" in values:
            first, last, count = values.split(":")
            return name, [float(value) for value in np.linspace(float(first), float(last), int(count))]
        return name, [float(value) for value in values.split(",")]
    except ValueError:
        raise MagnitudeError(
            f"the magnitudes {text!r} cannot be read; write {name}=0:180:13 (first:last:count) or {name}=0,15,30."
        ) from None


def _grid(transformation: Transformation, values: Sequence[float]) -> tuple[float, ...]:
    if not values:
        raise MagnitudeError(f"no magnitude is given for {transformation.name}; leave it out for the default grid.")
    transformation.check_magnitudes(values)
    return tuple(sorted({round(value, 12) for value in values}))
