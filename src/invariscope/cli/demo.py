"""`invariscope demo`: the main job on data that is already here."""

import json
from pathlib import Path

from invariscope.cli.options import Shared


def demo(*, workers: int = 2, shared: Shared = Shared()) -> None:
    """Train small networks on embedded images, measure them and write a report; 3 minutes on two cores.

    A finished demo is found again, an interrupted one is continued; --overwrite does it anew.

    Args:
        workers: processes that share the work; they do not change the numbers.
        shared: what every command has; the results are in runs/demo unless --out says otherwise.
    """
    out = shared.out or Path("runs") / "demo"
    page = out / "report.html"
    fresh = shared.overwrite or not page.exists() or _seed(out) != shared.seed
    if fresh:
        _work(out, page, workers, shared)
    if shared.json:
        _print_json(out, page)
    elif shared.quiet:
        print(page)
    elif not fresh:
        print(f"The demo is done; --overwrite does it again. Report: {page}")
    else:
        from invariscope.cli.paradigm import print_paradigm

        print_paradigm(out)
        print(f"Report: {page}")


def _seed(out: Path) -> int | None:
    """The seed of the demo that is finished there, if one is."""
    try:
        seed = json.loads((out / "run.json").read_text(encoding="utf-8"))["seeds"]["seed"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return int(seed)


def _work(out: Path, page: Path, workers: int, shared: Shared) -> None:
    from invariscope.cli.work import working
    from invariscope.report.page import make_report
    from invariscope.studies.demo import run_demo

    with working(shared, out, jobs=True) as progress:
        run_demo(
            out,
            seed=shared.seed,
            progress=progress,
            overwrite=shared.overwrite,
            workers=workers,
            command=shared.command,
        )
        made = make_report(out)
    assert made == page


def _print_json(out: Path, page: Path) -> None:
    from invariscope.cli.output import print_json
    from invariscope.cli.paradigm import paradigm
    from invariscope.cli.work import payload
    from invariscope.runs.run import Run

    info = Run(out).info
    parts = {name: payload(Run(out / name), page) for name in info.get("parts", [])}
    told = {"run": out, "report": page, "seconds": info.get("seconds"), "warnings": info.get("warnings", [])}
    print_json({**told, "paradigm": paradigm(out), "parts": parts})
