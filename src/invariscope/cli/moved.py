"""The short answer after a comparison, on the terminal."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

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
from invariscope.core.words import MINUS, amount, count, percent, sign_of, title

if TYPE_CHECKING:
    from pandas import DataFrame

    from invariscope.runs.run import Run

WIDTH, _MOST = 110, 15


def totals(compare: "DataFrame", curves: "DataFrame") -> dict[str, dict[str, int]]:
    """How many differences were tested, and how many got worse and better.

    Args:
        compare: the table of thresholds; may be empty.
        curves: the table of accuracies at equal magnitudes; may be empty.

    Returns:
        Counts `tested`, `regression` and `improvement` of "all" (thresholds of all images together), "classes"
        (thresholds of classes) and "curves" (accuracies of all images together).
    """
    kinds = {
        "all": compare[compare["class"] == "all"] if len(compare) else compare,
        "classes": compare[compare["class"] != "all"] if len(compare) else compare,
        "curves": curves[curves["class"] == "all"] if len(curves) else curves,
    }
    return {
        name: {
            "tested": int(rows["p_adjusted"].notna().sum()) if len(rows) else 0,
            **{column: int(rows[column].sum()) if len(rows) else 0 for column in ("regression", "improvement")},
        }
        for name, rows in kinds.items()
    }


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
    moved = _moved(compare, curves)
    if moved:
        console.print(_table(moved[:_MOST]))
    if len(moved) > _MOST:
        console.print(f"The {_MOST} surest of {len(moved)}; all stand in compare.parquet and curves.parquet.")
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
    found = totals(compare, curves)
    kinds = {"all": "threshold", "classes": "threshold of a class", "curves": "accuracy at one magnitude"}
    plural = {"all": None, "classes": "thresholds of classes", "curves": "accuracies at one magnitude"}
    for name, what in kinds.items():
        n = found[name]
        if n["tested"]:
            tested = count(n["tested"], what, plural[name])
            told.append(f"{tested} tested: {n['regression']} got worse, {n['improvement']} got better.")
    return told or ["No thresholds could be compared."]


def _moved(compare: "DataFrame", curves: "DataFrame") -> list[dict[str, Any]]:
    """What moved, of all images together: what got worse first, the surest of it first."""
    found = []
    for table, text in ((compare, _threshold), (curves, _accuracy)):
        if len(table):
            rows = table[(table["class"] == "all") & (table["regression"] | table["improvement"])]
            found += [{**row, **text(row)} for row in records(rows)]
    return sorted(found, key=lambda row: (not row["regression"], row["p_adjusted"]))


def _threshold(row: Mapping[str, Any]) -> dict[str, str]:
    side = str(row["side"]).replace("-", MINUS)
    unit = sign_of(row["unit_of_measure"])
    return {
        "where": f"{title(row['transformation'])} {side}",
        "what": case_text(dict(row)),
        "before": place_text(dict(row), "a"),
        "now": place_text(dict(row), "b"),
        "change": f"{difference_text(dict(row))}{unit}",
    }


def _accuracy(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "where": title(row["transformation"]),
        "what": f"{row['quality']} at {amount(row['magnitude'], row['unit_of_measure'])}",
        "before": percent(row["a"], 1),
        "now": percent(row["b"], 1),
        "change": f"{signed_points(row['difference'])} {points_interval(row['low'], row['high'])} points",
    }


def _table(moved: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    several = len({row["run"] for row in moved}) > 1
    for heading in (*(["run"] if several else []), "transformation", "what"):
        table.add_column(heading)
    for heading in ("before", "now", "difference", "p"):
        table.add_column(heading, justify="right")
    for row in moved:
        change = Text(row["change"], style="red" if row["regression"] else "green")
        p = p_text(row["p_adjusted"]).removeprefix("p ").removeprefix("= ")
        lead = [row["run"]] if several else []
        table.add_row(*lead, row["where"], row["what"], row["before"], row["now"], change, p)
    return table
