"""The known answers once more, by the command that a person types."""

import json
import subprocess
import sys
from pathlib import Path

import known_networks as networks
import numpy as np
import pandas as pd
import pytest
import torch
from known_images import random_images, two_halves, with_means

import invariscope as inv
from invariscope.cli.main import main

HERE = Path(__file__).parent / "known_networks.py"
QUICK = ["--replicates", "20", "--controls", "1", "--device", "cpu", "--json"]


def write(folder, pixels, labels, classes):
    file = folder / "images.npz"
    np.savez(file, images=np.asarray(pixels), labels=np.asarray(labels), classes=np.array(classes))
    return str(file)


def run(capsys, *tokens):
    assert main(["measure", *tokens, *QUICK]) == 0
    printed = capsys.readouterr().out
    return json.loads(printed)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_rotation_symmetry(seed, tmp_path, capsys):
    images = write(tmp_path, random_images(seed).numpy(), [0, 1] * 5, ["zero", "one"])
    tokens = [f"{HERE}:rotation_symmetric?seed={seed}", images, "--out", str(tmp_path / "run")]
    printed = run(capsys, *tokens, "--magnitudes", "rotation=-90,90,180", "--transformations", "rotation")
    rows = [row for row in printed["layers"] if row["measure"] == "invariance" and row["magnitude"] is not None]
    assert {(row["layer"], row["magnitude"]) for row in rows} == {
        (layer, magnitude) for layer in ("1", "5", "output") for magnitude in (-90, 90, 180)
    }
    assert all(row["mean"] == row["low"] == row["high"] == row["q25"] == 1 for row in rows)
    assert all(row["n_dead"] == 0 for row in rows)
    assert {row["verdict"] for row in printed["verdicts"]} == {"invariance"}
    assert {row["tolerated"] for row in printed["verdicts"]} == {True}
    units = pd.read_parquet(Path(printed["run"]) / "units.parquet").dropna(subset="magnitude")
    assert (units["invariance"] == 1).all()
    assert (units["specialization"] == 0).all()
    network = networks.rotation_symmetric(torch.Generator().manual_seed(seed))
    called = inv.measure(
        network,
        inv.load_images(images),
        transformations={"rotation": [-90, 90, 180]},
        replicates=20,
        controls=1,
        device="cpu",
    )
    pd.testing.assert_frame_equal(called.units, inv.Run(tmp_path / "run").units)


def test_images_of_bytes_agree_to_rounding(tmp_path):
    draw = np.random.Generator(np.random.PCG64(3))
    pixels = draw.integers(0, 256, (10, 9, 9, 3), dtype=np.uint8)
    images = write(tmp_path, pixels, [0, 1] * 5, ["zero", "one"])
    grid = {"rotation": [90]}
    measured = inv.measure(
        f"{HERE}:rotation_symmetric?seed=3", images, transformations=grid, replicates=20, device="cpu"
    )
    assert measured.units["invariance"].dropna().to_numpy() == pytest.approx(1, abs=1e-6)


def test_the_flip_of_a_readout_and_both_sides(tmp_path, capsys):
    """Four dark images flip at 1/32, 2/32, 3/32, 4/32; the bright ones are right up to white."""
    dark = [0.46875 - place / 32 for place in range(4)]
    pixels = with_means([*dark, 0.75, 0.75]).numpy()
    images = write(tmp_path, pixels, [1] * 4 + [0] * 2, ["bright", "dark"])
    printed = run(
        capsys,
        f"{HERE}:brightness_readout",
        images,
        "--out",
        str(tmp_path / "run"),
        "--transformations",
        "brightness",
        "--magnitudes",
        "brightness=-0.109375:0.140625:9",
    )
    assert printed["clean_accuracy"] == 1
    rows = {(row["class"], row["criterion"], row["level"], row["side"]): row for row in printed["thresholds"]}
    half = rows["dark", "accuracy", 0.5, "+"]
    assert half["threshold"] == pytest.approx(1 / 64 + 2 / 32, abs=1e-9)
    assert half["bracket_low"] <= half["threshold"] <= half["bracket_high"]
    assert rows["dark", "first-flip", 0.9, "+"]["threshold"] == pytest.approx(1 / 64 + 0.4 / 32, abs=1e-9)
    for key in [("dark", "accuracy", 0.5, "-"), ("bright", "accuracy", 0.5, "+"), ("bright", "agreement", 0.9, "-")]:
        assert rows[key]["censored"] is True
        assert rows[key]["threshold"] is None
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("name", "verdict", "shares"),
    [
        ("specialized_pairs", "other units", (0, 1, 0)),
        pytest.param("invariant_units", "invariance", (1, 0, 0), marks=pytest.mark.slow),
    ],
)
def test_who_carries_the_tolerance(name, verdict, shares, tmp_path, capsys):
    pixels, labels = two_halves(seed=1)
    images = write(tmp_path, pixels, labels, ["zero", "one"])
    tokens = [f"{HERE}:{name}", images, "--transformations", "inversion", "--magnitudes", "inversion=1"]
    [row] = run(capsys, *tokens, "--out", str(tmp_path / "run"))["verdicts"]
    assert (row["invariant_share"], row["specialized_share"], row["neither_share"]) == shares
    assert row["verdict"] == verdict
    assert row["tolerated"] is True


def test_a_process_of_its_own(tmp_path):
    pixels, labels = two_halves((16, 8))
    images = write(tmp_path, pixels, labels, ["zero", "one"])
    (tmp_path / "seen.txt").write_text("zero\n")
    tokens = ["measure", f"{HERE}:invariant_for_class_0", images, "--transformations", "inversion"]
    more = [
        "--magnitudes",
        "inversion=1",
        "--group-classes",
        str(tmp_path / "seen.txt"),
        "--out",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "invariscope.cli", *tokens, *more, *QUICK], capture_output=True, text=True, check=True
    )
    printed = json.loads(done.stdout)
    means = {
        row["group"]: row["mean"] for row in printed["layers"] if (row["layer"], row["measure"]) == ("4", "invariance")
    }
    assert means == pytest.approx({"all": 5 / 6, "seen": 1, "unseen": 0.5})
    assert "Traceback" not in done.stderr
    assert set(printed) == {
        *("run", "report", "clean_accuracy", "n_images", "n_skipped", "verdicts", "thresholds", "layers"),
        *("warnings", "seconds"),
    }
