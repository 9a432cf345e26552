"""Small multiples: panels that share their axes, under one key of colours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from invariscope.report.drawings.ticks import Ticks
from invariscope.report.drawings.type import broken, width_of
from invariscope.report.figures.grid import WIDTH, blank
from invariscope.report.ink import LIGHT, sheet

COLUMNS = 4
_GAP, _LINE, _TITLE = 26, 20, 16
_HEIGHTS = {1: 300, 2: 250, 3: 205, 4: 175}
_ONE = 640
_BOLD: dict[str, Any] = {"fontsize": 11.5, "weight": "bold"}
_ASIDE: dict[str, Any] = {"fontsize": 10, "color": LIGHT["muted"]}

Lines = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Mark:
    """What a key says of one colour.

    Args:
        colour: as it is drawn.
        shape: of its dots, as the plotting library names it; "s" for areas.
        text: what it stands for.
    """

    colour: str
    shape: str
    text: str


@dataclass(frozen=True)
class Shape:
    """How panels are arranged.

    Args:
        columns: how many stand side by side.
        rows: how many rows.
        width: of a panel, in pixels.
        left: of the first panel.
    """

    columns: int
    rows: int
    width: float
    left: float

    @property
    def height(self) -> int:
        """Of a panel, in pixels."""
        return _HEIGHTS[min(self.columns, COLUMNS)]


def arrange(panels: int, left: float, least: float) -> Shape:
    """As many panels side by side as are wide enough, at most four, in rows of equal length where that is possible.

    Args:
        panels: how many there are.
        left: pixels that ticks take on the left.
        least: pixels that a panel needs.

    Example:
        >>> [(shape.columns, shape.rows) for shape in (arrange(n, 40, 200) for n in (1, 5, 12))]
        [(1, 1), (3, 2), (4, 3)]
    """
    room = WIDTH - left - 8
    columns = max(1, min(COLUMNS, panels, int((room + _GAP) // (least + _GAP))))
    rows = math.ceil(panels / columns)
    columns = math.ceil(panels / rows)
    width = (room - _GAP * (columns - 1)) / columns
    if panels == 1:
        width = min(width, max(_ONE, 1.7 * least))
    return Shape(columns, rows, width, left)


def board(
    shape: Shape,
    titles: Sequence[str],
    marks: Sequence[Mark],
    across: Ticks | Sequence[Ticks],
    up: Ticks,
    labels: tuple[str, str],
) -> tuple[Figure, list[Axes]]:
    """A sheet with a key, panels with their titles, shared ticks, and the labels of both axes written once.

    Args:
        shape: how the panels are arranged.
        titles: of the panels, with what is said aside after a line break; one empty title for a drawing without panels.
        marks: for the key; it is left out where there is less than two.
        across: ticks of the horizontal axes: those of all panels, or of each its own.
        up: ticks of the vertical axes.
        labels: of the horizontal and the vertical axis.

    Returns:
        The sheet, and the panels' axes in the order of the titles.
    """
    heads = [_head(title, shape.width) for title in titles]
    tall = [max(len(head) for head in _row(heads, shape, row)) if any(titles) else 0 for row in range(shape.rows)]
    tops = [_TITLE * lines + (10 if lines else 4) for lines in tall]
    keyed = key_rows(marks) if len(marks) > 1 else []
    above = 6 + _LINE * len(keyed) + (8 if keyed else 0) + (_LINE if labels[1] else 0)
    free = not isinstance(across, Ticks)
    each = [across] * len(titles) if isinstance(across, Ticks) else list(across)
    below = max(ticks.room for ticks in each)
    steps = [top + shape.height + (18 + (below - 10 if free else 0) if row else 0) for row, top in enumerate(tops)]
    height = above + sum(steps) + below + (_LINE + 6 if labels[0] else 4) + 4
    figure = sheet(WIDTH, height)
    paper = figure.add_axes((0, 0, 1, 1))
    blank(paper, height)
    for row, entries in enumerate(keyed):
        draw_key(paper, entries, 6 + _LINE * row + _LINE / 2)
    if labels[1]:
        paper.text(0, above - _LINE / 2 + 2, labels[1], va="center", fontsize=10.5, color=LIGHT["muted"])
    every = []
    for place, head in enumerate(heads):
        row, column = divmod(place, shape.columns)
        bottom = above + sum(steps[: row + 1])
        left = shape.left + column * (shape.width + _GAP)
        box = (left / WIDTH, 1 - bottom / height, shape.width / WIDTH, shape.height / height)
        axes = figure.add_axes(box)
        each[place].across(axes, worded=free or place + shape.columns >= len(heads))
        up.up(axes, worded=column == 0)
        _dress(axes)
        if any(titles):
            start = bottom - shape.height - 8 - _TITLE * (len(head) - 1)
            for line, (text, style) in enumerate(head):
                paper.text(left, start + _TITLE * line, text, va="baseline", **style)
        every.append(axes)
    if labels[0]:
        end = shape.left + min(len(heads), shape.columns) * (shape.width + _GAP) - _GAP
        paper.text(
            (shape.left + end) / 2,
            height - 13,
            labels[0],
            ha="center",
            va="center",
            fontsize=10.5,
            color=LIGHT["muted"],
        )
    return figure, every


def _head(title: str, width: float) -> Lines:
    """A panel's title in lines: bold, and below it, after a line break, what is said aside."""
    main, _, aside = title.partition("\n")
    bold = [(line, _BOLD) for line in broken(main, width, 11.5, weight="bold")]
    return bold + [(line, _ASIDE) for line in broken(aside, width, 10, lines=1) if line]


def _row(heads: Sequence[Lines], shape: Shape, row: int) -> Sequence[Lines]:
    return heads[row * shape.columns : (row + 1) * shape.columns]


def _dress(axes: Axes) -> None:
    axes.grid(axis="y", color=LIGHT["rule"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def key_rows(marks: Sequence[Mark]) -> list[list[tuple[float, Mark]]]:
    """The entries of a key with their places, in rows."""
    rows: list[list[tuple[float, Mark]]] = [[]]
    x = 0.0
    for mark in marks:
        wide = 16 + width_of(mark.text, 10.5) + 22
        if rows[-1] and x + wide > WIDTH:
            rows.append([])
            x = 0.0
        rows[-1].append((x, mark))
        x += wide
    return rows


def draw_key(paper: Axes, entries: Sequence[tuple[float, Mark]], y: float) -> None:
    """One row of a key."""
    for x, mark in entries:
        paper.plot([x + 6], [y], marker=mark.shape, markersize=7.5, color=mark.colour, linestyle="", clip_on=False)
        paper.text(x + 17, y, mark.text, va="center_baseline", fontsize=10.5)
