"""`invariscope check`: exit codes, what is printed where, what a mistake is told by."""

import json
import tomllib
from xml.etree import ElementTree

import pandas as pd
import pytest

from invariscope.cli.main import main

KEPT = '[[require]]\ntransformation = "vertical-flip"\nmagnitude = 1\nat_least = 0.7\n'
BROKEN = '[[require]]\ntransformation = "horizontal-flip"\nmagnitude = 1\nat_least = 0.5\nclasses = ["left"]\n'
UNDECIDED = '[[require]]\ntransformation = "vertical-flip"\nmagnitude = 1\nat_least = 0.9\n'


@pytest.fixture
def contract(world):
    """Writes `contract.toml` beside a network that answers by halves: a vertical flip keeps it, the other does not."""

    def write(*requirements):
        (world / "contract.toml").write_text("\n".join(requirements))
        return ["check", "net.py:halves", "images", "--contract", "contract.toml", "--device", "cpu"]

    return write


def test_a_kept_contract_exits_with_0(contract, world, capsys):
    assert main([*contract(KEPT), "--out", "run"]) == 0
    out, err = capsys.readouterr()
    assert "1   passes" in out
    assert "[75.8, 100]" in out
    assert "The contract is kept: 1 of 1 requirement passes." in out
    assert "Report: run/report.html" in out
    assert "the code in net.py was run" in err
    made = {path.name for path in (world / "run").iterdir()}
    assert made >= {
        "check.json",
        "junit.xml",
        "check.md",
        "contract.toml",
        "report.html",
        "run.json",
        "results.parquet",
    }
    assert ElementTree.parse("run/junit.xml").getroot().get("failures") == "0"
    assert pd.read_parquet("run/results.parquet")["verdict"].tolist() == ["passes"]


def test_a_broken_one_exits_with_1_and_tells_programs(contract, capsys):
    assert main([*contract(KEPT, BROKEN, UNDECIDED), "--out", "run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [entry["verdict"] for entry in told["requirements"]] == ["passes", "fails", "undecided"]
    assert told["requirements"][1]["estimate"] == 0
    assert (told["run"], told["report"]) == ("run", "run/report.html")
    assert {
        "clean_accuracy",
        "n_images",
        "n_skipped",
        "verdicts",
        "thresholds",
        "layers",
        "warnings",
        "seconds",
    } <= set(told)
    assert told["kept"] is False


def test_undecided_exits_with_1_unless_it_is_allowed(contract, capsys):
    asked = contract(KEPT, UNDECIDED)
    assert main([*asked, "--quiet", "--out", "a"]) == 1
    assert capsys.readouterr().out == "a/report.html\n"
    assert main([*asked, "--allow-undecided", "--out", "b"]) == 0
    out = capsys.readouterr().out
    assert "The contract is kept: 1 of 2 requirements passes, 1 undecided." in out
    assert "would decide it" in " ".join(out.split())
    assert main(["check", "--config", "b/configuration.toml", "--out", "c", "--quiet"]) == 0
    assert main([*contract(BROKEN), "--allow-undecided", "--out", "d", "--quiet"]) == 1


def test_each_check_has_a_place_of_its_own(contract, world, capsys):
    asked = contract(KEPT)
    assert main([*asked, "--quiet"]) == 0
    [made] = (world / "runs").iterdir()
    assert made.name.startswith("check-")
    assert main([*asked, "--quiet", "--out", str(made)]) == 2
    assert "holds a finished run" in capsys.readouterr().err
    assert main([*asked, "--quiet", "--out", str(made), "--resume"]) == 0
    assert main([*contract(BROKEN), "--quiet", "--out", str(made), "--overwrite"]) == 1
    assert main(["report", str(made)]) == 0


def test_the_contract_alone_may_say_what_is_checked(contract, capsys):
    contract('[check]\nnetwork = "net.py:halves"\nimages = "images"\ndevice = "cpu"\nlimit = 8\n', UNDECIDED)
    assert main(["check", "--contract", "contract.toml", "--json", "--out", "run"]) == 1
    assert json.loads(capsys.readouterr().out)["n_images"] == 8


def test_a_run_is_a_contract(contract, world, capsys):
    measured = ["measure", "net.py:halves", "images", "--transformations", "vertical-flip,brightness"]
    quick = ["--replicates", "20", "--controls", "1", "--device", "cpu", "--quiet"]
    assert main([*measured, *quick, "--out", "before"]) == 0
    asked = ["check", "net.py:halves", "images", "--baseline", "before", "--device", "cpu", "--quiet"]
    assert main([*asked, "--out", "after", "--write-contract", "kept.toml"]) == 0
    assert (world / "kept.toml").read_text() == (world / "after" / "contract.toml").read_text()
    written = tomllib.loads((world / "kept.toml").read_text())
    assert written["check"] == {"network": "net.py:halves", "images": "images", "seed": 0}
    assert written["require"][0]["magnitude"] == 0
    assert {each["transformation"] for each in written["require"]} == {"vertical-flip", "brightness"}
    assert main(["check", "--contract", "kept.toml", "--quiet", "--out", "again", "--device", "cpu"]) == 0
    capsys.readouterr()
    assert main([*asked, "--out", "third", "--write-contract", "kept.toml"]) == 2
    assert "kept.toml is there already" in capsys.readouterr().err
    assert not (world / "third").exists()


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("[[require]]\nmagnitude = 1\n", [], ["contract.toml, requirement 1", "transformation is missing"]),
        (KEPT + "magnitud = 3\n", [], ["requirement 1", "Did you mean 'magnitude'"]),
        (KEPT.replace("vertical-flip", "vertikal-flip"), [], ["requirement 1", "Did you mean 'vertical-flip'"]),
        (KEPT.replace("= 1", "= 2"), [], ["requirement 1", "0 to 1"]),
        (BROKEN.replace('"left"', '"lift"'), [], ["requirement 1", "Did you mean 'left'"]),
        ("[[require\n", [], ["contract.toml is not TOML"]),
        (KEPT, ["--baseline", "x"], ["a contract or a baseline; both are given"]),
        (KEPT, ["--write-contract", "x.toml"], ["--write-contract", "--baseline RUN"]),
        (KEPT, ["--limit", "0"], ["limit is 0"]),
        (KEPT, ["--resume"], ["--resume", "--out"]),
    ],
)
def test_a_mistake_exits_with_2_and_leaves_nothing(text, more, words, contract, world, capsys):
    before = set(world.rglob("*")) | {world / "contract.toml"}
    assert main([*contract(text), *more]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("invariscope: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words), err
    assert {path for path in world.rglob("*") if "__pycache__" not in path.parts} == before


def test_neither_contract_nor_baseline_is_told(world, capsys):
    assert main(["check", "net.py:halves", "images"]) == 2
    assert "a contract or a baseline; neither is given" in capsys.readouterr().err
