"""The page: one self-contained HTML file from a run directory, and its figures as files."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from invariscope.core.files import whole
from invariscope.core.words import number, percent, spoken, title
from invariscope.report.ink import COLOURS
from invariscope.report.pictures import embed
from invariscope.report.read import read_run
from invariscope.report.sections import Section, build
from invariscope.report.sentences import MEANING

_HERE = Path(__file__).parent


def make_report(run_dir: Path, out: Path | None = None) -> Path:
    """Write the report of a run: one HTML file that needs nothing else, and every figure as SVG and PNG.

    Only the run directory is read. The same directory always gives the same bytes.

    Args:
        run_dir: the directory that `measure`, `responses` or `demo` wrote; its run.json may list `parts`, other run
            directories that are shown below it on the same page.
        out: the HTML file, or a folder for it; None is report.html in the run directory. The folder `figures` is made
            beside it.

    Returns:
        Where the page lies.

    Raises:
        RunError: the directory is no run, or damaged.
        StorageError: the page or a figure could not be written.
    """
    run = read_run(Path(run_dir))
    target = Path(run_dir) / "report.html" if out is None else Path(out)
    if target.is_dir():
        target = target / "report.html"
    page = build(run, target.parent / "figures")
    text = (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            style=(_HERE / "style.css").read_text(encoding="utf-8"),
            colours=COLOURS,
            pickers=_most_panes(page),
        )
    )
    with whole(target) as draft:
        draft.write_text(text, encoding="utf-8")
    return target


def _most_panes(page: Section) -> int:
    sections = [page, *page.parts]
    return max(max(len(each.figures["layers"]), len(each.driven), 1) for each in sections)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(percent=percent, number=number, title_of=title, spoken=spoken, embed=embed)
    environment.globals["meaning"] = MEANING
    return environment
