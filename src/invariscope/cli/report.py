"""`invariscope report`: the page of a run, made again."""

from pathlib import Path

from invariscope.cli.options import Shared
from invariscope.cli.output import print_json


def report(run: Path, *, shared: Shared = Shared()) -> None:
    """Make the report of a finished run again: one HTML file, and every figure as SVG and PNG.

    Args:
        run: the run directory; with --out the page goes to that folder instead.
        shared: what every command has.
    """
    from invariscope.report.page import make_report

    page = make_report(run, None if shared.out is None else shared.out / "report.html")
    if shared.json:
        print_json({"run": run, "report": page})
    else:
        print(page)
