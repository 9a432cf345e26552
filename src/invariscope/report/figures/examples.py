"""Example images under each transformation, as one sheet."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from invariscope.core.words import tidy, title
from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.pictures import strips
from invariscope.report.read import RunData

_SIDE, _STEP, _LEFT, _MOST = 64, 96, 170, 7


@FIGURES.add("examples")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """One row per transformation: an image at several magnitudes, with the prediction under each."""
    rows = [(answer, each[0]) for answer in answers if (each := strips(run, answer.axis, _MOST, 1))]
    if not rows:
        return
    width, height = _LEFT + _STEP * _MOST + 10, 10 + (_SIDE + 50) * len(rows)
    figure = sheet(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    for row, (answer, strip) in enumerate(rows):
        y = 26 + (_SIDE + 50) * row
        axes.text(_LEFT - 14, y + _SIDE / 2, title(answer.name), ha="right", va="center", fontsize=11)
        for place, shot in enumerate(strip.shots):
            x = _LEFT + _STEP * place
            pixels = np.asarray(Image.open(shot.file).convert("RGB"))
            axes.imshow(pixels, extent=(x, x + _SIDE, y + _SIDE, y), interpolation="none", aspect="auto")
            at = answer.axis.write(shot.magnitude)
            axes.text(x + _SIDE / 2, y - 5, at, ha="center", fontsize=9, color=LIGHT["muted"])
            colour = LIGHT["muted"] if shot.right is None else LIGHT["green"] if shot.right else LIGHT["red"]
            sign = "" if shot.right is None else "✓ " if shot.right else "✕ "
            text = sign + tidy(shot.predicted or "", 13)
            axes.text(x + _SIDE / 2, y + _SIDE + 13, text, ha="center", fontsize=9, color=colour)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    yield Drawn(
        "examples",
        "Example images",
        "One image under each transformation, with the network's prediction: ✓ right, ✕ wrong.",
        "Sheet of example images; each is also on the page with its own text.",
        figure,
    )
