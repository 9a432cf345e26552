"""The images that drive the most and the least invariant units, as one sheet."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from invariscope.core.words import number, tidy, title
from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.pictures import ROLES, DrivenLayer, driven_layers
from invariscope.report.read import RunData

_SIDE, _ROW, _HEAD, _MOST, _GROUPS = 56, 78, 56, 3, 6


@FIGURES.add("driving")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """Per transformation: the most invariant units on the left, the least invariant ones on the right."""
    groups = driven_layers(run)[:_GROUPS]
    if not groups:
        return
    rows = [max(len(units[:_MOST]) for units in group.units.values()) for group in groups]
    width, height = 1000, 10 + sum(_HEAD + _ROW * n for n in rows)
    figure = sheet(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    y = 10.0
    for group, n in zip(groups, rows, strict=True):
        head = f"{title(group.transformation)} at {number(group.magnitude)}, {tidy(group.layer, 30)}"
        axes.text(12, y + 16, head, fontsize=11.5, weight="bold")
        for column, role in enumerate(ROLES):
            _column(axes, group, role, 12 + column * 500, y + _HEAD - 18)
        y += _HEAD + _ROW * n
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    yield Drawn(
        "driving-images",
        "Units and the images that drive them",
        "Pairs: the clean image and the same image transformed, with the unit's response to each.",
        "Sheet of driving images; each is also on the page with its own text.",
        figure,
    )


def _column(axes: Axes, group: DrivenLayer, role: str, x: float, y: float) -> None:
    axes.text(x, y + 8, role.replace("-", " "), fontsize=10, color=LIGHT["muted"])
    for row, unit in enumerate(group.units[role][:_MOST]):
        top = y + 18 + row * _ROW
        axes.text(x, top + 24, f"unit {unit.unit}", fontsize=10)
        axes.text(x, top + 40, f"I = {unit.invariance:.2f}", fontsize=9.5, color=LIGHT["muted"])
        for place, image in enumerate(unit.images[:_MOST]):
            spot = x + 70 + place * (2 * _SIDE + 14)
            for half, (file, response) in enumerate(
                zip((image.clean, image.transformed), image.responses, strict=True)
            ):
                left = spot + half * (_SIDE + 1)
                pixels = np.asarray(Image.open(file).convert("RGB"))
                axes.imshow(pixels, extent=(left, left + _SIDE, top + _SIDE, top), interpolation="none", aspect="auto")
                axes.text(
                    left + _SIDE / 2,
                    top + _SIDE + 12,
                    number(response, 2),
                    ha="center",
                    fontsize=8.5,
                    color=LIGHT["muted"],
                )
