"""Around long work: progress, interruption, and what is said at its end."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invariscope.cli.configuration import write
from invariscope.cli.live import live
from invariscope.cli.options import Shared
from invariscope.cli.output import note, print_json, records
from invariscope.core.progress import Progress, bar

if TYPE_CHECKING:
    from invariscope.runs.run import Run


@contextmanager
def working(shared: Shared, out: Path, *, jobs: bool = False) -> Iterator[Progress]:
    """Within the block, long work shows its progress, and Ctrl-C says how to continue it.

    Args:
        shared: the options that say how much to show.
        out: the run directory.
        jobs: the work is a grid of jobs, which are shown one by one.

    Yields:
        Progress for the work.
    """
    try:
        with output_for(shared), (live if jobs else bar)(shared.quiet) as progress:
            yield progress
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(
            f"what is finished is kept in {out}; repeat the command with --out {out} --resume to continue"
        ) from stop


@contextmanager
def output_for(shared: Shared) -> Iterator[None]:
    """Within the block, what a person's own code prints does not mix with a result that programs read.

    Args:
        shared: the options that say who reads the result.
    """
    with redirect_stdout(sys.stderr) if shared.json or shared.quiet else nullcontext():
        yield


def finish(run: "Run", shared: Shared, options: Mapping[str, Any]) -> None:
    """Write the report and the resolved configuration, and say what was found.

    Args:
        run: a finished run.
        shared: the options that every command has.
        options: the command's own, as they were resolved.
    """
    from invariscope.cli.summary import print_summary
    from invariscope.report.page import make_report

    resolved = {**options, "device": shared.device, "seed": shared.seed}
    write(run.path / "configuration.toml", resolved)
    report = make_report(run.path)
    for warning in run.info.get("warnings", []):
        note(f"note: {warning}", shared)
    if shared.json:
        print_json(payload(run, report))
    elif shared.quiet:
        print(report)
    else:
        print_summary(run, report)


def payload(run: "Run", report: Path) -> dict[str, Any]:
    """What --json prints of a run.

    Args:
        run: a finished run.
        report: where its page lies.

    Returns:
        The run's place, its answer and its summary tables.
    """
    images = run.info.get("images", {})
    return {
        "run": run.path,
        "report": report,
        "clean_accuracy": run.info.get("clean_accuracy"),
        "n_images": images.get("n"),
        "n_skipped": images.get("skipped", 0),
        "verdicts": records(run.verdicts),
        "thresholds": records(run.thresholds),
        "layers": records(run.layers),
        "warnings": run.info.get("warnings", []),
        "seconds": run.info.get("seconds"),
    }
