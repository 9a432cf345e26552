"""Gallery: pictures laid out by two columns, with a few words below each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from PIL import Image, UnidentifiedImageError

from invariscope.core.words import count, tidy
from invariscope.report.drawings.base import DRAWINGS
from invariscope.report.drawings.captions import alternative, told
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.type import broken, width_of
from invariscope.report.drawings.values import categories, where_is
from invariscope.report.figures.grid import WIDTH, blank
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.pictures import unenlarged

_SIZE, _NOTE, _LONGEST, _GAP, _LINE = 10.5, 9.0, 150.0, 12.0, 12.0
# Pixels: no picture is drawn smaller or, unless it is asked for, larger; none of a file has more.
_SMALLEST, _USUAL, _LARGEST = 56, 96, 200
_MOST_ROWS, _MOST_COLUMNS, _MOST_LINES = 24, 14, 3


@dataclass(frozen=True)
class Shot:
    """A picture and what is said of it.

    Args:
        pixels: (row, column, 3), uint8; None where the file is not there, or is no picture.
        note: what is written below it.
        asked: the table has a row for this place.
    """

    pixels: np.ndarray | None
    note: str
    asked: bool = True


@dataclass(frozen=True)
class Layout:
    """Where pictures are, in pixels.

    Args:
        left: of the first column.
        wide: of a picture's place.
        high: of it.
        notes: lines of words below each.
    """

    left: float
    wide: float
    high: float
    notes: int

    @property
    def step(self) -> tuple[float, float]:
        """From one picture to the next, across and down."""
        return self.wide + _GAP, self.high + (4 + _LINE * self.notes if self.notes else 0) + 10


@DRAWINGS.add("gallery")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn:
    """Rows and columns of pictures in every panel, one panel below the other."""
    panels, columns = categories(spec, rows, spec.panel), categories(spec, rows, spec.x)
    shown = columns[:_MOST_COLUMNS]
    names = {panel: categories(spec, where_is(rows, spec.panel, panel), spec.y)[:_MOST_ROWS] for panel in panels}
    shots = {
        (panel, name): [_shot(spec, rows, panel, name, column) for column in shown]
        for panel in panels
        for name in names[panel]
    }
    layout = _arrange(spec, [spec.label(name) for own in names.values() for name in own], len(shown), shots.values())
    heads = [broken(spec.label(column), layout.wide + _GAP - 4, 9.5) for column in shown]
    above = 8.0 + 13 * max(len(head) for head in heads) + (18 if spec.x_label else 0)
    title = 26.0 if any(panel is not None for panel in panels) else 0.0
    height = above + sum(title + len(own) * layout.step[1] for own in names.values()) + 2
    figure = sheet(WIDTH, height)
    axes = figure.add_axes((0, 0, 1, 1))
    blank(axes, height)
    if spec.x_label:
        axes.text(layout.left, 9, spec.x_label, va="center", fontsize=_SIZE, color=LIGHT["muted"])
    for place, head in enumerate(heads):
        middle = layout.left + place * layout.step[0] + layout.wide / 2
        for line, text in enumerate(reversed(head)):
            axes.text(middle, above - 8 - 13 * line, text, ha="center", fontsize=9.5, color=LIGHT["muted"])
    y = above
    for panel in panels:
        if panel is not None:
            axes.text(0, y + 14, spec.label(panel), fontsize=11.5, weight="bold")
            y += title
        for name in names[panel]:
            _row(axes, layout, y, spec.label(name), shots[panel, name])
            y += layout.step[1]
    every = [shot for own in shots.values() for shot in own]
    missing = sum(shot.asked and shot.pixels is None for shot in every)
    drawn = sum(shot.pixels is not None for shot in every)
    here = {(panel, name) for panel, own in names.items() for name in own}
    rest = sum(len(categories(spec, where_is(rows, spec.panel, panel), spec.y)) for panel in panels) - len(here)
    caption = told(
        spec,
        f"{count(missing, 'picture')} {'is' if missing == 1 else 'are'} not there." if missing else "",
        f"{count(rest, 'row')} more {'stands' if rest == 1 else 'stand'} in the table." if rest else "",
        f"The first {len(shown)} of {len(columns)} columns are drawn." if len(shown) < len(columns) else "",
    )
    said = [f"{count(drawn, 'picture')} in {count(len(here), 'row')}"]
    for (_, name), own in shots.items():
        pairs = [(spec.label(column), shot.note) for column, shot in zip(shown, own, strict=True) if shot.note]
        notes = [f"{column} {note}".replace("\n", ", ") for column, note in pairs]
        said += [f"{spec.label(name)}: {', '.join(notes)}"] if notes else []
    return Drawn(spec.name, spec.title, caption, alternative("Pictures", spec, [], said[:9]), figure)


def _shot(spec: Spec, rows: pd.DataFrame, panel: Any, name: Any, column: Any) -> Shot:
    own = where_is(rows, spec.panel, panel)
    own = own[(own[spec.y] == name) & (own[spec.x] == column)]
    if own.empty:
        return Shot(None, "", asked=False)
    note = own[spec.note].iloc[0] if spec.note is not None else ""
    return Shot(_pixels(str(own[spec.file].iloc[0])), "" if pd.isna(note) else _tidied(str(note)))


def _tidied(note: str) -> str:
    """A note without control characters; its line breaks and narrow spaces, at which no line ends, stay."""
    lines = note.split("\n")[:_MOST_LINES]
    return "\n".join("\u202f".join(tidy(part, 60) for part in line.split("\u202f")) for line in lines)


def _lines(note: str, width: float) -> list[str]:
    """A note as it is written below a picture: as it was broken, or in at most two lines."""
    own = [line for line in note.split("\n") if line]
    return [text for line in own for text in broken(line, width + _GAP - 4, _NOTE, lines=2 if len(own) == 1 else 1)]


def _pixels(file: str) -> np.ndarray | None:
    """A picture at its own size: one that was enlarged in whole steps is shrunk again, a large one is made smaller."""
    if not file:
        return None
    try:
        with Image.open(file) as opened:
            picture = unenlarged(opened.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    picture.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
    return np.asarray(picture)


def _arrange(spec: Spec, names: Sequence[str], columns: int, shots: Any) -> Layout:
    every = [shot for own in shots for shot in own]
    sizes = [shot.pixels.shape[:2] for shot in every if shot.pixels is not None] or [(_SMALLEST, _SMALLEST)]
    tall, wide = max(size[0] for size in sizes), max(size[1] for size in sizes)
    left = max((width_of(broken(name, _LONGEST, _SIZE, lines=1)[0], _SIZE) for name in names), default=0.0) + 12
    room = (WIDTH - left - _GAP * (columns - 1)) / columns
    factor = max(spec.zoom, math.ceil(_SMALLEST / max(tall, wide)))
    most = _LARGEST if spec.zoom > 1 else _USUAL
    scale = min(float(factor), most / max(tall, wide), room / wide)
    if scale > 1:
        # Whole steps keep every pixel of a small picture as wide as its neighbours.
        scale = float(math.floor(scale))
    across = min(max(scale * wide, min(room, _SMALLEST)), room)
    notes = [len(_lines(shot.note, across)) for shot in every if shot.note]
    return Layout(left, across, scale * tall, max(notes, default=0))


def _row(axes: Axes, layout: Layout, y: float, name: str, shots: Sequence[Shot]) -> None:
    text = broken(name, _LONGEST, _SIZE, lines=1)[0]
    axes.text(layout.left - 12, y + layout.high / 2, text, ha="right", va="center_baseline", fontsize=_SIZE)
    for place, shot in enumerate(shots):
        x = layout.left + place * layout.step[0]
        if shot.pixels is None:
            sign = "–" if shot.asked else "·"
            axes.text(x + layout.wide / 2, y + layout.high / 2, sign, ha="center", va="center", color=LIGHT["faint"])
            continue
        _picture(axes, shot.pixels, x, y, layout)
        for line, words in enumerate(_lines(shot.note, layout.wide)):
            foot = y + layout.high + 4 + _LINE * (line + 0.8)
            axes.text(x + layout.wide / 2, foot, words, ha="center", fontsize=_NOTE, color=LIGHT["muted"])


def _picture(axes: Axes, pixels: np.ndarray, x: float, y: float, layout: Layout) -> None:
    """A picture in the middle of its place, each of its pixels a square."""
    tall, wide = pixels.shape[:2]
    scale = min(layout.high / tall, layout.wide / wide)
    if scale < 1:
        small = Image.fromarray(pixels).resize(
            (max(round(wide * scale), 1), max(round(tall * scale), 1)), Image.Resampling.BOX
        )
        pixels, scale = np.asarray(small), 1.0
        tall, wide = pixels.shape[:2]
    start = round(x + (layout.wide - wide * scale) / 2), round(y + (layout.high - tall * scale) / 2)
    ends = (start[0], start[0] + wide * scale, start[1] + tall * scale, start[1])
    axes.imshow(pixels, extent=ends, interpolation="none", aspect="auto", zorder=2, clip_on=False)
