"""What a study would do: its jobs, its settings, and how long they would take."""

import json
import math
import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from invariscope.cli.options import Shared

if TYPE_CHECKING:
    from invariscope.studies.base import Study

_SHOWN = 12


def tell(study: "Study", scale: str, engine: str, shared: Shared) -> None:
    """Print a study's jobs, its settings and its estimated hours.

    Args:
        study: with its settings.
        scale: what they are called.
        engine: where the jobs would run.
        shared: what every command has; jobs that are finished in its folder tell how long one takes.
    """
    from invariscope.cli.output import cell, print_json, print_table
    from invariscope.grids.store import finished

    jobs = study.jobs()
    done = [job for job in jobs if shared.out is not None and finished(job, shared.out)]
    hours, why = estimated_hours(study, engine, shared)
    settings = asdict(study)
    if shared.json:
        told = [{"label": job.label, "key": job.key, "done": job in done, "settings": job.settings} for job in jobs]
        more = {"scale": scale, "engine": engine, "estimated_hours": hours, "estimated_from": why}
        print_json({"study": _name(study), **more, "settings": settings, "jobs": told})
        return
    print(f"{len(jobs)} {study.noun} at the scale {scale}" + (f", {len(done)} of them done" if done else "") + ":")
    for job in jobs[:_SHOWN]:
        print(f"  {job.label or job.key}" + (" (done)" if job in done else ""))
    if len(jobs) > _SHOWN:
        print(f"  … and {len(jobs) - _SHOWN} more")
    print("\nSettings:")
    print_table([{"setting": name, "value": cell(_plain(value))} for name, value in settings.items()])
    time = "unknown" if math.isnan(hours) else f"{hours:.2g} hours on {engine}"
    print(f"\nEstimated time: {time} ({why}).")


def estimated_hours(study: "Study", engine: str, shared: Shared) -> tuple[float, str]:
    """How long the jobs that are not done would take, and how that is known.

    Args:
        study: with its settings.
        engine: whose workers share the jobs.
        shared: the options that say where finished jobs lie.

    Returns:
        Hours, NaN where they are unknown; and a few words.
    """
    from invariscope.grids.engines.base import make_engine
    from invariscope.grids.store import finished, seconds_of

    jobs = study.jobs()
    done = [job for job in jobs if shared.out is not None and finished(job, shared.out)]
    left = len(jobs) - len(done)
    if not left:
        return 0.0, "all jobs are done"
    workers = max(int(getattr(make_engine(engine), "workers", None) or 1), 1)
    rounds = math.ceil(left / workers)
    seconds = [taken for job in done if shared.out is not None if not math.isnan(taken := seconds_of(job, shared.out))]
    if seconds:
        return rounds * statistics.mean(seconds) / 3600, f"as long as the {len(seconds)} jobs that are done took"
    guess = getattr(study, "estimate_seconds", None)
    if callable(guess):
        hours = float(guess()) * rounds / 3600
        return hours, "its images are not here" if math.isnan(hours) else "from a few steps of training here"
    return math.nan, "no job is done yet in the folder of --out, which would tell"


def _name(study: "Study") -> str:
    from invariscope.studies.base import STUDIES

    return next(name for name, kind in STUDIES.items() if kind is type(study))


def _plain(value: Any) -> Any:
    """Lists as --set takes them."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple | list | dict) else value
