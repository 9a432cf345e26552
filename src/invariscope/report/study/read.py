"""What a study's directory says, read for its page."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.errors import RunError
from invariscope.core.words import tidy
from invariscope.report.drawings.spec import Spec, read_specs

MARKS = {"holds": "●", "does not hold": "✕", "undecided": "◐", "": "–"}
_WORDS = {True: "holds", False: "does not hold", None: "undecided"}


@dataclass(frozen=True)
class Finding:
    """One sentence, and whether what the source claims holds here.

    Args:
        sentence: with its numbers.
        verdict: "holds", "does not hold", "undecided", or empty where nothing is claimed.
        claim: the claim in a few words.
    """

    sentence: str
    verdict: str = ""
    claim: str = ""


@dataclass(frozen=True)
class Failed:
    """A job that failed.

    Args:
        label: what it was.
        reason: the last line of its traceback.
        file: where its settings and its traceback stand, seen from the study's directory.
    """

    label: str
    reason: str
    file: str


@dataclass(frozen=True)
class StudyData:
    """A study's directory, or that of a grid.

    Args:
        path: the directory.
        info: what run.json says.
        tables: every table by name; results first.
        findings: what they say.
        specs: what shall be drawn of them.
        failed: jobs that failed.
        jobs: how many jobs are finished.
        configuration: the study's settings.
    """

    path: Path
    info: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    findings: tuple[Finding, ...] = ()
    specs: tuple[Spec, ...] = ()
    failed: tuple[Failed, ...] = ()
    jobs: int = 0
    configuration: dict[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> pd.DataFrame:
        """The study's tidy table; empty where there is none."""
        return self.tables.get("results", pd.DataFrame())


def read_study(path: Path, info: dict[str, Any]) -> StudyData:
    """Read a study's directory.

    Args:
        path: the directory.
        info: what its run.json says.

    Raises:
        RunError: a file in it is damaged.
    """
    listed, there = info.get("tables"), {file.stem for file in path.glob("*.parquet")}
    names = sorted(there & set(map(str, listed)) if isinstance(listed, list | dict) else there)
    names.sort(key=lambda name: name != "results")
    configuration = info.get("configuration")
    return StudyData(
        path,
        info,
        {name: _table(path / f"{name}.parquet") for name in names},
        tuple(_findings(path / "findings.json")),
        tuple(read_specs(path / "figures.json")),
        tuple(_failed(file) for file in sorted((path / "failures").glob("*.txt"))),
        sum(1 for _ in (path / "jobs").glob("[!.]*/job.json")),
        dict(configuration) if isinstance(configuration, dict) else {},
    )


def _table(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise RunError(f"{file} is damaged: {error}; do the study again with --overwrite.") from error


def _findings(file: Path) -> list[Finding]:
    if not file.exists():
        return []
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return [_finding(each) for each in told]
    except (ValueError, OSError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{file} is damaged: {error}; do the study again with --overwrite.") from error


def _finding(told: dict[str, Any]) -> Finding:
    verdict = told["verdict"] if "verdict" in told else _WORDS[told["holds"]] if "holds" in told else ""
    if verdict not in MARKS:
        raise ValueError(f"{verdict!r} is no verdict")
    return Finding(prose(told["sentence"]), verdict, prose(told.get("claim") or ""))


def prose(text: object) -> str:
    r"""Text from outside in one line, whose narrow spaces before a percent sign stay: no line breaks there.

    Example:
        >>> prose("from 2\u202f%\nto 9\u202f%") == "from 2\u202f% to 9\u202f%"
        True
    """
    return "\u202f".join(tidy(part) for part in str(text).split("\u202f"))


def _failed(file: Path) -> Failed:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    label = next((line.removeprefix("label:").strip() for line in lines if line.startswith("label:")), "")
    reasons = [line.partition(":")[2] for line in lines if line.startswith("attempt ")]
    last = next((line for line in reversed(lines) if line.strip()), "no reason is written")
    return Failed(tidy(label or file.stem, 100), tidy(reasons[-1] if reasons else last, 200), f"failures/{file.name}")
