"""Tolerance curves: a quality against magnitude, one panel per transformation, one figure per family."""

from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from invariscope.core.words import FAMILIES, OTHER_FAMILY, count, family, listed, percent, title
from invariscope.report.answers import Answer
from invariscope.report.figures.base import FIGURES, magnitude_axis, share_axis
from invariscope.report.ink import LIGHT, Drawn, sheet
from invariscope.report.limits import levels, read_limits
from invariscope.report.read import RunData

_COLUMNS, _WIDTH, _HEIGHT = 4, 1000, 178
# So few transformations stand together; more are parted by family.
_FEW = 8


@FIGURES.add("tolerance")
def draw(run: RunData, answers: Sequence[Answer]) -> Iterator[Drawn]:
    """The tolerance curves of each family of transformations."""
    curves = run.tables["curves"]
    curves = curves[curves["class"] == "all"]
    drawable = [answer for answer in answers if (curves["transformation"] == answer.name).any()]
    if 0 < len(drawable) <= _FEW:
        yield _family(run, "", drawable, curves)
        return
    for kind in (*FAMILIES, OTHER_FAMILY):
        members = [answer for answer in drawable if family(answer.name) == kind]
        if members:
            yield _family(run, kind, members, curves)


def _family(run: RunData, kind: str, members: Sequence[Answer], curves: pd.DataFrame) -> Drawn:
    rows = -(-len(members) // _COLUMNS)
    height = 34 + rows * _HEIGHT
    figure = sheet(_WIDTH, height)
    grid = figure.add_gridspec(
        rows,
        _COLUMNS,
        left=44 / _WIDTH,
        right=1 - 8 / _WIDTH,
        top=1 - 56 / height,
        bottom=38 / height,
        hspace=0.72,
        wspace=0.14,
    )
    chance = chance_of(run)
    for place, answer in enumerate(members):
        axes = figure.add_subplot(grid[place // _COLUMNS, place % _COLUMNS])
        rows_here = curves[curves["transformation"] == answer.name].sort_values("magnitude")
        _panel(axes, run, answer, rows_here, chance, labelled=place % _COLUMNS == 0)
    quality = members[0].quality
    figure.legend(
        handles=_legend(quality, members[0].level, chance),
        loc="upper left",
        ncols=6,
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.6,
        bbox_to_anchor=(4 / _WIDTH, 1),
    )
    n = curves.loc[curves["transformation"].isin([answer.name for answer in members]), "n"]
    name = kind.lower().replace(" ", "-")
    return Drawn(
        f"tolerance-{name}" if name else "tolerance",
        kind or "Tolerance curves",
        _caption(quality, members[0].level, chance, n),
        f"Tolerance curves of {listed([title(answer.name) for answer in members], 20)}: {quality} against magnitude, "
        f"with the safe range of each; the numbers are in the table of verdicts.",
        figure,
    )


def chance_of(run: RunData) -> float | None:
    """Accuracy of guessing among the network's outputs, where there are labels."""
    curves = run.tables["curves"]
    outputs = (run.info.get("network") or {}).get("outputs")
    named = int(curves.loc[curves["class"] != "all", "class"].nunique())
    number = outputs if isinstance(outputs, int) and outputs > 0 else named
    return 1 / number if number and curves["accuracy"].notna().any() else None


def _panel(
    axes: Axes, run: RunData, answer: Answer, rows: pd.DataFrame, chance: float | None, *, labelled: bool
) -> None:
    magnitude_axis(axes, answer.axis)
    share_axis(axes, "", labelled=labelled)
    low = float(rows[["accuracy", "agreement"]].min().min())
    if low < 0:
        axes.set_ylim(-1.03 if low < -0.2 else -0.23, 1.03)
    _safe_range(axes, answer)
    x = rows["magnitude"].to_numpy()
    if answer.quality == "accuracy":
        axes.plot(x, rows["agreement"], color=LIGHT["faint"], linewidth=1.2)
    colour = LIGHT["blue"]
    quality = answer.quality
    axes.fill_between(x, rows[f"{quality}_low"], rows[f"{quality}_high"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, rows[quality], color=colour, linewidth=1.8, marker="o", markersize=3.2)
    if chance is not None:
        axes.axhline(chance, color=LIGHT["muted"], linewidth=1, linestyle=(0, (1, 2)))
    _half_marks(axes, run, answer)
    axes.set_title(title(answer.name), y=1.1, pad=0)


def _safe_range(axes: Axes, answer: Answer) -> None:
    known = [limit for limit in answer.safe if limit.known]
    if not known:
        return
    reach = [limit.reach for limit in known] + [answer.axis.identity]
    if not (answer.axis.switch and not known[0].censored):
        axes.axvspan(min(reach), max(reach), color=LIGHT["safe"], linewidth=0, zorder=0)
    written = []
    for limit in known:
        if limit.censored or answer.axis.switch:
            continue
        axes.axvline(limit.threshold, color=LIGHT["green"], linewidth=1, zorder=1)
        written.append(answer.axis.write(limit.threshold, 2))
    if answer.axis.switch:
        text = "safe" if known[0].censored else "not safe"
    elif written:
        text = "safe to " + " / ".join(written) if len(written) == len(known) else "safe to " + written[0]
    else:
        text = "safe throughout"
    axes.text(1, 1.1, text, transform=axes.transAxes, ha="right", va="baseline", fontsize=9.5, color=LIGHT["green"])


def _half_marks(axes: Axes, run: RunData, answer: Answer) -> None:
    further = [level for level in levels(run) if level < answer.level]
    if not further or answer.axis.switch:
        return
    for limit in read_limits(run, answer.axis, answer.quality, further[0]).get("all", ()):
        if not limit.censored and limit.known:
            axes.plot([limit.threshold], [0], marker="^", color=LIGHT["muted"], markersize=5, clip_on=False)


def _legend(quality: str, level: float, chance: float | None) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=LIGHT["blue"], linewidth=1.8, marker="o", markersize=3.2, label=quality),
        Patch(color=LIGHT["blue"], alpha=0.2, linewidth=0, label="95 % interval"),
    ]
    if quality == "accuracy":
        handles.append(Line2D([], [], color=LIGHT["faint"], linewidth=1.2, label="agreement with clean prediction"))
    handles.append(Patch(color=LIGHT["safe"], linewidth=0, label=f"safe: at least {percent(level)} of clean"))
    handles.append(Line2D([], [], color=LIGHT["muted"], marker="^", linestyle="", markersize=5, label="half of clean"))
    if chance is not None:
        handles.append(
            Line2D(
                [], [], color=LIGHT["muted"], linewidth=1, linestyle=(0, (1, 2)), label=f"chance {percent(chance, 1)}"
            )
        )
    return handles


def _caption(quality: str, level: float, chance: float | None, n: "pd.Series[float]") -> str:
    images = count(n.iloc[0], "image") if n.nunique() == 1 else f"{number_range(n)} images"
    words = "Accuracy" if quality == "accuracy" else "Agreement with the clean prediction"
    return (
        f"{words} against magnitude; n = {images} per point. Shaded: the range in which at least {percent(level)} of "
        "the clean value is kept. Triangles: where half of it is lost."
        + (f" Dotted: chance ({percent(chance, 1)})." if chance is not None else "")
    )


def number_range(n: "pd.Series[float]") -> str:
    """The smallest and largest of some counts."""
    return f"{int(n.min()):,} to {int(n.max()):,}"
