"""The command study: what it refuses, tells beforehand, does and prints."""

import json

import pandas as pd
import pytest
from tiny_study import Inner, Tiny

from invariscope.cli.main import main
from invariscope.cli.settings import described, parse_settings
from invariscope.core.errors import SettingError
from invariscope.studies.base import STUDIES


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    len(STUDIES)
    monkeypatch.setitem(STUDIES._entries, "tiny", Tiny)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys):
    out, err = capsys.readouterr()
    return out, err.strip()


def test_a_study_ends_with_its_findings_and_a_report(tiny, capsys):
    assert main(["study", "tiny", "--engine", "serial", "--out", "run", "--overwrite"]) == 0
    out, _ = told(capsys)
    assert "Does the square root rise?" in out
    assert "Roots rise:\n  holds          It goes to 3.005." in out
    assert out.splitlines()[-1] == "Report: run/report.html"
    assert "Square roots" in (tiny / "run" / "report.html").read_text()
    assert len(pd.read_parquet("run/results.parquet")) == 6
    assert main(["study", "tiny", "--config", "run/configuration.toml", "--out", "again", "--quiet"]) == 0
    assert told(capsys)[0] == "again/report.html\n"
    assert (tiny / "again" / "results.parquet").read_bytes() == (tiny / "run" / "results.parquet").read_bytes()


def test_programs_get_one_object(tiny, capsys):
    asked = ["study", "tiny", "--engine", "serial", "--out", "run", "--json", "--seeds", "3", "--seed", "4"]
    assert main([*asked, "--scale", "smoke", "--set", "how=negative"]) == 0
    found = json.loads(told(capsys)[0])
    assert set(found) >= {"run", "report", "study", "findings", "results", "warnings", "seconds"}
    assert (found["study"], found["scale"], found["run"]) == ("tiny", "smoke", "run")
    assert found["findings"] == [
        {"sentence": "It goes to -0.95.", "verdict": "does not hold", "claim": "roots rise"},
    ]
    assert sorted({row["seed"] for row in found["results"]}) == [4, 5, 6]
    assert sorted({row["x"] for row in found["results"]}) == [1.0, 4.0]


def test_a_study_is_gone_on_with_or_refused(tiny, capsys):
    asked = ["study", "tiny", "--engine", "serial", "--out", "run", "--quiet"]
    assert main(asked) == 0
    assert main(asked) == 2
    assert "--resume" in told(capsys)[1]
    assert main([*asked, "--resume"]) == 0
    assert main([*asked, "--resume", "--set", "x=1,2"]) == 2
    assert main(["report", "run", "--json"]) == 0


def test_a_job_that_always_fails_is_named_and_the_others_kept(tiny, capsys):
    assert main(["study", "tiny", "--engine", "serial", "--out", "run", "--set", "x=1,-1", "--retries", "0"]) == 2
    sentence = told(capsys)[1]
    assert "2 of 4" in sentence
    assert "root of -1" in sentence
    assert "failures/" in sentence
    assert len(list((tiny / "run" / "jobs").glob("*/results.parquet"))) == 2


def test_a_dry_run_tells_and_does_nothing(tiny, capsys):
    assert main(["study", "tiny", "--dry-run", "--out", "run"]) == 0
    out, _ = told(capsys)
    assert "6 roots at the scale small:" in out
    assert "root of 9, seed 1" in out
    assert "Estimated time: unknown" in out
    assert not (tiny / "run").exists()
    assert main(["study", "tiny", "--engine", "serial", "--out", "run", "--quiet"]) == 0
    for path in (tiny / "run" / "log").glob("*.json"):
        path.write_text(json.dumps({"seconds": 3600.0}))
    capsys.readouterr()
    asked = ["study", "tiny", "--dry-run", "--out", "run", "--set", "x=1,4,9,16,25", "--engine", "processes:2"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(told(capsys)[0])
    assert [job["done"] for job in found["jobs"]] == [True] * 6 + [False] * 4
    assert found["estimated_hours"] == 2.0
    assert found["settings"]["x"] == [1, 4, 9, 16, 25]
    assert main(asked) == 0
    assert "Estimated time: 2 hours on processes:2 (as long as the 6 jobs that are done took)." in told(capsys)[0]
    assert main(["study", "tiny", "--dry-run", "--out", "run"]) == 0
    assert "all jobs are done" in told(capsys)[0]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["tinny"], ["no study is called 'tinny'", "Did you mean 'tiny'"]),
        (["tiny", "--scale", "huge"], ["huge", "smoke", "paper"]),
        (["tiny", "--set", "hwo=plain"], ["no setting of this study is called 'hwo'", "Did you mean 'how'"]),
        (["tiny", "--set", "x"], ["NAME=VALUE", "'x'"]),
        (["tiny", "--set", "x=many"], ["x takes a list, each a number", "'many'"]),
        (["tiny", "--set", "seeds=0.5"], ["seeds takes a list, each a whole number"]),
        (["tiny", "--set", "how=other"], ["how takes plain or negative", "'other'"]),
        (["tiny", "--seeds", "0"], ["--seeds takes 1 or more", "0"]),
        (["tiny", "--seeds", "2", "--set", "seeds=1"], ["--seeds", "--set"]),
        (["tiny", "--retries", "-1"], ["--retries", "-1"]),
        (["tiny", "--engine", "procesess:2"], ["procesess", "processes"]),
        (["tiny", "--engine", "processes:none"], ["processes:N", "none"]),
        (["tiny", "--device", "tpu"], ["tpu"]),
        (["tiny", "--resume"], ["--resume", "--out"]),
    ],
)
def test_a_mistake_is_told_before_anything_is_done(tiny, capsys, tokens, words):
    assert main(["study", *tokens]) == 2
    out, err = told(capsys)
    assert out == ""
    assert err.startswith("invariscope: ")
    assert "\n" not in err
    assert all(word in err for word in words), err
    assert not list(tiny.rglob("*.json"))


def test_settings_have_the_types_of_the_study():
    given = ["x=1,4", "how=negative", 'pairs=[["rotation", 90]]', "layer=relu4", "inner={steps = 3}", "seeds=[7]"]
    assert parse_settings(Tiny, given) == {
        **{"x": (1.0, 4.0), "how": "negative", "pairs": (("rotation", 90.0),), "layer": "relu4"},
        **{"inner": Inner(3), "seeds": (7,)},
    }
    assert parse_settings(Tiny, ["layer=none", "x=2"]) == {"layer": None, "x": (2.0,)}
    with pytest.raises(SettingError, match="inner takes a table of settings"):
        parse_settings(Tiny, ["inner={steps = 1.5}"])
    assert described(tuple[tuple[str, float], ...]) == "a list, each a list of text, a number"


def test_studies_are_listed_with_their_source(capsys):
    assert main(["studies", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(told(capsys)[0])["studies"]}
    assert rows["tiny"] == {"name": "tiny", "asks": "Does the square root rise?", "source": "Euclid, book 10"}
    assert "across-category" in rows
