"""What a figure shows, as plain values: which table, which columns. Drawing them is the report's work."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What all kinds of figures say.

    Args:
        name: of its files.
        title: one line.
        caption: how to read it: what a mark is, and what its bars are.
        x: column along the horizontal axis.
        y: column along the vertical axis.
        table: which of the study's tables.
        where: the rows that are shown, by column: a value, or a list of values.
        panel: column with one panel per value.
        labels: how values of columns are written.
        x_label: of the horizontal axis, with its unit of measure.
        y_label: of the vertical axis, with its unit of measure.
        share: values are shares from 0 to 1, written as percentages.
        counts: what the column n counts: "images" or "units".
    """

    kind: ClassVar[str]

    name: str
    title: str
    caption: str
    x: str
    y: str = "value"
    table: str = "results"
    where: Mapping[str, Any] = field(default_factory=dict)
    panel: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    x_label: str = ""
    y_label: str = ""
    share: bool = False
    counts: str = ""

    def plain(self) -> dict[str, Any]:
        """As figures.json holds it.

        Example:
            >>> Heat(name="all", title="All", caption="", x="tested", y="trained").plain()["kind"]
            'heat'
        """
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Lines(Figure):
    """A dot per network, lines through the means over seeds, bars for their 95 % intervals.

    Args:
        colour: column with one line per value.
        reference: a level to draw across, such as chance.
        log_x: the horizontal axis is logarithmic.
        span: ends of the vertical axis.
        band: a ribbon from `low` to `high` in place of dots and bars: for curves of many values.
        free_x: every panel has a horizontal axis of its own, for magnitudes of different units.
        aside: column with what is said below a panel's title, such as its unit of measure.
    """

    kind = "lines"

    colour: str | None = None
    reference: float | None = None
    log_x: bool = False
    span: tuple[float, float] | None = None
    band: bool = False
    free_x: bool = False
    aside: str | None = None


@dataclass(frozen=True, kw_only=True)
class Violins(Figure):
    """How the values of units are distributed, with median and quartiles.

    Args:
        colour: column that splits each place into violins side by side.
        span: ends of the vertical axis.
    """

    kind = "violins"

    colour: str | None = None
    span: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Heat(Figure):
    """A number per pair of values, as a colour and as a number: the mean over seeds.

    Args:
        value: column with the numbers.
        span: numbers at the ends of the scale of colours.
    """

    kind = "heat"

    value: str = "value"
    span: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Scatter(Figure):
    """A dot per row: a network, or a unit.

    Args:
        colour: column that gives dots their colour.
        x_share: values along the horizontal axis are shares from 0 to 1.
        correlation: the quantity in the results that says how the two columns correlate.
    """

    kind = "scatter"

    colour: str | None = None
    x_share: bool = False
    correlation: str | None = None


@dataclass(frozen=True, kw_only=True)
class Bars(Figure):
    """A bar per value, its mean over seeds, with its 95 % interval.

    Args:
        colour: column with one bar per value, side by side.
        reference: a level to draw across.
    """

    kind = "bars"

    colour: str | None = None
    reference: float | None = None


@dataclass(frozen=True, kw_only=True)
class Field(Figure):
    """Numbers over a plane: cells coloured by their value, and lines where it reaches a level.

    x and y are columns of numbers, in any spacing; a cell is the mean over seeds.

    Args:
        value: column with the numbers.
        levels: values whose contours are drawn and labelled.
        span: numbers at the ends of the scale of colours.
        origin: a place (x, y) to mark, such as the identity.
    """

    kind = "field"

    value: str = "value"
    levels: tuple[float, ...] = ()
    span: tuple[float, float] | None = None
    origin: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Intervals(Figure):
    """A row per value of y, in the order of the table: a dot at x, and a whisker from `low` to `high`.

    A row whose x is unknown keeps its label. Panels with the same rows share their scale and stand side by side; others
    stand below one another, each with a scale of its own.

    Args:
        colour: column that gives dots their colour, such as a verdict; several in a row stand below one another.
        reference: a number to draw a line at.
        mark: column with a number for each row that gets a tick, such as what was required.
        group: column with one heading per value, above its rows.
    """

    kind = "intervals"

    colour: str | None = None
    reference: float | None = None
    mark: str | None = None
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class Gallery(Figure):
    """Pictures laid out by x (across) and y (down).

    Args:
        file: column with the pictures: PNG files, as paths relative to the run directory.
        note: column with a few words below each picture; a line break in them begins a new line.
        zoom: pixels of the page for each pixel of a picture; small pictures are enlarged in any case.
    """

    kind = "gallery"

    file: str = "file"
    note: str | None = None
    zoom: int = 1


def plain(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures as figures.json holds them.

    Args:
        figures: in the order of the page.
    """
    return [figure.plain() for figure in figures]
