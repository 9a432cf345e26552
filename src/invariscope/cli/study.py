"""`invariscope study`: an experiment, from its jobs to its report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from invariscope.cli.options import Flag, Shared
from invariscope.core.errors import SettingError

if TYPE_CHECKING:
    from invariscope.studies.base import Study

Settings = Annotated[list[str] | None, Parameter(name="--set", negative="")]


def study(
    name: str,
    *,
    scale: Literal["smoke", "small", "paper"] = "small",
    dry_run: Flag = False,
    engine: str = "processes:2",
    seeds: int | None = None,
    settings: Settings = None,
    networks: Path | None = None,
    retries: int = 2,
    shared: Shared = Shared(),
) -> None:
    """Do a study: all its jobs, what their tables say of the paper's claims, and a report.

    What is finished is never computed twice: repeat the command with the same --out and --resume to go on.

    Args:
        name: of the study; `invariscope studies` lists them.
        scale: smoke (seconds), small (minutes, on embedded images) or paper (as published).
        dry_run: only tell the jobs, the settings and how long they would take.
        engine: where jobs run: serial, processes:N, dask://HOST:PORT, dask-file:PATH, slurm:partition=…,jobs=….
        seeds: how many seeds, from --seed on; as many as the scale has when it is left out.
        settings: a setting of the study, as in --set epochs=4 --set k=1,15,30; repeatable.
        networks: the folder `networks` of an earlier study; what this one needs is taken from there.
        retries: how often a job that fails is done again.
        shared: what every command has.
    """
    from invariscope.cli.dry_run import tell
    from invariscope.cli.work import working
    from invariscope.grids.engines.base import make_engine

    made = _make(name, scale, seeds, settings or [], shared)
    make_engine(engine)
    if retries < 0:
        raise SettingError(f"--retries takes 0 or more; got {retries}.")
    if dry_run:
        tell(made, scale, engine, shared)
        return
    out = shared.folder(name)

    from invariscope.report.page import make_report
    from invariscope.studies.conduct import conduct_study

    with working(shared, out, jobs=True) as progress:
        conduct_study(
            made,
            out,
            scale=scale,
            engine=engine,
            retries=retries,
            resume=shared.resume,
            overwrite=shared.overwrite,
            networks=networks,
            progress=progress,
            command=shared.command,
        )
        page = make_report(out)
    options = {"name": name, "scale": scale, "engine": engine, "seeds": seeds, "set": settings}
    _finish(out, page, shared, options)


def _make(name: str, scale: str, seeds: int | None, given: list[str], shared: Shared) -> "Study":
    from invariscope.cli.settings import parse_settings
    from invariscope.runs.device import choose_device
    from invariscope.studies.base import STUDIES

    kind = STUDIES[name]
    settings = parse_settings(kind, given)
    made = kind.at(scale, **settings)
    more: dict[str, Any] = {}
    device = str(choose_device(shared.device))
    if seeds is not None and seeds < 1:
        raise SettingError(f"--seeds takes 1 or more; got {seeds}.")
    if hasattr(made, "seeds") and "seeds" not in settings and (seeds is not None or shared.seed):
        more["seeds"] = tuple(range(shared.seed, shared.seed + (seeds or len(made.seeds))))
    elif seeds is not None:
        why = "are given by --set" if "seeds" in settings else "are no setting of it"
        raise SettingError(f"--seeds cannot be used with this study: seeds {why}.")
    if hasattr(made, "seed") and "seed" not in settings:
        more["seed"] = shared.seed
    if hasattr(made, "device") and "device" not in settings:
        more["device"] = device
    return kind.at(scale, **settings, **more) if more else made


def _finish(out: Path, page: Path, shared: Shared, options: dict[str, Any]) -> None:
    import json

    import pandas as pd

    from invariscope.cli.configuration import write
    from invariscope.cli.output import note, print_json, records

    write(out / "configuration.toml", {**options, "device": shared.device, "seed": shared.seed})
    info = json.loads((out / "run.json").read_text(encoding="utf-8"))
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    for warning in info.get("warnings", []):
        note(f"note: {warning}", shared)
    if shared.json:
        told = {"run": out, "report": page, "study": info["study"], "scale": info["scale"], "findings": findings}
        results = records(pd.read_parquet(out / "results.parquet"))
        print_json({**told, "results": results, "warnings": info["warnings"], "seconds": info["seconds"]})
    elif shared.quiet:
        print(page)
    else:
        _print(info, findings)
        print(f"Report: {page}")


def _print(info: dict[str, Any], findings: list[dict[str, Any]]) -> None:
    """The question, then the findings on each claim with their verdicts."""
    print(f"\n{info['question']}\n")
    claims = dict.fromkeys(finding["claim"] for finding in findings)
    for claim in sorted(claims, key=lambda claim: claim == ""):
        own = [finding for finding in findings if finding["claim"] == claim]
        if claim:
            print(f"{claim[:1].upper()}{claim[1:]}:")
        for finding in own:
            print(_wrapped(f"  {finding['verdict'] or '–':<14} ", finding["sentence"]))
    if findings:
        print()


def _wrapped(margin: str, sentence: str) -> str:
    """A sentence behind its margin: broken into lines on a terminal, one line in a pipe."""
    import shutil
    import sys
    import textwrap

    if not sys.stdout.isatty():
        return margin + sentence
    width = min(shutil.get_terminal_size().columns, 110)
    return textwrap.fill(sentence, width, initial_indent=margin, subsequent_indent=" " * len(margin))
