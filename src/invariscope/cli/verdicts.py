"""What a check found, on the terminal: a line per requirement, and the answer."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from invariscope.checks.wording import tally
from invariscope.core.words import count, percent

COLOURS = {"passes": "green", "fails": "red", "undecided": "yellow"}
WIDTH = 120


def print_check(check: Mapping[str, Any], page: Path) -> None:
    """Print what was checked, a line per requirement, the answer, and where the page is.

    Args:
        check: the content of check.json.
        page: where its page lies.
    """
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
    told = [check["title"], count(check["n_images"], "image")]
    if check["clean_accuracy"] is not None:
        told.append(f"clean accuracy {percent(check['clean_accuracy'], 1)}")
    console.print()
    console.print(Text(" · ".join(told), style="bold"), soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("requirement")
    table.add_column("found [95 %]", no_wrap=True)
    table.add_column("required", no_wrap=True)
    table.add_column("images", justify="right")
    for entry in check["requirements"]:
        words = Text(entry["text"])
        if len(entry["parts"]) > 1:
            words.append(f"; decided by {entry['deciding']}", style="dim")
        if entry["advice"]:
            words.append(f"; {entry['advice']}", style="dim")
        verdict = Text(entry["verdict"], style=COLOURS[entry["verdict"]])
        number, images = str(entry["requirement"]), f"{entry['n']:,}"
        table.add_row(number, verdict, words, entry["found_text"], entry["required_text"], images)
    console.print(table)
    console.print(Text(answer(check), style="bold"), soft_wrap=True)
    console.print(Text(f"Report: {page}"), soft_wrap=True)


def answer(check: Mapping[str, Any]) -> str:
    """Whether the contract is kept, in one sentence.

    Args:
        check: the content of check.json.

    Example:
        >>> answer({"kept": False, "counts": {"passes": 1, "fails": 0, "undecided": 2}})
        'The contract is not kept: 1 of 3 requirements passes, 2 undecided.'
    """
    return f"The contract is {'kept' if check['kept'] else 'not kept'}: {tally(check['counts'])}."
