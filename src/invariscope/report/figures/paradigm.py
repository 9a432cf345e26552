"""Networks that saw some classes transformed: what they then do with the classes that they never saw transformed."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from invariscope.core.words import count, listed, number, spoken, title
from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES, share_axis
from invariscope.report.finding import n_classes
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.read import RunData

_WIDTH, _PANEL = 1000, 190


@FIGURES.add("paradigm")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """Per transformation: accuracy on seen and unseen classes, and invariance, against the number of seen classes."""
    table = run.tables["paradigm"]
    names = list(dict.fromkeys(table["transformation"]))
    if not names:
        return
    height = 24 + len(names) * (_PANEL + 76)
    figure = sheet(_WIDTH, height)
    for row, name in enumerate(names):
        rows = table[table["transformation"] == name].sort_values(["k", "seed"])
        bottom = 1 - (34 + (row + 1) * _PANEL + row * 76) / height
        left, right = (figure.add_axes((x, bottom, 0.42, _PANEL / height)) for x in (0.05, 0.57))
        share_axis(left, "", labelled=True)
        _lines(left, rows, {"within": ("blue", "seen classes"), "across": ("orange", "unseen classes")})
        left.set_title(f"{_short(name)}: accuracy")
        share_axis(right, "", labelled=False)
        right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(float(value))))
        _lines(
            right,
            rows,
            {"invariance_seen": ("faint", "seen classes"), "invariance_unseen": ("green", "unseen classes")},
        )
        right.set_title(f"{_short(name)}: mean invariance")
        for axes in (left, right):
            axes.xaxis.set_major_locator(FixedLocator(sorted(set(rows["k"]))))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(float(value))))
            axes.set_xlabel(f"classes seen transformed in training, of {n_classes(rows)}")
    seeds = table.groupby(["transformation", "k"])["seed"].nunique()
    yield Drawn(
        "paradigm",
        "Trained with some classes transformed, tested on the others",
        f"Each dot is one network ({count(len(table), 'network')}, {_seeds(seeds)} per point); lines join the means"
        + _bars(table, int(seeds.max()))
        + " Left: share of transformed test images that are classified correctly, for the classes that the network saw "
        "transformed in training and for those it did not. Right: mean invariance coefficient of the last hidden "
        "layer's units on the same images."
        + "".join(
            f" {_short(name)}: {listed([spoken(part) for part in name.split('+')])}." for name in names if "+" in name
        ),
        "Accuracy and invariance against the number of classes seen transformed, for "
        f"{listed([title(name) for name in names])}; the text above the figure says what they show.",
        figure,
    )


def _short(name: str) -> str:
    """A transformation's name, short enough to stand beside the key of colours; how many, where there are several."""
    parts = str(name).split("+")
    return title(parts[0]) if len(parts) == 1 else f"{len(parts)} at once"


def _seeds(seeds: "pd.Series[int]") -> str:
    low, high = int(seeds.min()), int(seeds.max())
    return count(high, "seed") if low == high else f"{low} to {high} seeds"


def _bars(table: pd.DataFrame, seeds: int) -> str:
    if seeds > 1:
        return "; bars are 95 % intervals over seeds (t)."
    return "; bars are 95 % intervals over test images." if table["across_low"].notna().any() else "."


def _lines(axes: Axes, rows: pd.DataFrame, columns: dict[str, tuple[str, str]]) -> None:
    end = 1.0
    for column, (colour, label) in reversed(columns.items()):
        _line(axes, rows, column, LIGHT[colour])
        shade = LIGHT["muted"] if colour == "faint" else LIGHT[colour]
        axes.text(end, 1.045, f"● {label}", transform=axes.transAxes, ha="right", fontsize=10, color=shade)
        end -= 0.27


def _line(axes: Axes, rows: pd.DataFrame, column: str, colour: str) -> None:
    known = rows.dropna(subset=[column])
    if known.empty:
        return
    means = known.groupby("k")[column].mean()
    axes.scatter(known["k"], known[column], s=26, color=colour, alpha=0.5, linewidth=0, zorder=3)
    axes.plot(means.index.to_numpy(), means.to_numpy(), color=colour, linewidth=2, zorder=2)
    for k, group in known.groupby("k"):
        ends = _interval(group, column)
        if ends is not None:
            axes.plot([float(str(k))] * 2, ends, color=colour, linewidth=1.2, zorder=1)


def _interval(group: pd.DataFrame, column: str) -> tuple[float, float] | None:
    """Over seeds where there are several, over test images where there is one; None where neither is known."""
    values = group[column].to_numpy(dtype=np.float64)
    if len(values) > 1:
        half = t_half_width(values)
        return max(float(values.mean()) - half, 0.0), min(float(values.mean()) + half, 1.0)
    ends = [f"{column}_low", f"{column}_high"]
    if not set(ends) <= set(group.columns) or group[ends].isna().any(axis=None):
        return None
    low, high = group[ends].to_numpy(dtype=np.float64)[0].tolist()
    return low, high


def t_half_width(values: np.ndarray) -> float:
    """Half the width of the 95 % interval of a mean over seeds.

    Example:
        >>> round(t_half_width(np.array([0.0, 1.0])), 3)
        6.353
    """
    from scipy.stats import t

    n = len(values)
    return float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
