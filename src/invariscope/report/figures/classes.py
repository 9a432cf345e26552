"""Thresholds by class: the least tolerant classes against every transformation."""

import math
from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes

from invariscope.core.words import MINUS, count, number, percent, tidy, title
from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES
from invariscope.report.figures.grid import (
    WIDTH,
    blank,
    cells,
    heading_height,
    heading_overhang,
    headings,
    key,
    text_width,
)
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.limits import nearest, rank_classes
from invariscope.report.read import RunData

MOST, _ROW, _STEPS, _GAP = 20, 22, 5, 5


@FIGURES.add("classes")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """A table of numbers on colours: how early each class gives way, and where."""
    ranked = rank_classes([answer.axis for answer in answers], [answer.limits for answer in answers])
    shown = [answer for answer in answers if nearest(answer.axis, answer.limits.get("all", ()))]
    if len(ranked) < 2 or not shown:
        return
    names = ["all", *(name for name, _ in ranked[:MOST])]
    labels = ["all classes", *(tidy(name, 24) for name in names[1:])]
    heads = [title(answer.name) for answer in shown]
    left, top = text_width(labels, 24) + 12, heading_height(heads, 30)
    cell = min((WIDTH - left - heading_overhang(heads, 30)) / len(shown), 62.0)
    height = top + _ROW * len(names) + _GAP + 36
    figure = sheet(WIDTH, height)
    axes = figure.add_axes((0, 0, 1, 1))
    blank(axes, height)
    headings(axes, heads, left, cell, top)
    places, colours = [], []
    for row, name in enumerate(names):
        y = top + row * _ROW + (_GAP if row else 0)
        axes.text(
            left - 10,
            y + _ROW / 2,
            labels[row],
            ha="right",
            va="center",
            fontsize=10.5,
            weight="bold" if row < 2 else "normal",
        )
        for column, answer in enumerate(shown):
            x = left + column * cell
            step = _write(axes, answer, name, (x + cell / 2, y + _ROW / 2), 9 if cell > 33 else 8)
            if step is not None:
                places.append((x, y))
                colours.append(LIGHT[f"red-{step}"])
    cells(axes, places, (cell, _ROW), colours)
    key(axes, "red", _STEPS, left, height - 22, ("no earlier than all classes", "at once"))
    n = [limit.n for answer in shown for name in names[1:] for limit in answer.limits.get(name, ())]
    yield Drawn(
        "classes",
        "Thresholds by class",
        _caption(shown[0], len(ranked), n),
        f"Table of thresholds by class and transformation, the least tolerant class first: {tidy(names[1])}. The "
        "numbers are in the engineering tables.",
        figure,
    )


def _caption(answer: Answer, classes: int, n: Sequence[int]) -> str:
    images = f"{min(n):,}" if min(n) == max(n) else f"{min(n):,} to {max(n):,}"
    shown = (
        f"The {MOST} least tolerant of {classes:,} classes" if classes > MOST else count(classes, "class", "classes")
    )
    return (
        f"{shown}, the least tolerant first; n = {images} images per class. A number is the magnitude nearest to the "
        f"identity at which the class keeps less than {percent(answer.level)} of its clean {answer.quality}; a dash: "
        "it never does. The stronger the colour, the earlier it gives way, compared with all classes together."
    )


def _write(axes: Axes, answer: Answer, name: str, middle: tuple[float, float], size: float) -> int | None:
    """Write a class's threshold; returns the step of its colour, or None where there is no threshold."""
    limit = nearest(answer.axis, answer.limits.get(name, ()))
    reference = nearest(answer.axis, answer.limits.get("all", ()))
    if limit is None or reference is None:
        axes.text(*middle, "·", ha="center", va="center", color=LIGHT["faint"])
        return None
    whole = answer.axis.distance(reference.reach)
    share = answer.axis.distance(limit.reach) / whole if whole else 1.0
    step = 0 if limit.censored or share >= 1 or name == "all" else min(1 + int((1 - share) * 4), _STEPS - 1)
    if answer.axis.switch:
        step = 0 if limit.censored or name == "all" else 2
    text = "–" if limit.censored else "✕" if answer.axis.switch else short(limit.threshold)
    colour = LIGHT["on-strong"] if step == _STEPS - 1 else LIGHT["ink"]
    axes.text(*middle, text, ha="center", va="center", fontsize=size, color=colour)
    return step


def short(value: float) -> str:
    """A magnitude in at most five letters.

    Example:
        >>> short(-12.34), short(0.0123), short(0.5)
        ('−12', '.012', '.5')
    """
    text = number(value, 2 if abs(value) < 0.9 or 1.1 < abs(value) < 100 else 3)
    if math.isfinite(value) and abs(value) < 1:
        return text.replace("0.", ".", 1).replace(f"{MINUS}0.", f"{MINUS}.")
    return text
