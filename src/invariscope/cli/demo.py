"""`invariscope demo`: the main job on data that is already here."""

import json
from pathlib import Path

from invariscope.cli.options import Shared


def demo(*, workers: int = 2, shared: Shared = Shared()) -> None:  # noqa: B008 - frozen
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
    else:
        if fresh:
            _print_summary(out)
        print(f"Report: {page}" if fresh else f"The demo is done. Report: {page} (--overwrite does it again)")


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

    with working(shared, out) as progress:
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


def _print_summary(out: Path) -> None:
    import pandas as pd

    from invariscope.cli.output import print_table

    print("How well networks recognise transformed images of the classes that they saw transformed (within) or not")
    print("(across), and the mean invariance coefficient of their last hidden layer; k of n classes were seen:\n")
    table = pd.read_parquet(out / "paradigm.parquet")
    columns = {"transformation": "transformation", "k": "k", "clean": "clean", "within": "within", "across": "across"}
    columns |= {"invariance_all": "invariance"}
    print_table([{new: row[old] for old, new in columns.items()} for row in table.to_dict(orient="records")])
    print()


def _print_json(out: Path, page: Path) -> None:
    import pandas as pd

    from invariscope.cli.output import print_json, records
    from invariscope.cli.work import payload
    from invariscope.runs.run import Run

    info = Run(out).info
    parts = {name: payload(Run(out / name), page) for name in info.get("parts", [])}
    paradigm = records(pd.read_parquet(out / "paradigm.parquet"))
    told = {"run": out, "report": page, "seconds": info.get("seconds"), "warnings": info.get("warnings", [])}
    print_json({**told, "paradigm": paradigm, "parts": parts})
