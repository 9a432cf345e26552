"""Runs side by side: which thresholds moved, which curves, which layers; against the first run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.checks.compare_cards import cards, caveats
from invariscope.checks.compare_figures import figures, moved_table, tolerance_table
from invariscope.checks.compare_findings import LIMITS, WORDS, findings
from invariscope.checks.compare_tables import ALPHA, Asked, Tables, compare_tables
from invariscope.checks.write import short_name
from invariscope.core.errors import RunError, SettingError
from invariscope.core.progress import Progress, Silent
from invariscope.core.words import listed, spoken
from invariscope.findings.record import Record
from invariscope.findings.write import write_tables
from invariscope.runs.run import Run
from invariscope.runs.store import Store
from invariscope.statistics.corrections import CORRECTIONS

_MADE = ("compare", "curves", "layers", "units", "moved", "tolerance", "runs")


def compare_runs(
    runs: Sequence[Path | str],
    out: Path,
    *,
    correction: str = "holm",
    least: float = 0.0,
    replicates: int | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> Path:
    """Compare runs with the first of them, and say what got worse.

    Every threshold that both runs have becomes a test: whether its distance from the identity differs. Runs that saw
    the same images are compared image by image, by a paired bootstrap and, at equal magnitudes, by McNemar's exact
    test; others by their own intervals. p-values are corrected over all tests and all runs: those of all images
    together, and those of single classes, are a family each. A regression is a threshold with an adjusted p below 0.05
    that became smaller by more than `least`.

    `out` then holds `compare.parquet` (a row per threshold), `curves.parquet` (accuracy at equal magnitudes),
    `layers.parquet` and `units.parquet` (invariance, for networks of one architecture), `runs.parquet`,
    `moved.parquet` and `tolerance.parquet` (what is drawn), `findings.json`, `figures.json` and, written
    last, `run.json`.

    Args:
        runs: directories that `measure` or `responses` wrote, two or more; the first is the reference.
        out: the directory of the comparison.
        correction: "holm" (the chance of any false alarm) or "bh" (the share of false alarms).
        least: the smallest change that matters, as a share of the reference's threshold; 0 or more.
        replicates: bootstrap draws; None takes as many as the number of tests asks for.
        seed: of the draws.
        resume: go on with what lies in `out`; a finished comparison is left as it is.
        overwrite: replace a comparison in `out`.
        progress: told of every transformation.
        command: the command line, for the record.

    Returns:
        `out`.

    Raises:
        RunError: a directory is no finished measurement, or two have nothing in common.
        SettingError: fewer than two runs, or a bad setting.
    """
    asked = _asked(runs, correction, least, replicates, seed)
    opened = [_measurement(Path(run)) for run in runs]
    labels = _labels([Path(run) for run in runs])
    configuration = {
        "runs": [str(run) for run in runs],
        "keys": [run.info.get("key") for run in opened],
        **{"correction": correction, "least": least, "level": ALPHA, "replicates": replicates, "seed": seed},
    }
    record = Record("compare", configuration, command)
    store = Store.open(out, record.plan, resume=resume, overwrite=overwrite)
    if store.done:
        return out
    if overwrite:
        for name in (*(f"{table}.parquet" for table in _MADE), "findings.json", "figures.json"):
            (out / name).unlink(missing_ok=True)
    with store.filling("tables"):
        found = compare_tables(opened, labels, asked, progress or Silent())
        _check_common(found, opened, labels)
        tables = _tables(found, opened, labels)
        said = findings(found.compare, found.curves, found.layers, found.told)
        drawn = figures(tables, labels, least)
        names = write_tables(out, tables, said, drawn)
        record.write(
            out,
            question=f"What changed from {labels[0]} to {listed(labels[1:])}?",
            study=_subject(opened),
            limits=[*LIMITS, *caveats(found, asked.correction)],
            words=WORDS,
            cards=cards(found, correction, least),
            tables=names,
            runs=[_about(run, label) for run, label in zip(opened, labels, strict=True)],
            seeds={"seed": seed},
            warnings=found.told,
        )
    return out


def _asked(runs: Sequence[Any], correction: str, least: float, replicates: int | None, seed: int) -> Asked:
    if len(runs) < 2:
        raise SettingError(f"a comparison takes two runs or more, the reference first; got {len(runs)}.")
    if correction not in CORRECTIONS:
        raise SettingError(f"correction takes one of {', '.join(CORRECTIONS)}; got {correction!r}.")
    if not 0 <= least < float("inf"):
        raise SettingError(f"least takes a share of the reference's threshold, 0 or more; got {least!r}.")
    if replicates is not None and replicates < 100:
        raise SettingError(f"replicates takes 100 or more; got {replicates!r}.")
    if seed < 0:
        raise SettingError(f"seed takes a whole number, 0 or more; got {seed!r}.")
    return Asked(correction, least, replicates, seed)


def _measurement(path: Path) -> Run:
    run = Run(path)
    kind = run.info.get("kind")
    if kind not in (None, "responses"):
        raise RunError(f"{path} is a run of `{kind}`; compare takes runs of `measure` or `responses`.")
    return run


def _labels(paths: Sequence[Path]) -> list[str]:
    """The folders' names, with their parents' where two are the same, and with a number where that does not help."""
    places = [path.resolve() for path in paths]
    names = [place.name for place in places]
    longer = [f"{place.parent.name}/{place.name}" for place in places]
    if len(set(names)) < len(set(longer)):
        names = longer
    often = {name: names.count(name) for name in names}
    return [
        f"{name} ({names[: place + 1].count(name)})" if often[name] > 1 else name for place, name in enumerate(names)
    ]


def _check_common(found: Tables, runs: Sequence[Run], labels: Sequence[str]) -> None:
    for label, run in zip(labels[1:], runs[1:], strict=True):
        there = [len(table) and (table["run"] == label).any() for table in (found.compare, found.layers)]
        if not any(there):
            mine, theirs = (
                listed([spoken(name) for name in each.info.get("transformations") or {}], 5) or "none"
                for each in (runs[0], run)
            )
            raise RunError(
                f"{labels[0]} and {label} have nothing in common that could be compared: the transformations are "
                f"{mine} and {theirs}, and no layer of one network is measured in both."
            )


def _tables(found: Tables, runs: Sequence[Run], labels: Sequence[str]) -> dict[str, pd.DataFrame]:
    tables = {name: getattr(found, name) for name in ("compare", "curves", "layers", "units")}
    if len(found.compare):
        tables["moved"] = moved_table(found.compare)
        tables["tolerance"] = tolerance_table(runs, labels, list(dict.fromkeys(found.compare["transformation"])))
    tables["runs"] = pd.DataFrame([_about(run, label) for run, label in zip(runs, labels, strict=True)])
    return {name: table for name, table in tables.items() if len(table)}


def _subject(runs: Sequence[Run]) -> str:
    """What was measured on what."""
    networks, images = (
        list(dict.fromkeys(short_name(str((run.info.get(what) or {}).get("spec"))) for run in runs))
        for what in ("network", "images")
    )
    return f"{listed(networks)} on {listed(images)}"


def _about(run: Run, label: str) -> dict[str, Any]:
    network, images = run.info.get("network") or {}, run.info.get("images") or {}
    return {
        "run": label,
        "path": str(run.path),
        "network": network.get("spec"),
        "images": images.get("spec"),
        "n": images.get("n"),
        "clean_accuracy": run.info.get("clean_accuracy"),
        "key": run.info.get("key"),
    }
