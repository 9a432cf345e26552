from pathlib import Path

import pandas as pd
import pytest

from invariscope.cli.main import main
from invariscope.runs.run import Run

TRAIN = """
work = "train"
[settings]
images = "builtin:glyphs?per_class=2"
epochs = 1
transformation = "inversion"
[grid]
k = [1, 30]
seed = [0, 1]
"""
MEASURE = """
work = "measure"
[settings]
images = "builtin:glyphs?per_class=1&split=test"
transformations = ["inversion", "horizontal-flip"]
[grid]
network = ["builtin:cnn?classes=60&seed=1", "builtin:cnn?classes=60&seed=2"]
"""


def sweep(text: str, out: Path, *more: str) -> int:
    file = out.with_suffix(".toml")
    file.write_text(text, encoding="utf-8")
    return main(["sweep", str(file), "--engine", "serial", "--out", str(out), "--quiet", *more])


def test_a_sweep_of_trainings_ends_in_one_table(tmp_path):
    assert sweep(TRAIN, tmp_path / "grid") == 0
    table = pd.read_parquet(tmp_path / "grid" / "paradigm.parquet")
    assert list(zip(table.k, table.seed, strict=True)) == [(1, 0), (1, 1), (30, 0), (30, 1)]
    assert len(list((tmp_path / "grid" / "networks").glob("*.safetensors"))) == 4
    assert len(pd.read_parquet(tmp_path / "grid" / "training.parquet")) == 4


def test_a_sweep_of_measurements_keeps_every_run(tmp_path):
    assert sweep(MEASURE, tmp_path / "grid") == 0
    table = pd.read_parquet(tmp_path / "grid" / "verdicts.parquet")
    assert table.columns[0] == "network"
    assert table.network.nunique() == 2
    runs = [Run(path) for path in sorted((tmp_path / "grid" / "runs").iterdir())]
    assert {run.info["network"]["spec"] for run in runs} == set(table.network)
    assert all(len(run.units) for run in runs)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("k = [1, 30]", "kk = [1, 30]"), "Did you mean 'k'"),
        (("epochs = 1", 'epochs = "one"'), "the setting epochs is a whole number; got 'one'"),
        (('work = "train"', 'work = "trainn"'), "Did you mean 'train'"),
        (('images = "builtin:glyphs?per_class=2"\n', ""), "the setting images is missing"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_work(change, sentence, tmp_path, capsys):
    assert sweep(TRAIN.replace(*change), tmp_path / "grid") == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "grid").exists()
