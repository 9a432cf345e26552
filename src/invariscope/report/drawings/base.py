"""What a kind of drawing is: a function from what is asked for and a study's tables to a figure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from invariscope.core.registry import Registry
from invariscope.report.drawings.panels import Mark
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.values import categories, is_numeric
from invariscope.report.ink import LIGHT, Drawn

# The second of the tables is the study's results, for what is said about the first.
# In place of a drawing: in a few words, why there is none.
Draw = Callable[[Spec, pd.DataFrame, pd.DataFrame], Drawn | str]

DRAWINGS: Registry[Draw] = Registry("kind of drawing", "invariscope.report.drawings")

PALETTE = ("blue", "orange", "green", "purple", "red", "muted")
_SHAPES = ("o", "s", "^", "D", "v", "X")
# One meaning, one colour, on every page.
_ALWAYS = {
    **{"seen": "blue", "within": "blue", "unseen": "orange", "across": "orange", "all": "muted", "others": "muted"},
    **{"holds": "green", "passes": "green", "pass": "green", "undecided": "orange"},
    **{"does not hold": "red", "fails": "red", "fail": "red", "regression": "red"},
    **{"worse": "red", "better": "green", "no evidence": "muted"},
}


@dataclass(frozen=True)
class Colours:
    """The colours of a drawing.

    Args:
        marks: what stands for each value that is drawn.
        left_out: how many values there are besides, for which there is no colour.
    """

    marks: Mapping[Any, Mark]
    left_out: int = 0

    @property
    def key(self) -> list[Mark]:
        """What the key says."""
        return [mark for value, mark in self.marks.items() if value is not None]

    def said(self, total: str = "table") -> str:
        """A sentence on what is not drawn; nothing where all is."""
        if not self.left_out:
            return ""
        return f" {len(self.marks)} of {len(self.marks) + self.left_out} are drawn; the others stand in the {total}."


def colours_of(spec: Spec, rows: pd.DataFrame, *, areas: bool = False) -> Colours:
    """A colour for each value of the column that gives colours: shades where values are numbers, hues elsewhere.

    Args:
        spec: what is asked for.
        rows: that are shown.
        areas: what is coloured are areas, which need no shapes of their own.
    """
    values = categories(spec, rows, spec.colour)
    numeric = is_numeric(values) and values != [None]
    ordered = len(values) > 2 and numeric
    drawn = _evenly(values) if ordered else values[: len(PALETTE)]
    names = _shades(len(drawn)) if ordered else _hues(drawn)
    marks = {
        value: Mark(LIGHT[name], "s" if areas else _SHAPES[0 if ordered else place], _word(spec, value, numeric))
        for place, (value, name) in enumerate(zip(drawn, names, strict=True))
    }
    return Colours(marks, len(values) - len(drawn))


def _evenly(values: Sequence[Any]) -> list[Any]:
    """As many values as there are colours, with the first and the last."""
    most = min(len(values), len(PALETTE))
    return [values[round(place * (len(values) - 1) / (most - 1))] for place in range(most)]


def _word(spec: Spec, value: Any, numeric: bool) -> str:
    """What the key says: a number says also what it is a number of, unless the study has words for it."""
    if value is None:
        return ""
    word = spec.label(value)
    return f"{spec.colour} = {word}" if numeric and word[:1].isdigit() else word


def _hues(values: Sequence[Any]) -> list[str]:
    fixed = [_ALWAYS.get(str(value)) for value in values]
    free = [name for name in PALETTE if name not in fixed]
    taken = {name for name in fixed if name}
    if len(taken) < sum(name is not None for name in fixed):
        fixed, free = [None] * len(values), list(PALETTE)
    return [name or free.pop(0) for name in fixed]


def _shades(n: int) -> list[str]:
    return [f"step-{round(place * 5 / (n - 1))}" for place in range(n)]
