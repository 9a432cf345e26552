"""The short answer after a comparison, on the terminal."""

import sys
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from invariscope.checks.compare_findings import clean_rows
from invariscope.checks.compare_words import (
    case_text,
    difference_text,
    p_text,
    place_text,
    points_interval,
    records,
    signed_points,
)
from invariscope.core.words import MINUS, count, percent, sign_of, title

if TYPE_CHECKING:
    from pandas import DataFrame

    from invariscope.runs.run import Run

WIDTH, _MOST = 110, 15


def totals(compare: "DataFrame") -> dict[str, dict[str, int]]:
    """How many thresholds were tested, and how many got worse and better: of all images together, and of classes.

    Args:
        compare: the table of thresholds; may be empty.
    """
    found = {}
    for name in ("all", "classes"):
        rows = compare
        if len(compare):
            rows = compare[(compare["class"] == "all") == (name == "all")]
        found[name] = {
            "tested": int(rows["p"].notna().sum()) if len(rows) else 0,
            **{column: int(rows[column].sum()) if len(rows) else 0 for column in ("regression", "improvement")},
        }
    return found


def print_moved(run: "Run", report: Path) -> None:
    """Print what was compared, how much moved, the thresholds that moved most surely, and where the report is.

    Args:
        run: a finished comparison.
        report: where its page lies.
    """
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
    compare, curves = run.table("compare"), run.table("curves")
    console.print()
    console.print(Text(str(run.info["question"]), style="bold"), soft_wrap=True)
    for sentence in sentences(compare, curves):
        console.print(fill(sentence, console.width), soft_wrap=True, markup=False)
    if len(compare):
        moved = compare[(compare["regression"] | compare["improvement"]) & (compare["class"] == "all")]
        if len(moved):
            console.print(_table(moved))
            if len(moved) > _MOST:
                console.print(f"The {_MOST} surest of {len(moved)}; all stand in {run.path / 'compare.parquet'}.")
    console.print(Text("Report: ").append(str(report), style="bold"), soft_wrap=True)


def sentences(compare: "DataFrame", curves: "DataFrame") -> list[str]:
    """Clean accuracy, and how many thresholds moved.

    Args:
        compare: the table of thresholds.
        curves: the table of accuracies at equal magnitudes.
    """
    told = []
    for row in clean_rows(curves) if len(curves) else []:
        change = f"{signed_points(row['difference'])} points {points_interval(row['low'], row['high'])}"
        clean = f"{percent(row['a'], 1)} to {percent(row['b'], 1)}"
        told.append(f"{row['run']}: clean accuracy {clean} ({change}, {p_text(row['p'])}).")
    found = totals(compare)
    for name, what in (("all", "threshold"), ("classes", "threshold of a class")):
        counts = found[name]
        if counts["tested"]:
            plural = "thresholds" if name == "all" else "thresholds of classes"
            told.append(
                f"{count(counts['tested'], what, plural)} tested: {counts['regression']} got worse, "
                f"{counts['improvement']} got better."
            )
    return told or ["No thresholds could be compared."]


def _table(moved: "DataFrame") -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    several = moved["run"].nunique() > 1
    for heading in (*(["run"] if several else []), "transformation", "criterion"):
        table.add_column(heading)
    for heading in ("before", "now", "difference", "p"):
        table.add_column(heading, justify="right")
    ordered = moved.sort_values(["regression", "p_adjusted"], ascending=[False, True], kind="stable").head(_MOST)
    for row in records(ordered):
        style = "red" if row["regression"] else "green"
        side = str(row["side"]).replace("-", MINUS)
        table.add_row(
            *([row["run"]] if several else []),
            f"{title(row['transformation'])} {side}",
            case_text(row),
            place_text(row, "a"),
            place_text(row, "b"),
            Text(f"{difference_text(row)}{sign_of(row['unit_of_measure'])}", style=style),
            p_text(row["p_adjusted"]).removeprefix("p ").removeprefix("= "),
        )
    return table
