"""The page: one self-contained HTML file from a run directory, and its figures as files."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from invariscope.core.files import whole
from invariscope.core.words import number, percent, spoken, title
from invariscope.report.ink import COLOURS
from invariscope.report.pictures import embed
from invariscope.report.read import read_info, read_run
from invariscope.report.sections import Section, build
from invariscope.report.sentences import MEANING
from invariscope.report.study.page import StudyPage, build_study
from invariscope.report.study.read import read_study

_HERE = Path(__file__).parent
_STUDIES = ("study", "sweep", "check", "learn", "compare", "thresholds")


def make_report(run_dir: Path, out: Path | None = None) -> Path:
    """Write the report of a run: one HTML file that needs nothing else, and every figure as SVG and PNG.

    Only the run directory is read. The same directory always gives the same bytes.

    Args:
        run_dir: the directory that `measure`, `responses`, `demo`, `study` or `sweep` wrote; its run.json may
            list `parts`, other run directories that are shown below it on the same page.
        out: the HTML file, or a folder for it; None is report.html in the run directory. The folder `figures` is made
            beside it.

    Returns:
        Where the page lies.

    Raises:
        RunError: the directory is no run, or damaged.
        StorageError: the page or a figure could not be written.
    """
    source = Path(run_dir)
    target = source / "report.html" if out is None else Path(out)
    if target.is_dir():
        target = target / "report.html"
    info = read_info(source)
    figures = target.parent / "figures"
    if info.get("kind") in _STUDIES:
        text = _render("study.html.j2", ("style.css", "study.css"), build_study(read_study(source, info), figures), 0)
    else:
        page = build(read_run(source), figures)
        text = _render("page.html.j2", ("style.css",), page, _most_panes(page))
    with whole(target) as draft:
        draft.write_text(text, encoding="utf-8")
    return target


def _render(template: str, styles: Sequence[str], page: Section | StudyPage, pickers: int) -> str:
    style = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in styles)
    return _environment().get_template(template).render(page=page, style=style, colours=COLOURS, pickers=pickers)


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
