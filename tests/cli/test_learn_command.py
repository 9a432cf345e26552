"""What the command learn takes, prints and refuses."""

import json
from dataclasses import fields

import pandas as pd
import pytest

from invariscope.cli.learn import Options
from invariscope.cli.main import main
from invariscope.learned.settings import LearnSettings

QUICK = ["--steps", "4", "--batch-size", "8", "--holdout", "6", "--device", "cpu"]


def test_every_option_has_the_default_of_the_library():
    library = {field.name: field.default for field in fields(LearnSettings)}
    own = {field.name: field.default for field in fields(Options)}
    assert {name for name in own if name not in library} == {"limit"}
    assert {name: value for name, value in own.items() if name not in ("heads", "limit")} == {
        name: library[name] for name in own if name not in ("heads", "limit")
    }


def test_a_family_is_learned_and_told(world, capsys):
    asked = ["learn", "net.py:halves", "images", *QUICK, "--heads", "spatial,colour", "--out", "run"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == "run"
    assert {"scale", "mean", "worst", "clean", "displacement", "colour", "found"} <= set(told)
    assert {row["head"] for row in told["family"]} == {"colour", "spatial"}
    assert len(told["certificate"]) == len(pd.read_parquet("run/certificate.parquet"))
    assert told["findings"][0].startswith(("The network ignores the learned family", "Nothing found"))
    assert (world / "run" / "report.html").exists()
    assert (world / "run" / "transformer.safetensors").exists()
    assert main([*asked, "--quiet"]) == 2
    assert "say --resume" in capsys.readouterr().err
    assert main([*asked, "--resume"]) == 0
    said = capsys.readouterr().out
    assert "Which transformations does net ignore?" in said
    assert "Transformer: run/transformer.safetensors\nReport: run/report.html" in said


def test_the_configuration_asks_for_the_same_again(world, capsys):
    more = ["--target", "layer", "--layer", "relu", "--heads", "colour", "--limit", "10", "--literal"]
    assert main(["learn", "net.py:halves", "images", *QUICK, *more, "--out", "one"]) == 0
    assert main(["learn", "--config", "one/configuration.toml", "--out", "two", "--quiet"]) == 0
    for name in ("family", "history", "certificate"):
        assert (world / f"one/{name}.parquet").read_bytes() == (world / f"two/{name}.parquet").read_bytes()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--heads", "color"], "colour"),
        (["--target", "unit"], "layer"),
        (["--steps", "0"], "steps is 1 or more; got 0"),
        (["--holdout", "12"], "12 images cannot be split into 0 to learn from and 12 to hold out"),
        (["--test", "nowhere"], "nowhere"),
    ],
)
def test_a_mistake_is_told_and_leaves_nothing(world, capsys, more, words):
    assert main(["learn", "net.py:halves", "images", "--out", "run", *more]) == 2
    assert words in capsys.readouterr().err
    assert not (world / "run").exists()
