"""A study from its jobs to its directory."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from invariscope.core.errors import RunError
from invariscope.core.files import whole
from invariscope.core.progress import Progress
from invariscope.findings.record import Record
from invariscope.findings.write import write_tables
from invariscope.grids.job import Job
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.runs.store import Store
from invariscope.studies.base import Study
from invariscope.studies.paradigm import name_of


def conduct_study(
    study: Study,
    out: Path,
    *,
    scale: str = "small",
    engine: str = "processes:2",
    retries: int = 2,
    resume: bool = False,
    overwrite: bool = False,
    networks: Path | None = None,
    progress: Progress | None = None,
    command: str | None = None,
) -> Path:
    """Do all jobs of a study and write what they say.

    `out` then holds `results.parquet`, the other tables, `findings.json`, `figures.json`, `run.json`, written last,
    and what the jobs made: `jobs/`, `networks/`, `log/`.

    Args:
        study: its settings.
        out: the study's directory.
        scale: what the settings are called.
        engine: where jobs run: "serial", "processes:N", "dask://host:port", "dask-file:PATH" or "slurm:…".
        retries: how often a job that fails, or whose worker dies, is done again.
        resume: go on with an interrupted study in `out`.
        overwrite: replace the study in `out`.
        networks: a folder of networks that an earlier study trained; those that this one needs are taken from there.
        progress: told of every finished job.
        command: the command line, for the record.

    Returns:
        `out`.

    Raises:
        RunError: `out` holds something else, or jobs failed; all others are then finished and kept.
        InvariscopeError: bad settings, in one sentence.
    """
    name = name_of(study)
    record = Record("study", {"study": name, "scale": scale, **asdict(study)}, command)
    study.check()
    if networks is not None and not networks.is_dir():
        raise RunError(f"{networks} is no folder of networks; give the folder `networks` of an earlier study.")
    before = _made_by_a_study(out)
    store = Store.open(out, record.plan, resume=resume, overwrite=overwrite)
    if store.done:
        return out
    if overwrite:
        for made in before:
            shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
    if networks is not None:
        _take(networks, out / "networks")
    found: dict[str, pd.DataFrame] = {}

    def do(jobs: Sequence[Job]) -> Mapping[str, pd.DataFrame]:
        with store.filling("jobs"):
            run_grid(jobs, out, engine, progress=progress, retries=retries, what=study.noun).check()
        tables = read_tables(jobs, out)
        found.update(tables)
        return tables

    study = study.settled(do)
    jobs = study.jobs()
    do(jobs)
    tables = write_findings(study, out, found)
    record.write(
        out,
        study=name,
        scale=scale,
        question=(type(study).__doc__ or "").strip().partition("\n")[0],
        source=study.source,
        limits=list(study.limits),
        jobs=len(jobs),
        tables=tables,
        engine=engine,
        seeds={"seeds": list(getattr(study, "seeds", ()))},
    )
    return out


def write_findings(study: Study, out: Path, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Write what the jobs' tables say.

    Args:
        study: whose jobs they are.
        out: the study's directory.
        tables: of all jobs, joined by name.

    Returns:
        The names of the tables that lie there then.
    """
    tables = study.named(tables)
    results = study.results(tables)
    tables = {**tables, **study.more(tables, results), "results": results}
    return write_tables(out, tables, study.findings(results, tables), study.figures())


def _made_by_a_study(out: Path) -> list[Path]:
    """What an earlier study left in its directory, besides what every run has; nothing where none was."""
    try:
        info = json.loads((out / "run.json").read_text(encoding="utf-8"))
        tables = list(info["tables"]) if info["kind"] == "study" else []
    except (OSError, ValueError, KeyError, TypeError):
        tables = []
    if not tables and not (out / ".plan.json").exists():
        return []
    names = ("jobs", "networks", "failures", "log", "pictures", "findings.json", "figures.json")
    made = [out / name for name in (*names, *(f"{table}.parquet" for table in tables))]
    return [path for path in made if path.exists()]


def _take(networks: Path, folder: Path) -> None:
    """Copy finished networks of another study; their names say what they are, so others do no harm."""
    for description in sorted(networks.glob("*.json")):
        weights = description.with_suffix(".safetensors")
        target = folder / description.name
        if weights.is_file() and not target.exists():
            for source, goal in ((weights, folder / weights.name), (description, target)):
                with whole(goal) as draft:
                    shutil.copyfile(source, draft)
