"""`invariscope sweep`: one work with every combination of some settings."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invariscope.cli.options import Flag, Shared
from invariscope.core.errors import RunError, SettingError, StorageError

if TYPE_CHECKING:
    from invariscope.grids.run import Outcome
    from invariscope.grids.sweep import Sweep


def sweep(
    file: Path,
    *,
    engine: str = "processes:2",
    retries: int = 2,
    dry_run: Flag = False,
    shared: Shared = Shared(),
) -> None:
    """Do one work with every combination of some settings, here or on a cluster; what is finished is never done again.

    Args:
        file: TOML with the work, its settings, and a grid of lists.
        engine: serial, processes:N, dask://HOST:PORT, dask-file:PATH or slurm:partition=…,jobs=….
        retries: how often a job that fails, or whose worker dies, is tried again.
        dry_run: print the jobs and which are finished, and do nothing.
        shared: what every command has; repeat the command with the same --out to go on.
    """
    if shared.device != "auto" or shared.seed:
        raise SettingError("a sweep's device and seed are settings of its work; give them in its file.")
    out = shared.folder("sweep")

    from invariscope.cli.live import live
    from invariscope.cli.output import note
    from invariscope.cli.work import output_for
    from invariscope.findings.record import Record
    from invariscope.grids.engines.base import make_engine
    from invariscope.grids.folder import claim, complete, is_complete
    from invariscope.grids.run import run_grid
    from invariscope.grids.sweep import read_sweep

    # A person's own function lies where the command is given, as with `python -m`.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    with output_for(shared):
        plan = read_sweep(file)
    if dry_run:
        _tell(plan, out, shared)
        return
    chosen = make_engine(engine)
    if ":" in plan.work:
        note(f"note: this runs your own code, {plan.work}.", shared)
    others = claim(out, plan, file.read_text(encoding="utf-8"), overwrite=shared.overwrite)
    if others:
        note(f"note: {others} finished jobs in {out} belong to other settings; the tables leave them out.", shared)
    record = Record("sweep", plan.configuration, shared.command)
    again = f"repeat the command with --out {out} to go on"
    try:
        with output_for(shared), live(shared.quiet) as progress:
            outcome = run_grid(plan.jobs, out, chosen, progress=progress, retries=retries)
        rows = complete(out, plan)
        if outcome.failed:
            (out / "run.json").unlink(missing_ok=True)
            outcome.check()
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"what is finished is kept in {out}; {again}") from stop
    except (RunError, StorageError) as error:
        if shared.out is not None:
            raise
        raise type(error)(f"{error} Its folder was made for this run: {again}.") from error
    if not is_complete(out, plan) or outcome.done:
        record.write(out, jobs=len(plan.jobs), engine=engine, tables=rows)
    (out / ".plan.json").unlink(missing_ok=True)
    _finish(out, plan, outcome, rows, shared)


def _tell(plan: "Sweep", out: Path, shared: Shared) -> None:
    from invariscope.cli.output import print_json, print_table
    from invariscope.grids.store import finished

    rows: list[dict[str, Any]] = [
        {"job": job.label, "finished": finished(job, out), "key": job.key} for job in plan.jobs
    ]
    there = sum(row["finished"] for row in rows)
    if shared.json:
        print_json({"run": out, "work": plan.work, "finished": there, "jobs": rows})
        return
    print_table(rows)
    print(f"\n{len(rows)} jobs, {there} of them finished in {out}." if there else f"\n{len(rows)} jobs.")


def _finish(out: Path, plan: "Sweep", outcome: "Outcome", rows: dict[str, int], shared: Shared) -> None:
    from invariscope.cli.output import print_json

    if shared.json:
        print_json({"run": out, "jobs": len(plan.jobs), "done": outcome.done, "found": outcome.found, "tables": rows})
    elif shared.quiet:
        print(out)
    else:
        before = f", {outcome.found} of them finished before" if outcome.found else ""
        print(f"{len(plan.jobs)} jobs are finished{before}.")
        for name, count in rows.items():
            print(f"  {out / name}.parquet: {count} rows")
