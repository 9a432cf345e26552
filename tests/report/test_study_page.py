"""A study's page: what it says, in which order, and that nothing in its directory can spoil it."""

import json
import math
import re
import shutil
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from example_study import ALL, BARS, HEAT, LINES, RISES, SCATTER, VIOLINS, make_study, tables_of
from page_reader import read_page

from invariscope.core.errors import RunError
from invariscope.report.page import make_report

NASTY = '</script><script>alert("1")</script>'
FAILURE = """label: inversion 1, 30 classes seen, seed 2
work: invariscope.studies.paradigm:look
settings: {}
attempts: 2

attempt 1: OSError: disk
Traceback …
attempt 2: ValueError: no such thing
Traceback …
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = make_study(tmp_path_factory.mktemp("study"), failures={"0a": FAILURE})
    make_report(path)
    return path


@pytest.fixture(scope="module")
def page(study):
    return read_page(study / "report.html")


def test_the_question_is_the_title_and_findings_stand_under_the_main_figure(page):
    (title,) = re.findall(r"<title>(.*?)</title>", page.source)
    assert title.startswith("Does a network that sees k classes transformed recognise")
    main = page.source[page.source.index("<main") :]
    order = [main.index(f'id="{name}"') for name in ("top", "accuracy", "findings", "limits", "numbers", "settings")]
    assert order == sorted(order)


def test_who_what_how_many_and_how_long(page):
    for words in ("small scale", "cnn on glyphs", "4 jobs", "3 seeds", "9 minutes", "Source: Jang et al., figures 2b"):
        assert words in page.text


def test_findings_are_marked_in_words(page):
    body = page.text[page.text.index("Besides") - 900 :]
    for words in ("holds", "does not hold", "undecided", "said only", "holds in 1 and does not hold in 1 of 2"):
        assert words in body
    assert "1 of 3" in page.text
    assert "from 2\u202f%." in page.source


def test_a_run_names_its_own_answers(tmp_path):
    told = [
        {"question": "Certified scale", "answer": "0.5", "detail": "on 200 held-out images", "kind": "good"},
        {"question": NASTY, "answer": None},
        "no card",
    ]
    page = read_page(make_report(make_study(tmp_path / "study", cards=told)))
    cards = page.source[page.source.index('<dl class="cards">') : page.source.index("</dl>")]
    assert '<div class="card invariance"><dt>Certified scale</dt><dd><strong>0.5</strong>' in cards
    assert cards.count('<div class="card') == 2
    assert "<strong>–</strong>" in cards
    assert "<script>" not in cards
    assert "1 of 3" not in page.text, "claims are not counted besides"


def test_all_kinds_are_drawn_inline_and_as_files(study, page):
    assert len(page.all("svg")) == len(ALL)
    for spec in ALL:
        assert (study / "figures" / f"{spec['name']}.svg").is_file()
        assert (study / "figures" / f"{spec['name']}.png").read_bytes().startswith(b"\x89PNG")
        assert spec["title"] in page.text
    drawings = [each for each in page.all("div") if each.get("class") == "svg"]
    assert all(each["role"] == "img" and len(each["aria-label"]) > 40 for each in drawings)


def test_numbers_of_the_page_are_those_of_the_tables(study, page):
    table = pd.read_parquet(study / "results.parquet")
    rows = table[(table.transformation == "inversion") & (table.k == 54) & (table.quantity == "across")]
    assert f"{100 * rows.value.mean():.1f}\u202f% [" in page.source
    assert "0.93 [0.81, 0.98]" in page.text
    assert "35 rows" in page.text
    assert not re.search(r"\[-|−0\.0[,\]]", page.text[page.text.index("All numbers") :])


def test_failed_jobs_are_named_with_their_file(page):
    assert "inversion 1, 30 classes seen, seed 2 failed: ValueError: no such thing (failures/0a.txt)" in page.text


def test_nothing_is_fetched_and_every_link_leads_somewhere(study, page):
    ids = set(page.having("id"))
    for address in page.having("src") + page.having("href"):
        assert address.removeprefix("#") in ids or (study / address).is_file(), address
    for scheme in ("http:", "https:", "//", "@import", "url(h", "xmlns"):
        assert scheme not in page.source
    assert not page.all("script") + page.all("link") + page.all("iframe")


def test_it_is_well_formed_with_headings_in_steps(page):
    assert page.unbalanced == []
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_same_study_gives_the_same_bytes(study, tmp_path):
    shutil.copytree(study, tmp_path / "copy", ignore=shutil.ignore_patterns("report.html", "figures"))
    assert make_report(tmp_path / "copy").read_bytes() == (study / "report.html").read_bytes()


def test_twelve_transformations_make_a_page_that_can_be_sent(tmp_path):
    path = make_study(tmp_path, transformations=tuple(RISES), tables=tables_of(tuple(RISES), 3, units=96))
    assert make_report(path).stat().st_size < 2_000_000


def test_one_seed_no_findings_and_unknown_values(tmp_path):
    tables = tables_of(("inversion",), 1)
    tables["results"].loc[tables["results"].quantity == "within", ["value", "low", "high"]] = math.nan
    tables["networks"]["across"] = np.nan
    page = read_page(make_report(make_study(tmp_path, seeds=1, tables=tables, findings=())))
    assert "Findings" not in page.text
    assert "1 seed" in page.text
    assert "as the table has them" in page.text
    assert "is not drawn, because no value is known; it may need more networks or seeds" in page.text
    assert not re.search(r"\bnan\b", page.text.lower())


def test_names_cannot_leave_their_place(tmp_path):
    tables = {
        name: table.replace({"inversion": NASTY, "rotation": "<img src=x onerror=alert(1)>"})
        for name, table in tables_of(("inversion", "rotation"), 2).items()
    }
    figures = [spec | {"title": NASTY, "caption": NASTY, "labels": {"within": NASTY}, "x_label": NASTY} for spec in ALL]
    told = {"limits": [NASTY], "question": NASTY, "source": NASTY, "warnings": [NASTY], "scale": NASTY}
    findings = [("holds", NASTY, NASTY)]
    failures = {"0a": f"label: {NASTY}\nattempt 1: {NASTY}\n"}
    path = make_study(tmp_path, tables=tables, figures=figures, findings=findings, failures=failures, **told)
    page = read_page(make_report(path))
    assert not page.all("script") + page.all("img")
    assert page.unbalanced == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count(NASTY) > 8


def test_a_figure_without_its_table_is_told_and_the_rest_drawn(tmp_path):
    figures = [LINES, HEAT | {"table": "nowhere"}, BARS | {"colour": "nothing"}, SCATTER | {"where": {"k": 77}}]
    page = read_page(make_report(make_study(tmp_path, figures=figures)))
    assert len(page.all("svg")) == 1
    assert "is not drawn, because there is no table nowhere.parquet" in page.text
    assert "is not drawn, because the table silenced has no column 'nothing'" in page.text
    assert "is not drawn, because no row of its table is asked for" in page.text


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ("{", "damaged"),
        ("{}", "it holds no list"),
        ("[1]", "figure 1 is no object"),
        (json.dumps([LINES | {"kind": "line"}]), "Did you mean 'lines'"),
        (json.dumps([LINES | {"kind": None}]), "no kind of figure is called 'None'"),
        (json.dumps([LINES | {"name": "../../etc/it"}]), "figure 1 cannot be called"),
        (json.dumps([LINES, VIOLINS | {"name": "accuracy"}]), "two figures are called 'accuracy'"),
        (json.dumps([LINES | {"span": [1, 0]}]), "span of figure 1 cannot be [1, 0]"),
        (json.dumps([LINES | {"labels": {"a": 1}}]), "labels of figure 1 cannot be"),
        (json.dumps([LINES | {"where": {"k": {"a": 1}}}]), "where of figure 1 cannot be"),
        (json.dumps([{"kind": "lines", "name": "a", "title": "A"}]), "figure 1 has no x"),
    ],
)
def test_a_damaged_list_of_figures_is_told(tmp_path, figures, words):
    path = make_study(tmp_path)
    (path / "figures.json").write_text(figures)
    with pytest.raises(RunError, match=re.escape(words)):
        make_report(path)


@pytest.mark.parametrize(
    "findings", ["{", "[1]", '[{"verdict": "holds"}]', '[{"sentence": "a", "verdict": "perhaps"}]']
)
def test_damaged_findings_are_told(tmp_path, findings):
    path = make_study(tmp_path)
    (path / "findings.json").write_text(findings)
    with pytest.raises(RunError, match=r"findings\.json is damaged"):
        make_report(path)


def test_a_damaged_table_of_a_study_is_named(tmp_path):
    (make_study(tmp_path) / "units.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(RunError, match=r"units\.parquet is damaged"):
        make_report(tmp_path)


def test_a_grid_has_a_plain_page(tmp_path):
    table = pd.DataFrame({"name": [f"job {i}" for i in range(30)], "accuracy": np.linspace(0, 1, 30)})
    told = {"kind": "sweep", "question": None, "source": None, "study": None, "limits": None}
    told["configuration"] = {"work": "mine:points", "settings": {}, "grid": {"x": [1, 2]}}
    path = make_study(tmp_path, figures=(), findings=(), tables={"points": table, "old": table}, **told)
    info = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(info | {"tables": {"points": 30}}))
    page = read_page(make_report(path))
    assert "old.parquet" not in page.text
    assert "points.parquet: 30 rows, 2 columns; the first 10 of 30 rows." in page.text
    assert "job 9" in page.text
    assert "A sweep of mine:points" in page.text
    assert "job 29" not in page.text


def test_a_page_that_is_full_names_the_files_of_its_drawings(tmp_path, monkeypatch):
    monkeypatch.setattr("invariscope.report.study.page._PAGE_BYTES", 30_000)
    path = make_study(tmp_path, figures=(HEAT, LINES))
    page = read_page(make_report(path))
    assert len(page.all("svg")) == 1
    assert "This page is full; the drawing is in figures/accuracy.svg." in page.text
    assert all(address.startswith("#") or (path / address).is_file() for address in page.having("href"))
