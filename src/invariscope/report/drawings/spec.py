"""What figures.json asks for: the kinds of drawings as values, checked when they are read."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from invariscope.core.errors import RunError
from invariscope.core.names import unknown
from invariscope.core.words import FAMILIES, number, tidy, title

KINDS = ("lines", "violins", "heat", "scatter", "bars", "field", "intervals", "gallery")
_KNOWN = {name for names in FAMILIES.values() for name in names}
_LONGEST = 48
_MOST_LEVELS, _MOST_ZOOM = 12, 64
_PAIRS, _NUMBERS = ("span", "origin"), ("reference",)
_SWITCHES = ("share", "x_share", "log_x", "band", "free_x")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One drawing, as `invariscope.findings.figures` describes it; what its kind does not have keeps its default."""

    kind: str
    name: str
    title: str
    caption: str = ""
    x: str
    y: str = "value"
    table: str = "results"
    where: Mapping[str, Any] = field(default_factory=dict)
    panel: str | None = None
    colour: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    x_label: str = ""
    y_label: str = ""
    share: bool = False
    counts: str = ""
    x_share: bool = False
    log_x: bool = False
    reference: float | None = None
    span: tuple[float, float] | None = None
    value: str = "value"
    correlation: str | None = None
    band: bool = False
    free_x: bool = False
    aside: str | None = None
    levels: tuple[float, ...] = ()
    origin: tuple[float, float] | None = None
    mark: str | None = None
    group: str | None = None
    file: str = "file"
    note: str | None = None
    zoom: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the table must have."""
        asked = [self.x, self.y, self.panel, self.colour, *self.where, self.mark, self.group, self.note]
        asked += [self.aside]
        asked += [self.value] if self.kind in ("heat", "field") else [self.file] if self.kind == "gallery" else []
        return tuple(dict.fromkeys(column for column in asked if column is not None))

    def label(self, value: Any) -> str:
        """A value of a column as the drawing writes it: as the study says, or as it stands.

        Example:
            >>> spec = Spec(kind="bars", name="a", title="A", x="k", labels={"30": "half"})
            >>> spec.label(30.0), spec.label(15), spec.label("rotation 90"), spec.label(float("nan"))
            ('half', '15', 'Rotation 90', '–')
        """
        if isinstance(value, bool):
            return self.labels.get(str(value), "yes" if value else "no")
        if isinstance(value, (int, float)):
            written = number(value, 6)
            plain = str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
            return tidy(self.labels.get(plain, self.labels.get(str(value), written)), _LONGEST)
        name = str(value)
        kind, space, rest = name.partition(" ")
        written = f"{title(kind)}{space}{rest}" if kind in _KNOWN else name
        return tidy(self.labels.get(name, written), _LONGEST)


def read_specs(file: Path) -> list[Spec]:
    """The drawings that a study asks for.

    Args:
        file: its figures.json; without one nothing is drawn.

    Raises:
        RunError: the file is damaged, or asks for a kind of drawing that there is not.
    """
    if not file.exists():
        return []
    try:
        asked = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise RunError(f"{file} is damaged: {error}; do the study again with --overwrite.") from error
    if not isinstance(asked, list):
        raise _damaged(file, "it holds no list")
    specs = [_spec(file, place, each) for place, each in enumerate(asked, 1)]
    names = [spec.name for spec in specs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise _damaged(file, f"two figures are called {twice[0]!r}")
    return specs


def _damaged(file: Path, what: str) -> RunError:
    return RunError(f"{file} is damaged: {what}; do the study again with --overwrite.")


def _spec(file: Path, place: int, asked: Any) -> Spec:
    if not isinstance(asked, dict):
        raise _damaged(file, f"figure {place} is no object")
    kind = asked.get("kind")
    if kind not in KINDS:
        raise RunError(f"in {file}: {unknown('kind of figure', str(kind), KINDS)}")
    values: dict[str, Any] = {}
    for each in fields(Spec):
        value = asked.get(each.name)
        if value is None:
            continue
        if not _fits(each.name, value):
            raise _damaged(file, f"{each.name} of figure {place} cannot be {tidy(json.dumps(value), 60)}")
        values[each.name] = tuple(value) if isinstance(value, list) else value
    if missing := [name for name in ("name", "title", "x") if name not in values]:
        raise _damaged(file, f"figure {place} has no {missing[0]}")
    # The name becomes that of two files.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}", values["name"]):
        raise _damaged(file, f"figure {place} cannot be called {tidy(values['name'], 60)!r}")
    return Spec(**values)


def _fits(name: str, value: Any) -> bool:
    if name in _PAIRS:
        pair = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        return pair and (name != "span" or value[0] < value[1])
    if name == "levels":
        return isinstance(value, list) and len(value) <= _MOST_LEVELS and all(map(_is_number, value))
    if name in _NUMBERS:
        return _is_number(value)
    if name in _SWITCHES:
        return isinstance(value, bool)
    if name == "zoom":
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_ZOOM
    if name == "labels":
        return _is_object(value) and all(isinstance(text, str) for text in value.values())
    if name == "where":
        return _is_object(value) and all(_is_plain(each) for each in value.values())
    return isinstance(value, str)


def _is_plain(value: Any) -> bool:
    several = value if isinstance(value, list) else [value]
    return not any(isinstance(one, (dict, list)) for one in several)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
