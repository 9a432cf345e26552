"""What a check leaves: for programs, for servers, for people."""

import json
from xml.etree import ElementTree

import pandas as pd
import pytest
from check_world import Readout, bright, dark, grey, require

from invariscope.checks.check import check_contract
from invariscope.checks.junit import junit
from invariscope.checks.markdown import markdown
from invariscope.checks.read import read_contract
from invariscope.findings.figures import Intervals
from invariscope.report.page import make_report

ASKED = require(
    bright(0.2, 0.5),
    bright(0.2, 0.9, classes=["dark", "odd|<b>&"]),
    bright(0.2, 0.55, name="nearly"),
    {"transformation": "brightness", "threshold_at_least": 0.05, "quality": "agreement"},
    name="lights",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    images = dark()
    images.classes = ("odd|<b>&", "dark")
    out = tmp_path_factory.mktemp("check") / "out"
    return check_contract(Readout(), images, ASKED, device="cpu", out=out, command="invariscope check …")


def test_check_json_has_an_entry_per_requirement(run):
    check = json.loads((run.path / "check.json").read_text())
    assert [entry["verdict"] for entry in check["requirements"]] == ["passes", "fails", "undecided", "passes"]
    assert check["counts"] == {"passes": 2, "fails": 1, "undecided": 1}
    assert (check["verdict"], check["kept"], check["n_images"], check["clean_accuracy"]) == ("fails", False, 100, 1.0)
    first, classes, nearly, both = check["requirements"]
    assert (first["magnitude"], first["at_least"], first["quality"]) == (0.2, 0.5, "accuracy")
    assert first["text"] == "accuracy of at least 50\u202f% under brightness of 0.2 (of the range)"
    assert classes["classes"] == ["dark", "odd|<b>&"]
    assert len(classes["parts"]) == 2
    assert nearly["text"].startswith("nearly: accuracy")
    assert nearly["advice"] == "about 390 images would decide it"
    assert (both["threshold_at_least"], both["level"]) == (0.05, 0.9)
    assert all(entry["needed"] is None or entry["verdict"] == "undecided" for entry in check["requirements"])


def test_the_results_are_tidy(run):
    table = pd.read_parquet(run.path / "results.parquet")
    assert {"seed", "source"} - {"seed"} <= set(table.columns)
    assert table[["requirement", "verdict"]].to_numpy().tolist() == [
        [1, "passes"],
        [2, "fails"],
        [2, "undecided"],
        [3, "undecided"],
        [4, "passes"],
        [4, "passes"],
    ]
    assert table["part"].is_unique
    assert table["value"].iloc[0] == 0.6
    assert table.loc[table["class"] == "odd|<b>&", "value"].isna().all()


# What the schema that the usual readers share lets stand where; attributes beside the asterisk are needed.
SCHEMA = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors", "skipped", "time"}),
    "testsuite": (
        {"properties", "testcase", "system-out"},
        {"name*", "tests*", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
    ),
    "properties": ({"property"}, set()),
    "property": (set(), {"name*", "value*"}),
    "testcase": ({"skipped", "error", "failure", "system-out"}, {"name*", "classname", "time"}),
    "failure": (set(), {"type", "message"}),
    "error": (set(), {"type", "message"}),
    "skipped": (set(), {"message"}),
    "system-out": (set(), set()),
}


def hold_to_schema(element):
    children, attributes = SCHEMA[element.tag]
    assert {child.tag for child in element} <= children
    assert set(element.keys()) <= {name.rstrip("*") for name in attributes}
    assert {name.rstrip("*") for name in attributes if name.endswith("*")} <= set(element.keys())
    for child in element:
        hold_to_schema(child)


def test_junit_is_what_servers_read(run):
    root = ElementTree.parse(run.path / "junit.xml").getroot()
    hold_to_schema(root)
    suite = root.find("testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
    }
    cases = suite.findall("testcase")
    assert [case.get("name").split(".")[0] for case in cases] == ["1", "2", "3", "4"]
    assert [[child.tag for child in case] for case in cases] == [["system-out"], ["failure"], ["error"], ["system-out"]]
    assert "brightness 0.2, dark is 60.0" in cases[1].find("failure").get("message")
    assert "no image is of the class odd|<b>&" in cases[1].find("failure").text
    assert abs(sum(float(case.get("time")) for case in cases) - float(suite.get("time"))) < 0.01


def test_what_is_allowed_to_be_undecided_is_skipped(run):
    text = junit(run.requirements, name="x", began="2026-01-31T12:00:00+00:00", seconds=[1] * 4, allow_undecided=True)
    root = ElementTree.fromstring(text.partition("\n")[2])
    hold_to_schema(root)
    assert (root.get("errors"), root.get("skipped"), root.get("failures")) == ("0", "1", "1")


def test_control_characters_cannot_break_the_files():
    images = grey([0.1] * 20, [1] * 20, ("a\x00\x1b[31m\nb", "dark"))
    asked = require(bright(0.2, 0.5, classes=["a\x00\x1b[31m\nb"], name="\x08|\n# no"))
    run = check_contract(Readout(), images, asked, device="cpu")
    ElementTree.parse(run.path / "junit.xml")
    [row] = [line for line in (run.path / "check.md").read_text().splitlines() if line.startswith("| ❔")]
    assert row.replace("\\|", "").count("|") == 7


def test_markdown_has_a_row_per_part(run):
    text = (run.path / "check.md").read_text()
    lines = text.splitlines()
    assert lines[0] == "## ❌ The contract is broken: 2 of 4 requirements pass, 1 fails, 1 undecided"
    assert "Readout on array · 100 images · clean accuracy 100.0 %" in lines
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 1 + 6
    assert all(row.replace("\\|", "").count("|") == 7 for row in rows)
    assert "odd\\|&lt;b>&" in text
    kept = markdown({**run.check, "kept": True, "verdict": "undecided"})
    assert kept.startswith("## ✅ The contract is kept")


def test_figures_name_columns_that_are_there(run):
    table = pd.read_parquet(run.path / "results.parquet")
    figures = json.loads((run.path / "figures.json").read_text())
    assert [figure["kind"] for figure in figures] == [Intervals.kind] * 2
    for figure in figures:
        assert {figure[key] for key in ("x", "y", "colour", "mark")} <= set(table.columns)
        [(column, value)] = figure["where"].items()
        assert (table[column] == value).any()


def test_the_page_asks_and_answers(run):
    page = make_report(run.path).read_text()
    assert "Does Readout keep the contract “lights”?" in page
    for words in (
        "2 of 4",
        "about 390 images would decide it".capitalize(),
        "odd|&lt;b&gt;&amp;",
        "What this cannot tell",
    ):
        assert words in page, words
    assert "is not drawn" not in page
    assert {path.name for path in (run.path / "figures").iterdir()} >= {"qualities.svg", "thresholds-1.svg"}


def test_the_contract_lies_with_its_check(run, tmp_path):
    again = read_contract(run.path / "contract.toml")
    assert [each.plain() for each in again.requirements] == run.info["configuration"]["contract"]["requirements"]
    file = tmp_path / "mine.toml"
    file.write_text('# why\n[[require]]\ntransformation = "brightness"\nmagnitude = 0.2\nat_least = 0.5\n')
    run = check_contract(Readout(), dark(), file, device="cpu")
    assert (run.path / "contract.toml").read_text() == file.read_text()


def test_very_many_requirements_make_a_page_that_can_be_read():
    asked = require(*[bright(round(0.001 * step, 3), 0.5) for step in range(1, 71)])
    run = check_contract(Readout(), dark(4, 6), asked, device="cpu")
    [figure] = json.loads((run.path / "figures.json").read_text())
    assert len(figure["where"]["part"]) == 60
    assert "The 60 of 70" in figure["caption"]
    assert {finding["claim"] for finding in json.loads((run.path / "findings.json").read_text())} == {"brightness"}
