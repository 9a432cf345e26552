"""`invariscope compare`: what changed from one run to others."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from invariscope.cli.configuration import write
from invariscope.cli.options import Flag, Shared
from invariscope.cli.output import note, print_json, records

SAME, WORSE = 0, 1


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """How runs are compared.

    Args:
        correction: for many comparisons: holm bounds the chance of any false alarm, bh the share of false alarms.
        least: the smallest change that matters, as a share of the first run's threshold: 0.05 is one of 5 %.
        replicates: bootstrap draws; as many as the number of tests asks for when it is left out.
        fail_on_regression: exit code 1 when a threshold, or the accuracy at a magnitude, of all images together got
            worse.
    """

    correction: Literal["holm", "bh"] = "holm"
    least: float = 0.0
    replicates: int | None = None
    fail_on_regression: Flag = False


def compare(
    *runs: Annotated[Path, Parameter(name="RUN", allow_leading_hyphen=False)],
    options: Options = Options(),
    shared: Shared = Shared(),
) -> int:
    """Compare runs with the first of them: which thresholds, curves and layers moved, and what got worse.

    Args:
        runs: directories of the command measure (or responses), the reference first.
        options: how they are compared.
        shared: what every command has.
    """
    out = shared.folder("compare")

    from invariscope.checks.compare import compare_runs
    from invariscope.cli.work import working

    given = asdict(options)
    with working(shared, out) as progress:
        compare_runs(
            list(runs),
            out,
            **{name: value for name, value in given.items() if name != "fail_on_regression"},
            seed=shared.seed,
            resume=shared.resume,
            overwrite=shared.overwrite,
            progress=progress,
            command=shared.command,
        )
    worse = _finish(out, shared, given)
    return WORSE if worse and options.fail_on_regression else SAME


def _finish(out: Path, shared: Shared, options: dict[str, Any]) -> int:
    """Say what was found; returns how many thresholds and accuracies of all images got worse."""
    from invariscope.cli.moved import print_moved, totals
    from invariscope.report.page import make_report
    from invariscope.runs.run import Run

    write(out / "configuration.toml", {**options, "device": shared.device, "seed": shared.seed})
    page, run = make_report(out), Run(out)
    compare, curves = run.table("compare"), run.table("curves")
    found = totals(compare, curves)
    for warning in run.info.get("warnings", []):
        note(f"note: {warning}", shared)
    if shared.json:
        whole = compare[compare["class"] == "all"] if len(compare) else compare
        told = {"run": out, "report": page, "runs": run.info["runs"], "counts": found}
        tables = {
            "thresholds": records(whole),
            "curves": records(curves[curves["class"] == "all"] if len(curves) else curves),
        }
        moved = compare[compare["regression"]] if len(compare) else compare
        extra = {"warnings": run.info["warnings"], "seconds": run.info["seconds"]}
        print_json({**told, "regressions": records(moved), **tables, "layers": records(run.table("layers")), **extra})
    elif shared.quiet:
        print(page)
    else:
        print_moved(run, page)
    return found["all"]["regression"] + found["curves"]["regression"]
