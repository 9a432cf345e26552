"""The other commands: recorded responses, training, the report again, a demo that is done."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from invariscope.cli.main import main


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """`recorded.npz`: a unit that does not change, one that halves, one that falls silent."""
    monkeypatch.chdir(tmp_path)
    clean = np.random.default_rng(0).uniform(0.5, 1, (30, 3))
    np.savez("recorded.npz", clean=clean, transformed=clean * [1, 0.5, 0])
    return tmp_path


def test_recorded_responses_give_coefficients(recorded, capsys):
    assert main(["responses", "recorded.npz", "--out", "run", "--json", "--replicates", "20"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_images"] == 30
    assert found["clean_accuracy"] is None
    assert found["verdicts"][0]["tolerated"] is None
    units = pd.read_parquet("run/units.parquet").dropna(subset="magnitude")
    np.testing.assert_allclose(units.invariance, [1, 2 / 3, 0], atol=1e-6)
    np.testing.assert_allclose(units.specialization, [0, -1 / 3, -1], atol=1e-6)
    assert (recorded / "run" / "report.html").exists()


def test_the_report_is_made_again(recorded, capsys):
    assert main(["responses", "recorded.npz", "--out", "run", "--quiet", "--replicates", "20"]) == 0
    (recorded / "run" / "report.html").unlink()
    assert main(["report", "run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "run/report.html"
    assert (recorded / "run" / "report.html").exists()
    assert main(["report", "run", "--out", "elsewhere", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": "run", "report": "elsewhere/report.html"}
    assert (recorded / "elsewhere" / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("a.npz", lambda path: np.savez(path, clean=np.ones((3, 2))), ["transformed"]),
        ("a.npz", lambda path: np.savez(path, clean=np.ones((3, 2)), transformed=np.ones((4, 2))), ["3", "4"]),
        ("a.npz", lambda path: path.write_bytes(b"no archive"), ["a.npz"]),
        ("a.parquet", lambda path: pd.DataFrame({"unit": [1]}).to_parquet(path), ["stimulus"]),
        ("a.csv", lambda path: path.write_text("1,2"), ["a.csv", ".npz"]),
    ],
)
def test_responses_that_do_not_fit_are_told(tmp_path, capsys, monkeypatch, name, write, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    assert main(["responses", name, "--out", "run"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("invariscope: ")
    assert all(word in err for word in words), err


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


def test_training_keeps_networks_that_can_be_measured(labelled, capsys):
    asked = ["train", "images.npz", "--seen", "1,2", "--epochs", "2", "--workers", "1", "--device", "cpu"]
    assert main([*asked, "--out", "trained", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["k"] for row in found["paradigm"]] == [1, 2]
    history = pd.read_parquet("trained/training.parquet")
    assert list(history.columns) == ["network", "seed", "seen", "step", "epoch", "loss", "clean", "within", "across"]
    assert history.groupby("network").epoch.apply(list).tolist() == [[1, 2], [1, 2]]
    assert main([*asked, "--out", "trained", "--quiet"]) == 2
    assert main([*asked, "--out", "trained", "--quiet", "--resume"]) == 0
    assert all((labelled / path).exists() for path in found["networks"])
    capsys.readouterr()
    measured = ["measure", found["networks"][1], "images.npz", "--transformations", "inversion", "--replicates", "20"]
    assert main([*measured, "--out", "run", "--quiet", "--device", "cpu"]) == 0
    assert set(pd.read_parquet("run/units.parquet").group) == {"all", "seen", "unseen"}


def test_a_demo_that_is_done_is_found_at_once(tmp_path):
    out = tmp_path / "demo"
    out.mkdir()
    (out / "report.html").write_text("a report")
    (out / "run.json").write_text(json.dumps({"seeds": {"seed": 3}}))
    script = (
        "import sys; from invariscope.cli.main import main;"
        f"code = main(['demo', '--out', {str(out)!r}, '--seed', '3']);"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    told, last = done.stdout.splitlines()
    assert str(out / "report.html") in told
    assert last == "0 False"
