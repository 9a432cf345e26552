"""The directory of a check: what programs read, what people read, and what the page is made of."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.checks.entries import counts, entries, kept, overall
from invariscope.checks.given import Given
from invariscope.checks.junit import junit
from invariscope.checks.markdown import markdown
from invariscope.checks.told import LIMITS, cards, figures, findings, tidy_table
from invariscope.core.files import whole
from invariscope.findings.record import Record
from invariscope.findings.write import write_tables

FILES = ("check.json", "junit.xml", "check.md", "contract.toml", "results.parquet", "findings.json", "figures.json")


def clear(path: Path) -> None:
    """Remove what an earlier check left.

    Args:
        path: its directory.
    """
    for name in FILES:
        (path / name).unlink(missing_ok=True)


def write_check(
    record: Record,
    out: Path,
    given: Given,
    rows: pd.DataFrame,
    *,
    accuracy: float | None,
    allow_undecided: bool,
    contract: str,
) -> None:
    """Write every file of a check; run.json is the last.

    Args:
        record: its provenance.
        out: its directory.
        given: what was checked.
        rows: the outcomes of all parts.
        accuracy: of the clean images; None where it is unknown.
        allow_undecided: an undecided requirement does not break the contract.
        contract: the text of the contract.
    """
    listed = entries(given.terms, rows)
    seconds = time.monotonic() - record.started
    n_images, short = len(given.prepared), short_name(given.network.spec)
    check: dict[str, Any] = {
        "name": given.contract.name,
        "verdict": overall(listed),
        "kept": kept(listed, allow_undecided),
        "allow_undecided": allow_undecided,
        "counts": counts(listed),
        "network": given.network.spec,
        "images": given.images.spec,
        "title": f"{short} on {short_name(given.images.spec)}",
        "n_images": n_images,
        "n_skipped": given.prepared.n_skipped,
        "clean_accuracy": accuracy,
        "passes": given.show.passes,
        "requirements": listed,
        "warnings": given.warnings,
        "seconds": round(seconds, 2),
    }
    _write(out / "contract.toml", contract)
    table = tidy_table(given.terms, rows)
    names = write_tables(out, {"results": table}, findings(listed, given.terms), figures(table))
    _write(out / "check.json", json.dumps(check, indent=1, ensure_ascii=False) + "\n")
    _write(out / "check.md", markdown(check))
    took = [seconds / len(listed)] * len(listed)
    properties = {"network": given.network.spec, "images": given.images.spec, "n_images": n_images}
    named = given.contract.name or short
    _write(
        out / "junit.xml",
        junit(
            listed,
            name=named,
            began=record.began,
            seconds=took,
            allow_undecided=allow_undecided,
            properties=properties,
        ),
    )
    which = f"the contract “{given.contract.name}”" if given.contract.name else "its contract"
    record.write(
        out,
        study="check",
        question=f"Does {short} keep {which}?",
        limits=list(LIMITS),
        tables=names,
        cards=cards(listed, n_images, accuracy),
        seeds={"seed": given.show.seed},
        network={
            "spec": given.network.spec,
            "fingerprint": given.network.fingerprint,
            "classes": list(given.show.names),
        },
        images={
            "spec": given.images.spec,
            "fingerprint": given.images.fingerprint,
            "n": n_images,
            "skipped": given.prepared.n_skipped,
            "labelled": given.show.labels is not None,
        },
        device=str(given.show.device),
        clean_accuracy=accuracy,
        passes=given.show.passes,
        warnings=given.warnings,
        verdict=check["verdict"],
    )


def short_name(spec: str) -> str:
    """The name of a network, or of images, without its kind, its folder and its settings.

    Example:
        >>> short_name("builtin:cifar-resnet20?weights=my/weights.safetensors"), short_name("nets/mine.safetensors")
        ('cifar-resnet20', 'mine')
    """
    name = spec.split("?")[0].rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return re.sub(r"\.(safetensors|pt2?|pth)$", "", name) or spec


def _write(path: Path, text: str) -> None:
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8")
