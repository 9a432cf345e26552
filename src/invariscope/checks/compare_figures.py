"""What is drawn of a comparison: thresholds that moved, curves side by side, classes, layers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from invariscope.checks.compare_words import records, short_text
from invariscope.core.words import percent
from invariscope.findings.figures import Figure, Heat, Intervals, Lines
from invariscope.runs.run import Run
from invariscope.tolerance.outputs import ALL

VERDICTS = ("worse", "better", "no evidence")
# Which thresholds are drawn besides those that moved: the first of these that are not too many.
_SHOWN = ((("accuracy", 0.9), ("accuracy", 0.5), ("first-flip", 0.5)), (("accuracy", 0.9), ("accuracy", 0.5)))
_MOST_ROWS, _MOST_CLASSES, _MOST_LAYERS = 48, 30, 40


def moved_table(compare: pd.DataFrame) -> pd.DataFrame:
    """The thresholds that are drawn, as changes relative to the reference's, what got worse first.

    Those of accuracy, of the first flip, and whatever moved; all images together.

    Args:
        compare: a row per threshold.

    Returns:
        Columns `run, transformation, case, change, low, high, verdict`.
    """
    whole = compare[compare["class"] == ALL]
    labelled = (whole["criterion"] == "accuracy").any()
    rows = whole.iloc[:0]
    for cases in _SHOWN:
        wanted = {
            (criterion if labelled or criterion != "accuracy" else "agreement", level) for criterion, level in cases
        }
        chosen = np.array([case in wanted for case in zip(whole["criterion"], whole["level"], strict=True)], dtype=bool)
        rows = whole[chosen | whole["regression"] | whole["improvement"]]
        if len(rows) <= _MOST_ROWS:
            break
    most = rows.assign(_p=rows["p_adjusted"].fillna(2.0)).sort_values("_p", kind="stable").index[:_MOST_ROWS]
    rows = rows.loc[rows.index.isin(most)]
    worst = rows.assign(_rank=_rank(rows)).groupby("transformation", sort=False)["_rank"].min()
    order = rows["transformation"].map(worst).to_numpy(np.float64)
    rows = rows.iloc[np.lexsort((np.arange(len(rows)), order))]
    told = records(rows)
    return pd.DataFrame(
        {
            "run": rows["run"].to_numpy(),
            "transformation": rows["transformation"].to_numpy(),
            "case": [short_text(row) for row in told],
            "change": rows["relative"].to_numpy(np.float64),
            "low": rows["relative_low"].to_numpy(np.float64),
            "high": rows["relative_high"].to_numpy(np.float64),
            "verdict": verdicts(rows),
        }
    )


def verdicts(rows: pd.DataFrame) -> list[str]:
    """In a word, what became of each threshold.

    Args:
        rows: of the table of thresholds.
    """
    found = np.select([rows["regression"], rows["improvement"]], VERDICTS[:2], VERDICTS[2])
    return [str(word) for word in found]


def _rank(rows: pd.DataFrame) -> "pd.Series[float]":
    # Regressions by their size, then improvements, then the rest.
    size = rows["relative"].fillna(0.0)
    return pd.Series(np.select([rows["regression"], rows["improvement"]], [size - 10, 5 - size], 10 + size), rows.index)


def tolerance_table(runs: Sequence[Run], labels: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    """The curves of all runs below one another.

    Args:
        runs: the reference first.
        labels: what they are called.
        names: of the transformations.

    Returns:
        Columns `run, transformation, magnitude, unit_of_measure, quality, value, low, high, n`.
    """
    known = [run.curves for run in runs if len(run.curves)]
    quality = "accuracy" if known and all(curves["accuracy"].notna().any() for curves in known) else "agreement"
    frames = []
    for label, run in zip(labels, runs, strict=True):
        rows = run.curves
        if rows.empty:
            continue
        rows = rows[(rows["class"] == ALL) & rows["transformation"].isin(names)]
        ends = {"value": quality, "low": f"{quality}_low", "high": f"{quality}_high"}
        chosen = rows[["transformation", "magnitude", "unit_of_measure", "n"]].assign(run=label, quality=quality)
        frames.append(chosen.assign(**{new: rows[old] for new, old in ends.items()}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def figures(tables: Mapping[str, pd.DataFrame], labels: Sequence[str], least: float) -> list[Figure]:
    """What the page draws.

    Args:
        tables: of the comparison, by name.
        labels: what the runs are called, the reference first.
        least: the smallest change that matters, as a share of the reference's threshold.
    """
    reference, several = labels[0], len(labels) > 2
    by_run = "run" if several else None
    made: list[Figure] = []
    if len(tables.get("moved", ())):
        matters = f" Changes below {percent(least, 1)} are not called worse or better." if least else ""
        made.append(
            Intervals(
                name="thresholds",
                title="Thresholds that moved",
                caption=(
                    f"How far each threshold moved, as a share of that of {reference}: to the left, less is tolerated. "
                    "Worse and better are what remains after the correction for many comparisons; whiskers are not "
                    f"corrected. A threshold beyond the grid leaves only a bound, and no dot.{matters}"
                ),
                table="moved",
                x="change",
                y="case",
                group="transformation",
                panel=by_run,
                colour="verdict",
                reference=0.0,
                share=True,
                x_label=f"Change of the threshold against {reference}",
            )
        )
    if len(tables.get("tolerance", ())):
        quality = str(tables["tolerance"]["quality"].iloc[0])
        made.append(
            Lines(
                name="tolerance",
                title="Curves side by side",
                caption=f"{quality.capitalize()} of all images together against magnitude.",
                table="tolerance",
                x="magnitude",
                y="value",
                colour="run",
                panel="transformation",
                aside="unit_of_measure",
                free_x=True,
                band=True,
                share=True,
                x_label="Magnitude",
                y_label=quality.capitalize(),
                counts="images",
            )
        )
    if len(tables.get("curves", ())):
        curves = tables["curves"]
        made.append(
            Lines(
                name="differences",
                title="Differences at equal magnitudes",
                caption=(
                    f"{str(curves['quality'].iloc[0]).capitalize()} less that of {reference}, for all images together: "
                    "below the line it got worse."
                ),
                table="curves",
                where={"class": ALL},
                x="magnitude",
                y="difference",
                colour=by_run,
                panel="transformation",
                aside="unit_of_measure",
                free_x=True,
                band=True,
                share=True,
                reference=0.0,
                x_label="Magnitude",
                y_label="Difference",
                counts="images",
            )
        )
    return made + _classes(tables, reference, by_run) + _layers(tables, reference, by_run)


def _classes(tables: Mapping[str, pd.DataFrame], reference: str, by_run: str | None) -> list[Figure]:
    rows = tables.get("compare", pd.DataFrame())
    if rows.empty:
        return []
    rows = rows[(rows["class"] != ALL) & (rows["criterion"] == "accuracy") & (rows["level"] == 0.9)]
    classes = list(dict.fromkeys(rows["class"]))
    if not 1 < len(classes) <= _MOST_CLASSES or rows["relative"].isna().all() or by_run is not None:
        return []
    return [
        Heat(
            name="classes",
            title="Classes",
            caption=(
                f"By how much the threshold at which a class keeps 90 % of its accuracy moved, as a share of that of "
                f"{reference}, on each side of the identity; an empty cell is beyond the grid in a run."
            ),
            table="compare",
            where={"criterion": "accuracy", "level": 0.9, "class": classes},
            x="transformation",
            y="class",
            value="relative",
            panel="side",
            share=True,
        )
    ]


def _layers(tables: Mapping[str, pd.DataFrame], reference: str, by_run: str | None) -> list[Figure]:
    rows = tables.get("layers", pd.DataFrame())
    if rows.empty or rows["layer"].nunique() > _MOST_LAYERS:
        return []
    return [
        Heat(
            name="layers",
            title="Invariance, layer by layer",
            caption=f"Mean invariance of the units of a layer less that of {reference}, averaged over magnitudes.",
            table="layers",
            x="transformation",
            y="layer",
            value="difference",
            panel=by_run,
        )
    ]
