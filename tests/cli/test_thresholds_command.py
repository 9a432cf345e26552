"""The command thresholds: what it prints, keeps and refuses."""

import json

import pandas as pd
import pytest

from invariscope.cli.main import main
from invariscope.cli.thresholds import parse_levels

SEARCH = ["thresholds", "net.py:halves", "images", "--device", "cpu", "--replicates", "20"]
SHIFT = ["--transformations", "translation-x", "--resolution", "translation-x=0.01"]


def test_it_prints_a_table_and_keeps_a_directory(world, capsys):
    assert main([*SEARCH, *SHIFT, "--levels", "0.8", "--limit", "8", "--out", "one"]) == 0
    told = capsys.readouterr()
    assert "median image" in told.out
    assert "Report: one/report.html" in told.out
    assert "the code in net.py was run" in told.err
    images = pd.read_parquet("one/image_thresholds.parquet")
    assert images["image"].nunique() == 8
    assert set(images["level"].dropna()) == {0.8}
    # A bright left half is no longer left once it has moved far enough to the right, and a right one the other way.
    flips = images[images["criterion"] == "first-flip"]
    moved = flips[
        ((flips["class"] == "left") & (flips["side"] == "+")) | ((flips["class"] == "right") & (flips["side"] == "-"))
    ]
    assert moved["threshold"].abs().between(0.2, 0.5).all()
    names = {path.name for path in (world / "one").iterdir()}
    assert {"thresholds.parquet", "medians.parquet", "report.html", "run.json", "configuration.toml"} <= names


def test_the_configuration_does_it_again(world, capsys):
    assert main([*SEARCH, *SHIFT, "--sides", "-", "--criteria", "first-flip,accuracy", "--out", "one", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passes"] < found["dense_passes"]
    assert found["ratio"] == pytest.approx(found["passes"] / found["dense_passes"])
    assert {row["criterion"] for row in found["thresholds"]} == {"accuracy", "first-flip"}
    assert {row["side"] for row in found["medians"]} == {"-"}
    assert found["n_images"] == 12
    assert main(["thresholds", "--config", "one/configuration.toml", "--out", "two", "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == "two/report.html"
    same = [(world / place / "image_thresholds.parquet").read_bytes() for place in ("one", "two")]
    assert same[0] == same[1]
    assert main([*SEARCH, *SHIFT, "--out", "one"]) == 2
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--transformations", "horizontal-flip"], "nothing between its two magnitudes"),
        ([*SHIFT[:2], "--resolution", "translation-x=0"], "a step above 0"),
        ([*SHIFT, "--within", "translation-x=0.1:0.5"], "outward from the identity"),
        ([*SHIFT, "--levels", "half"], "--levels takes shares"),
        ([*SHIFT, "--levels", "2"], "a level is a share"),
        ([*SHIFT, "--criteria", "flip"], "no criterion is called 'flip'"),
    ],
)
def test_bad_input_is_one_sentence(world, capsys, more, message):
    assert main([*SEARCH, *more, "--out", "out"]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert "Traceback" not in told.err
    assert not (world / "out").exists()


def test_levels_are_numbers_with_commas():
    assert parse_levels("0.9, 0.5") == [0.9, 0.5]
