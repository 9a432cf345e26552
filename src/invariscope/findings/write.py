"""The files that a page is made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.files import whole
from invariscope.findings.figures import Figure, plain
from invariscope.findings.finding import Finding


def write_tables(
    out: Path, tables: Mapping[str, pd.DataFrame], findings: Sequence[Finding], figures: Sequence[Figure]
) -> list[str]:
    """Write tables, what they say in sentences, and what to draw of them: NAME.parquet, findings.json, figures.json.

    Args:
        out: the run directory.
        tables: by name; "results" is the one that the page shows first.
        findings: in the order of the page.
        figures: in the order of the page.

    Returns:
        The names of the tables, sorted, for run.json.
    """
    for name, table in tables.items():
        with whole(out / f"{name}.parquet") as draft:
            table.to_parquet(draft, index=False, compression="zstd")
    _write(out / "findings.json", [asdict(finding) for finding in findings])
    _write(out / "figures.json", plain(figures))
    return sorted(tables)


def _write(path: Path, content: Any) -> None:
    with whole(path) as draft:
        draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
