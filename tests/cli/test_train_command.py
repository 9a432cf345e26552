"""What the command train understands, and what it says when it does not."""

import json

import numpy as np
import pandas as pd
import pytest

from invariscope.cli.main import main
from invariscope.cli.train import parse_magnitude, parse_tests
from invariscope.core.errors import SettingError


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    """`images.npz`: four classes of eight grey images, a bright quarter each."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    labels = np.arange(32) % 4
    images = random.integers(0, 60, (32, 16, 16, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[8 * (label // 2) :, 8 * (label % 2) :][:8, :8] += 150
    np.savez("images.npz", images=images, labels=labels)
    return tmp_path


def test_every_part_of_a_training_can_be_chosen_and_asked_for_again(labelled, capsys):
    shown = ["--transformation", "inversion,rotation", "--magnitude", "1,-45..45", "--assignment", "own"]
    shown += ["--test-magnitudes", "rotation=90,180", "--seen", "2", "--mode", "two-step-finetune"]
    learnt = ["--epochs", "1", "--batch-size", "8", "--learning-rate", "0.02", "--weight-decay", "0"]
    learnt += ["--schedule", "constant", "--precision", "float32", "--workers", "1", "--device", "cpu"]
    assert main(["train", "images.npz", *shown, *learnt, "--out", "one", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schedule"] == {
        "epochs": 1,
        "batch_size": 8,
        "learning_rate": 0.02,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "rate": "constant",
        "precision": "float32",
    }
    (row,) = found["paradigm"]
    assert row["shown"] == "inversion-1+rotation--45..45"
    assert row["mode"] == "two-step-finetune"
    assert pd.read_parquet("one/tests.parquet").magnitude.tolist() == [90.0, 180.0]
    assert main(["train", "--config", "one/configuration.toml", "--out", "two", "--quiet"]) == 0
    assert (labelled / "one/paradigm.parquet").read_bytes() == (labelled / "two/paradigm.parquet").read_bytes()


def test_magnitudes_as_they_are_typed():
    assert parse_magnitude(None, ["hue"]) is None
    assert parse_magnitude("90", ["hue"]) == 90.0
    assert parse_magnitude("-45..45,1", ["rotation", "inversion"]) == ((-45.0, 45.0), 1.0)
    assert parse_tests(["hue=30", "hue=60,90"], ["rotation", "hue"]) == [("hue", 30.0), ("hue", 60.0), ("hue", 90.0)]


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: parse_magnitude("1", ["hue", "zoom"]), "one magnitude or range for each of hue, zoom"),
        (lambda: parse_magnitude("1..2..3", ["hue"]), "two ends, as in 15..45; got '1..2..3'"),
        (lambda: parse_magnitude("much", ["hue"]), "--magnitude takes numbers; got 'much'"),
        (lambda: parse_tests(["90"], ["hue", "zoom"]), "takes a name as in hue=60,90; got '90'"),
        (lambda: parse_tests(["90,a"], ["hue"]), "--test-magnitudes takes numbers; got 'a' in '90,a'"),
    ],
)
def test_what_is_said_of_magnitudes(work, message):
    with pytest.raises(SettingError, match=message.replace(".", r"\.")):
        work()
