"""The command compare: what is printed, for people and for programs, and its exit codes."""

import json

import numpy as np
import pandas as pd
import pytest

from invariscope.cli.main import main

NETWORK = '''
import torch
from torch import nn


class Readout(nn.Module):
    """Bright where the mean passes a bound."""

    def __init__(self, bound):
        super().__init__()
        self.bound = nn.Parameter(torch.tensor(bound), requires_grad=False)

    def forward(self, images):
        mean = images.mean((1, 2, 3))[:, None]
        return torch.cat([mean - self.bound, self.bound - mean], 1)


def before():
    return Readout(0.5)


def after():
    return Readout(0.4)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with two runs, `before` and `after`: the bound of the second is lower."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "net.py").write_text(NETWORK)
    means = np.concatenate([np.linspace(40, 95, 40), np.linspace(160, 215, 40)])
    pixels = np.broadcast_to(means.astype(np.uint8)[:, None, None, None], (80, 8, 8, 1)).copy()
    np.savez(folder / "images.npz", images=pixels, labels=np.repeat([1, 0], 40))
    for name in ("before", "after"):
        how = ["--transformations", "brightness", "--magnitudes", "brightness=-0.4:0.4:9", "--layers", "output"]
        asked = ["measure", f"{folder}/net.py:{name}", f"{folder}/images.npz", *how, "--replicates", "20"]
        assert main([*asked, "--out", str(folder / name), "--quiet", "--device", "cpu"]) == 0
    return folder


def test_what_got_worse_is_printed(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(place)
    assert main(["compare", "before", "after", "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "What changed from before to after?" in out
    assert "clean accuracy 100.0" in out
    assert "got worse" in out
    [line] = [line for line in out.splitlines() if "Brightness +" in line and "accuracy to 90" in line]
    assert "[" in line
    assert float(line.split()[-1]) < 0.05
    assert (tmp_path / "out" / "report.html").exists()
    assert "fail_on_regression = false" in (tmp_path / "out" / "configuration.toml").read_text()


def test_one_object_for_programs(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(place)
    assert main(["compare", "before", "after", "before", "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [run["run"] for run in told["runs"]] == ["before (1)", "after", "before (2)"]
    compare = pd.read_parquet(tmp_path / "out" / "compare.parquet")
    whole = compare[compare["class"] == "all"]
    assert told["counts"]["all"]["regression"] == int(whole["regression"].sum()) > 0
    assert {row["run"] for row in told["regressions"]} == {"after"}
    assert len(told["thresholds"]) == len(whole)
    assert {"run", "report", "curves", "layers", "warnings", "seconds"} <= set(told)
    assert all(row["p_adjusted"] is None or 0 <= row["p_adjusted"] <= 1 for row in told["thresholds"])


def test_a_gate_fails_on_a_regression_alone(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(place)
    gate = ["--fail-on-regression", "--quiet"]
    assert main(["compare", "before", "after", "--out", str(tmp_path / "worse"), *gate]) == 1
    assert main(["compare", "before", "after", "--out", str(tmp_path / "worse"), *gate, "--resume"]) == 1
    assert main(["compare", "before", "before", "--out", str(tmp_path / "same"), *gate]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "same" / "report.html")


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["before"], ["two runs or more", "got 1"]),
        (["before", "nowhere"], ["nowhere", "run.json"]),
        (["before", "after", "--correction", "none"], ["--correction", "none"]),
        (["before", "after", "--least", "-1"], ["least", "0 or more"]),
        ([], ["two runs or more", "got 0"]),
    ],
)
def test_a_mistake_is_one_sentence(place, capsys, monkeypatch, tokens, words):
    monkeypatch.chdir(place)
    assert main(["compare", *tokens, "--out", "never"]) == 2
    err = capsys.readouterr().err.strip()
    assert err.startswith("invariscope: ")
    assert "\n" not in err
    assert all(word in err for word in words), err
    assert not (place / "never").exists()
