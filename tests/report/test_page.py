"""The page as a document: self-contained, well-formed, safe, for everyone, and the same every time."""

import re
import shutil
from itertools import pairwise

import pytest
from example_run import SMALL, make_example
from page_reader import read_page

from invariscope.core.errors import RunError
from invariscope.report.figures.base import FIGURES
from invariscope.report.page import make_report

NASTY = ('</script><script>alert("1")</script>', "<img src=x onerror=alert(1)>", "$\\alpha$ & “q” 漢\x07\n é")


def test_every_figure_is_a_vector_and_a_pixel_file(run):
    files = {path.name for path in (run / "figures").iterdir()}
    names = {name.removesuffix(".svg") for name in files if name.endswith(".svg")}
    assert files == {f"{name}{suffix}" for name in names for suffix in (".svg", ".png")}
    assert names >= {"tolerance", "classes", "depth", "layers-rotation", "layers-hue", "examples", "driving-images"}
    for name in names:
        assert (run / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (run / "figures" / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", list(FIGURES))
def test_every_kind_of_figure_is_drawn_for_one_of_the_runs(kind, run, demo):
    files = [path.name for folder in (run, demo) for path in (folder / "figures").iterdir()]
    assert any(name.startswith(kind) for name in files)


def test_nothing_is_fetched(page):
    for address in page.having("src") + page.having("href"):
        assert address.startswith(("data:image/", "#", "figures/")), address[:60]
    beside_images = re.sub(r"data:image/[^\"]*", "", page.source)
    for scheme in ("http:", "https:", "//", "@import", "url(h", "xmlns"):
        assert scheme not in beside_images
    assert not page.all("script") + page.all("link") + page.all("iframe")
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_links_within_the_page_and_to_its_figures_lead_somewhere(run, page):
    ids = set(page.having("id"))
    for address in page.having("href") + page.having("for"):
        name = address.removeprefix("#")
        assert name in ids or (run / address).is_file(), address


@pytest.mark.parametrize("which", ["run", "demo"])
def test_it_is_well_formed_and_no_name_occurs_twice(which, request):
    page = read_page(request.getfixturevalue(which) / "report.html")
    assert page.unbalanced == []
    ids = page.having("id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("which", ["run", "demo"])
def test_headings_go_down_by_single_steps_from_one_title(which, request):
    page = read_page(request.getfixturevalue(which) / "report.html")
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_picture_says_what_it_shows(page):
    assert len(page.all("img")) > 40
    assert all(len(image["alt"] or "") > 8 for image in page.all("img"))
    drawings = [attributes for attributes in page.all("div") if attributes.get("class") == "svg"]
    assert len(drawings) == len(page.all("svg"))
    assert all(drawing["role"] == "img" and len(drawing["aria-label"] or "") > 20 for drawing in drawings)


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    shutil.copytree(run, tmp_path / "copy", ignore=shutil.ignore_patterns("report.html", "figures"))
    again = make_report(tmp_path / "copy")
    assert again.read_bytes() == (run / "report.html").read_bytes()
    for path in (run / "figures").iterdir():
        assert (tmp_path / "copy" / "figures" / path.name).read_bytes() == path.read_bytes(), path.name


def test_names_cannot_leave_their_place(tmp_path):
    settings = SMALL | {"transformations": ("rotation",), "classes": NASTY, "warnings": NASTY}
    page = read_page(make_report(make_example(tmp_path, **settings)))
    assert not page.all("script")
    assert page.unbalanced == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert all(str(image["src"]).startswith("data:image/") for image in page.all("img"))
    assert '</script><script>alert("1")</script>' in page.text
    assert "$\\alpha$ & “q” 漢 é" in page.text
    assert "\x07" not in page.source


def test_it_may_be_written_elsewhere(tmp_path):
    run = make_example(tmp_path / "run", **SMALL | {"transformations": ("hue",), "units": False})
    folder = tmp_path / "folder"
    folder.mkdir()
    assert make_report(run, tmp_path / "a.html") == tmp_path / "a.html"
    assert make_report(run, folder) == folder / "report.html"
    assert (folder / "report.html").read_bytes() == (tmp_path / "a.html").read_bytes()
    assert (folder / "figures" / "tolerance.svg").is_file()
    assert not (run / "report.html").exists()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"is no run: it has no run\.json"):
        make_report(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        make_report(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(RunError, match="holds no object"):
        make_report(tmp_path)


def test_a_damaged_table_is_named(tmp_path):
    make_example(tmp_path, **SMALL | {"transformations": ("rotation",), "units": False})
    (tmp_path / "curves.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(RunError, match=r"curves\.parquet is damaged"):
        make_report(tmp_path)
