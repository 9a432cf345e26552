"""Networks that saw some classes transformed: what they then do with the classes that they never saw transformed."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES, share_axis
from invariscope.report.finding import n_classes
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.read import RunData
from invariscope.report.words import count, listed, title

_WIDTH, _PANEL = 1000, 190


@FIGURES.add("paradigm")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """Per transformation: accuracy on seen and unseen classes, and invariance, against the number of seen classes."""
    table = run.tables["paradigm"]
    names = list(dict.fromkeys(table["transformation"]))
    if not names:
        return
    height = 44 + len(names) * (_PANEL + 62)
    figure = sheet(_WIDTH, height)
    for row, name in enumerate(names):
        rows = table[table["transformation"] == name].sort_values(["k", "seed"])
        bottom = 1 - (54 + (row + 1) * _PANEL + row * 62) / height
        left = figure.add_axes((0.06, bottom, 0.41, _PANEL / height))
        right = figure.add_axes((0.56, bottom, 0.41, _PANEL / height))
        share_axis(left, "", labelled=True)
        _line(left, rows, "within", "blue", "seen classes", above=False)
        _line(left, rows, "across", "orange", "unseen classes", above=True)
        left.set_title(f"{title(name)}: accuracy on transformed images")
        right.set_ylim(0, 1.03)
        right.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
        right.grid(axis="y", color=LIGHT["rule"], linewidth=0.8)
        right.spines["left"].set_visible(False)
        _line(right, rows, "invariance_seen", "faint", "seen classes", above=True)
        _line(right, rows, "invariance_unseen", "green", "unseen classes", above=False)
        right.set_title(f"{title(name)}: mean invariance of the units")
        for axes in (left, right):
            axes.xaxis.set_major_locator(FixedLocator(sorted(set(rows["k"]))))
            axes.set_xlabel(f"classes seen transformed in training, of {n_classes(rows)}")
    seeds = table.groupby(["transformation", "k"])["seed"].nunique()
    yield Drawn(
        "paradigm",
        "Trained with some classes transformed, tested on the others",
        f"Each dot is one network ({count(len(table), 'network')}, {_seeds(seeds)} per point); lines join the means"
        + ("; bars are 95 % intervals over seeds (t)." if int(seeds.max()) > 1 else ".")
        + " Left: share of transformed test images that are classified correctly, for the classes that the network saw "
        "transformed in training and for those it did not. Right: mean invariance coefficient of the last hidden "
        "layer's units on the same images.",
        "Accuracy and invariance against the number of classes seen transformed, for "
        f"{listed([title(name) for name in names])}; the text above the figure says what they show.",
        figure,
    )


def _seeds(seeds: "pd.Series[int]") -> str:
    low, high = int(seeds.min()), int(seeds.max())
    return count(high, "seed") if low == high else f"{low} to {high} seeds"


def _line(axes: Axes, rows: pd.DataFrame, column: str, colour: str, label: str, *, above: bool) -> None:
    known = rows.dropna(subset=[column])
    if known.empty:
        return
    means = known.groupby("k")[column].mean()
    axes.scatter(known["k"], known[column], s=26, color=LIGHT[colour], alpha=0.5, linewidth=0, zorder=3)
    axes.plot(means.index.to_numpy(), means.to_numpy(), color=LIGHT[colour], linewidth=2, zorder=2)
    for k, values in known.groupby("k")[column]:
        if len(values) > 1:
            half = t_half_width(values.to_numpy())
            mean = float(values.mean())
            ends = np.clip([mean - half, mean + half], 0, 1)
            axes.plot([float(str(k))] * 2, ends, color=LIGHT[colour], linewidth=1.2, zorder=1)
    first = float(means.iloc[0])
    shade = LIGHT["muted"] if colour == "faint" else LIGHT[colour]
    axes.annotate(
        label,
        (float(means.index[0]), first),
        xytext=(0, 14 if above else -18),
        textcoords="offset points",
        fontsize=10,
        color=shade,
    )


def t_half_width(values: np.ndarray) -> float:
    """Half the width of the 95 % interval of a mean over seeds.

    Example:
        >>> round(t_half_width(np.array([0.0, 1.0])), 3)
        6.353
    """
    from scipy.stats import t

    n = len(values)
    return float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
