"""What a command prints: tables for people, one JSON object for programs."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from invariscope.cli.options import Shared
from invariscope.core.files import whole

if TYPE_CHECKING:
    from pandas import DataFrame


def plain(value: Any) -> Any:
    """A value that JSON can hold: unknown numbers become null.

    Args:
        value: numbers, strings, paths, arrays' scalars, and lists and mappings of them.

    Returns:
        The same out of Python's own types.

    Example:
        >>> plain({"threshold": float("nan"), "levels": (0.9, 0.5)})
        {'threshold': None, 'levels': [0.9, 0.5]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if str(value) in ("<NA>", "NaT") else str(value)


def records(table: "DataFrame") -> list[dict[str, Any]]:
    """A table as JSON's list of objects, one per row.

    Args:
        table: any of a run's tables.

    Returns:
        Plain values by column.

    Example:
        >>> import pandas as pd
        >>> records(pd.DataFrame({"side": ["+"], "threshold": [float("nan")]}))
        [{'side': '+', 'threshold': None}]
    """
    return [plain(row) for row in table.to_dict(orient="records")]


def print_json(payload: Mapping[str, Any]) -> None:
    """Print one object on standard output.

    Args:
        payload: what it holds.

    Example:
        >>> print_json({"clean_accuracy": 0.915})
        {"clean_accuracy": 0.915}
    """
    print(json.dumps(plain(payload), ensure_ascii=False))


def print_list(name: str, rows: Sequence[Mapping[str, Any]], shared: Shared, **more: Any) -> None:
    """Print a list of things with their properties, and keep it as NAME.json where --out says.

    Args:
        name: of the list: "transformations".
        rows: the properties of each thing, in the same order.
        shared: the options that say how to print it.
        more: for the JSON object besides.
    """
    payload = {**more, name: rows}
    if shared.out is not None:
        with whole(shared.out / f"{name}.json") as draft:
            draft.write_text(json.dumps(plain(payload), ensure_ascii=False, indent=1), encoding="utf-8")
    if shared.json:
        print_json(payload)
    else:
        print_table(rows)


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows under their headings; on a terminal they wrap, in a pipe each stays one line.

    Args:
        rows: values by heading.

    Example:
        >>> print_table([{"name": "hue", "identity": 0.0}])
        name  identity
        hue   0
    """
    if not rows:
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for heading in rows[0]:
        table.add_column(heading.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(value) for value in row.values()))
    console = Console(highlight=False, markup=False)
    if not sys.stdout.isatty():
        console = Console(highlight=False, markup=False, width=10_000)
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def cell(value: Any) -> str:
    """A value as a person reads it in a table.

    Args:
        value: a number, a string, a truth value, a list of those, or None.

    Returns:
        A few characters; "–" for what is unknown.

    Example:
        >>> cell(0.30000000000000004), cell(None), cell((32, 32)), cell(True)
        ('0.3', '–', '32 × 32', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " × ".join(cell(item) for item in value)
    if isinstance(value, list):
        return " ".join(cell(item) for item in value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def note(text: str, shared: Shared) -> None:
    """Tell something beside the result, on standard error, unless --quiet.

    Args:
        text: one sentence.
        shared: the options that say whether to be quiet.
    """
    if not shared.quiet:
        print(text, file=sys.stderr)


def first_line(thing: object) -> str:
    """What a thing says of itself in the first line of its docstring.

    Args:
        thing: a class, a function or a module.

    Returns:
        One sentence.

    Example:
        >>> first_line(Shared)
        'What can be said to every command.'
    """
    return (thing.__doc__ or "").strip().partition("\n")[0]
