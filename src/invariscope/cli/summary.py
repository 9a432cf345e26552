"""The short answer after a measurement, on the terminal."""

import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from invariscope.core.words import count, percent, title
from invariscope.report.answers import Answer, answer_all
from invariscope.report.read import RunData, read_run
from invariscope.report.sentences import lead, safe_range
from invariscope.runs.run import Run

COLOURS = {
    "invariance": "green",
    "mixed": "cyan",
    "other units": "blue",
    "neither": "yellow",
    "not tolerated": "red",
    "unknown": "dim",
}
WIDTH = 110


def print_summary(run: Run, report: Path) -> None:
    """Print what was measured, the answer as the report gives it, a line per transformation, and where the report is.

    Args:
        run: a finished run.
        report: where its page lies.
    """
    data = read_run(run.path)
    answers = answer_all(data)
    console = Console(highlight=False, soft_wrap=False)
    if not sys.stdout.isatty():
        console = Console(highlight=False, width=WIDTH)
    console.print()
    console.print(Text(subject(data), style="bold"), soft_wrap=True)
    for paragraph in lead(data, answers):
        # Not by the console, which would part a number from its per cent sign.
        console.print(fill(paragraph, console.width), soft_wrap=True, markup=False)
    if answers:
        console.print(_table(answers))
    console.print(Text("Report: ").append(str(report), style="bold"), soft_wrap=True)


def subject(run: RunData) -> str:
    """What was measured on what.

    Args:
        run: a run.

    Returns:
        One line: the network, the images, the clean quality.
    """
    images = run.info.get("images", {})
    network = run.info.get("network") or {}
    parts = [str(network.get("spec") or images.get("spec")), count(images.get("n") or 0, "image")]
    if images.get("skipped"):
        parts.append(f"{count(images['skipped'], 'image')} skipped")
    accuracy = run.info.get("clean_accuracy")
    if accuracy is not None and accuracy == accuracy:
        parts.append(f"clean accuracy {percent(float(accuracy), 1)}")
    return " · ".join(parts)


def _table(answers: Sequence[Answer]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("transformation")
    table.add_column("safe range")
    table.add_column("gives way first")
    table.add_column("verdict")
    for heading in ("at", "invariant", "specialized"):
        table.add_column(heading, justify="right")
    for answer in answers:
        word = answer.verdict
        worst = answer.worst_class
        table.add_row(
            title(answer.name),
            safe_range(answer),
            worst[0] if worst else "–",
            Text(word, style=COLOURS[word]),
            answer.axis.write(answer.magnitude),
            percent(answer.value("invariant_share")),
            percent(answer.value("specialized_share")),
        )
    return table
