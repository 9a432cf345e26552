"""Panels whose rows have names: names on the left, rows of equal height, headings above groups of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from invariscope.report.drawings.panels import Mark, draw_key, key_rows
from invariscope.report.drawings.ticks import Ticks
from invariscope.report.drawings.type import broken, width_of
from invariscope.report.figures.grid import WIDTH, blank
from invariscope.report.ink import LIGHT, sheet

_SIZE, _LONGEST, _STEP, _PAD, _GAP, _LINE = 10.5, 300.0, 13.0, 11.0, 34.0, 20.0
_HEAD, _FOOT, _WIDEST = 24.0, 24.0, 560.0


@dataclass(frozen=True)
class Block:
    """One panel's rows, in pixels from the panel's own top.

    Args:
        title: of the panel; may be empty.
        names: of the rows.
        middles: of the rows.
        headings: words and their places, above groups of rows.
        height: of all rows.
    """

    title: str
    names: tuple[str, ...]
    middles: tuple[float, ...]
    headings: tuple[tuple[str, float], ...]
    height: float


@dataclass(frozen=True)
class Layout:
    """Where panels of rows are, in pixels.

    Args:
        blocks: the panels.
        left: of the first panel; names stand before it.
        width: of a panel.
        beside: panels stand side by side and share the names of their rows.
        step: between the dots of one row.
    """

    blocks: tuple[Block, ...]
    left: float
    width: float
    beside: bool
    step: float = _STEP


def arrange_rows(
    titles: Sequence[str], rows: Sequence[Sequence[tuple[str, str]]], dots: Sequence[int], *, beside: bool
) -> Layout:
    """Find places for panels of named rows.

    Args:
        titles: of the panels.
        rows: of each panel, the heading above a row (or nothing) and the row's name.
        dots: how many dots the fullest row of each panel has.
        beside: all panels have the same rows.

    Example:
        >>> layout = arrange_rows([""], [[("", "one"), ("", "two")]], [1], beside=False)
        >>> layout.blocks[0].middles, layout.blocks[0].height
        ((12.0, 36.0), 48.0)
    """
    headed = any(heading for own in rows for heading, _ in own)
    indent = 12.0 if headed else 0.0
    cut = [[broken(name, _LONGEST, _SIZE, lines=1)[0] for _, name in own] for own in rows]
    words = [name for own in cut for name in own]
    left = max((width_of(name, _SIZE) for name in words), default=0.0) + indent + 14
    blocks = []
    for title, own, names, most in zip(titles, rows, cut, dots, strict=True):
        high = _STEP * most + _PAD
        y, middles, headings, before = 0.0, [], [], ""
        for heading, _ in own:
            if heading and heading != before:
                headings.append((heading, y + 14))
                y += _HEAD
            before = heading
            middles.append(y + high / 2)
            y += high
        blocks.append(Block(title, tuple(names), tuple(middles), tuple(headings), y))
    across = len(blocks) if beside else 1
    width = (WIDTH - left - 16 - _GAP * (across - 1)) / across
    return Layout(tuple(blocks), left, min(width, _WIDEST) if across == 1 else width, beside)


def forest(layout: Layout, marks: Sequence[Mark], ticks: Sequence[Ticks], label: str) -> tuple[Figure, list[Axes]]:
    """A sheet with a key, panels with the names of their rows, ticks below each, and the axis's label.

    Args:
        layout: of `arrange_rows`.
        marks: for the key; it is left out where there is less than two.
        ticks: of each panel's horizontal axis.
        label: of the horizontal axes.

    Returns:
        The sheet, and axes in pixels downwards, in the order of the panels.
    """
    rows = key_rows(marks) if len(marks) > 1 else []
    above = 6 + _LINE * len(rows) + (10 if rows else 0)
    head = 22.0 if any(block.title for block in layout.blocks) else 0.0
    tall = [head + block.height + _FOOT for block in layout.blocks]
    below = _LINE + 8 if label else 6.0
    height = above + (max(tall) if layout.beside else sum(tall) + 10 * (len(tall) - 1)) + below
    figure = sheet(WIDTH, height)
    paper = figure.add_axes((0, 0, 1, 1))
    blank(paper, height)
    for place, entries in enumerate(rows):
        draw_key(paper, entries, 6 + _LINE * place + _LINE / 2)
    every, x, y = [], layout.left, above
    for place, (block, own) in enumerate(zip(layout.blocks, ticks, strict=True)):
        top = y + head
        if block.title:
            bold: dict[str, Any] = {"fontsize": 11.5, "weight": "bold", "va": "baseline"}
            title = broken(block.title, layout.width, 11.5, lines=1, weight="bold")[0]
            paper.text(x if layout.beside else 0, top - 8, title, **bold)
        box = (x / WIDTH, 1 - (top + block.height) / height, layout.width / WIDTH, block.height / height)
        axes = figure.add_axes(box)
        own.across(axes, worded=True)
        axes.set_ylim(block.height, 0)
        axes.yaxis.set_visible(False)
        axes.grid(axis="x", color=LIGHT["rule"], linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        if place == 0 or not layout.beside:
            _names(paper, block, layout.left, top)
        every.append(axes)
        x, y = (x + layout.width + _GAP, y) if layout.beside else (x, y + tall[place] + 10)
    if label:
        end = layout.left + (layout.width + _GAP) * (len(layout.blocks) if layout.beside else 1) - _GAP
        middle = (layout.left + end) / 2
        paper.text(middle, height - 13, label, ha="center", va="center", fontsize=_SIZE, color=LIGHT["muted"])
    return figure, every


def _names(paper: Axes, block: Block, right: float, top: float) -> None:
    for name, middle in zip(block.names, block.middles, strict=True):
        paper.text(right - 12, top + middle, name, ha="right", va="center_baseline", fontsize=_SIZE)
    for heading, y in block.headings:
        text = broken(heading, WIDTH, _SIZE, lines=1, weight="bold")[0]
        paper.text(0, top + y, text, va="center_baseline", fontsize=_SIZE, weight="bold", color=LIGHT["muted"])
