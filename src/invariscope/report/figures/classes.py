"""Thresholds by class: the least tolerant classes against every transformation."""

import math
from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.limits import nearest, rank_classes
from invariscope.report.read import RunData
from invariscope.report.words import MINUS, count, number, percent, tidy, title

MOST, _ROW, _STEPS = 20, 22, 5


@FIGURES.add("classes")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """A table of dots: how early each class gives way, and where."""
    ranked = rank_classes([answer.axis for answer in answers], [answer.limits for answer in answers])
    shown = [answer for answer in answers if nearest(answer.axis, answer.limits.get("all", ()))]
    if len(ranked) < 2 or not shown:
        return
    names = ["all", *(name for name, _ in ranked[:MOST])]
    left, width, top = 178, 1000, 116
    cell = min((width - left - 46) / len(shown), 62.0)
    height = top + _ROW * len(names) + 48
    figure = sheet(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    for column, answer in enumerate(shown):
        x = left + (column + 0.5) * cell
        axes.text(x, top - 8, title(answer.name), rotation=52, rotation_mode="anchor", ha="left", va="bottom",
                  fontsize=9.5, color=LIGHT["muted"])  # fmt: skip
    for row, name in enumerate(names):
        y = top + row * _ROW + (5 if row else 0)
        label = "all classes" if name == "all" else tidy(name, 24)
        axes.text(left - 10, y + _ROW / 2, label, ha="right", va="center", fontsize=10.5,
                  weight="bold" if row < 2 else "normal")  # fmt: skip
        for column, answer in enumerate(shown):
            _cell(axes, answer, name, left + column * cell, y, cell)
    _key(axes, left, top + _ROW * len(names) + 22)
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
        "it never does. The darker, the earlier it gives way, compared with all classes together."
    )


def _cell(axes: Axes, answer: Answer, name: str, x: float, y: float, cell: float) -> None:
    limit = nearest(answer.axis, answer.limits.get(name, ()))
    reference = nearest(answer.axis, answer.limits.get("all", ()))
    if limit is None or reference is None:
        axes.text(x + cell / 2, y + _ROW / 2, "·", ha="center", va="center", color=LIGHT["faint"])
        return
    whole = answer.axis.distance(reference.reach)
    share = answer.axis.distance(limit.reach) / whole if whole else 1.0
    step = 0 if limit.censored or share >= 1 or name == "all" else min(1 + int((1 - share) * 4), _STEPS - 1)
    axes.add_patch(Rectangle((x + 1, y + 1), cell - 2, _ROW - 2, facecolor=LIGHT[f"red-{step}"], linewidth=0))
    text = "–" if limit.censored else "✕" if answer.axis.switch else short(limit.threshold)
    colour = LIGHT["on-strong"] if step == _STEPS - 1 else LIGHT["ink"]
    axes.text(x + cell / 2, y + _ROW / 2, text, ha="center", va="center", fontsize=9 if cell > 33 else 8, color=colour)


def short(value: float) -> str:
    """A magnitude in at most five letters.

    Example:
        >>> short(-12.34), short(0.0123), short(0.5)
        ('−12', '.012', '.5')
    """
    text = number(value, 2 if abs(value) < 100 else 3)
    if math.isfinite(value) and abs(value) < 1:
        return text.replace("0.", ".", 1).replace(f"{MINUS}0.", f"{MINUS}.")
    return text


def _key(axes: Axes, left: float, y: float) -> None:
    axes.text(left - 10, y + 6, "as all classes", ha="right", va="center", fontsize=9.5, color=LIGHT["muted"])
    for step in range(_STEPS):
        axes.add_patch(Rectangle((left + step * 26, y), 25, 12, facecolor=LIGHT[f"red-{step}"], linewidth=0))
    axes.text(left + _STEPS * 26 + 6, y + 6, "at once", va="center", fontsize=9.5, color=LIGHT["muted"])
