"""What training in the seen/unseen-transformed paradigm came to, for the commands demo and train."""

from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.cli.output import print_table, records
from invariscope.report.finding import findings

_COLUMNS = {
    "transformation": "transformation",
    "k": "seen classes",
    "seed": "seed",
    "clean": "clean accuracy",
    "within": "transformed, seen",
    "across": "transformed, unseen",
    "invariance_all": "invariance",
}


def print_paradigm(out: Path) -> None:
    """Print what was found, and a line per network: accuracies, and the mean invariance of its last hidden layer.

    Args:
        out: the run directory, which holds paradigm.parquet.
    """
    table = pd.read_parquet(out / "paradigm.parquet")
    print()
    for sentence in findings(table):
        print(sentence)
    print()
    rows = records(table.sort_values(["transformation", "k", "seed"]))
    print_table([{new: row[old] for old, new in _COLUMNS.items()} for row in rows])
    print()


def paradigm(out: Path) -> list[dict[str, Any]]:
    """The rows of paradigm.parquet, as plain values.

    Args:
        out: the run directory.

    Returns:
        One row per network.
    """
    return records(pd.read_parquet(out / "paradigm.parquet"))
