"""What was predicted for every image: it adds up to the other tables, whatever the order and the batches."""

import errno

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
import torch
from run_world import N_IMAGES, QUICK, contents, measured, small_network, some_images

import invariscope as inv
from invariscope.core.errors import StorageError
from invariscope.runs import plan


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("run") / "run")


def test_outcomes_add_up_to_curves_and_predictions(run):
    every = run.outcomes
    assert every["softmax_true"].dtype == np.float32
    means = every.groupby(["transformation", "magnitude"], observed=True).agg(
        accuracy=("correct", "mean"), softmax_true=("softmax_true", "mean")
    )
    curves = run.curves[run.curves["class"] == "all"].set_index(["transformation", "magnitude"])
    for column in means:
        expected = curves.loc[means.index, column].to_numpy()
        assert means[column].to_numpy(dtype=float) == pytest.approx(expected, abs=1e-6)
    counted = every.astype({"class": str}).groupby(["transformation", "magnitude", "class", "predicted"], observed=True)
    told = run.predictions[run.predictions["class"] != "all"].set_index(
        ["transformation", "magnitude", "class", "predicted"]
    )["n"]
    assert counted.size().to_dict() == told.to_dict()


def test_an_image_is_named_by_its_place_in_the_set(run):
    images = some_images()
    with torch.no_grad():
        clean = small_network().eval()(images.fit(inv.Recipe(channels=0)).batch(torch.arange(N_IMAGES)))
    rows = run.outcomes.query("transformation == 'inversion' and magnitude == 0")
    assert rows["image"].tolist() == list(range(N_IMAGES))
    names = np.array(["red", "green", "blue"])
    assert rows["class"].tolist() == names[images.labels].tolist()
    assert rows["predicted"].tolist() == names[clean.argmax(1).numpy()].tolist()
    true = clean.softmax(1)[torch.arange(N_IMAGES), torch.from_numpy(images.labels)]
    assert rows["softmax_true"].to_numpy() == pytest.approx(true.numpy(), abs=1e-6)


def test_another_seed_and_batch_size_give_the_same_rows(run):
    # Rotation and inversion have no chance in them.
    other = measured(seed=8, batch_size=6)
    here, there = (one.outcomes.query("transformation != 'gaussian-noise'") for one in (run, other))
    pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=1e-5)
    assert not run.outcomes["softmax_true"].equals(other.outcomes["softmax_true"])


def test_without_labels_the_class_is_the_clean_prediction():
    run = inv.measure(small_network(), some_images(labelled=False), transformations={"inversion": [1]}, **QUICK)
    rows = run.outcomes
    assert rows["correct"].isna().all()
    assert rows["softmax_true"].isna().all()
    clean = rows[rows["magnitude"] == 0]
    assert clean["class"].astype(str).tolist() == clean["predicted"].astype(str).tolist()
    assert len(rows) == 2 * N_IMAGES


def test_features_have_no_outcomes(tmp_path):
    features = torch.nn.Sequential(small_network()[0], torch.nn.ReLU())
    run = inv.measure(features, some_images(), out=tmp_path / "run", transformations={"inversion": [1]}, **QUICK)
    assert run.outcomes.empty
    assert not (run.path / "outcomes.parquet").exists()


def test_too_many_rows_are_not_kept_and_it_is_said(monkeypatch):
    monkeypatch.setattr(plan, "MOST_OUTCOMES", 39)
    kept = inv.measure(small_network(), some_images(), transformations={"inversion": [1]}, **QUICK)
    assert kept.outcomes.empty
    assert any("not kept" in warning for warning in kept.info["warnings"])
    assert len(kept.thresholds)


def test_positions_have_outcomes_too(run):
    positions = measured(layers=["5"], units="positions")
    pd.testing.assert_frame_equal(positions.outcomes, run.outcomes, check_exact=False, rtol=1e-5)


def test_a_row_group_per_transformation(run):
    file = parquet.ParquetFile(run.path / "outcomes.parquet")
    assert file.num_row_groups == 3
    one = pd.read_parquet(run.path / "outcomes.parquet", filters=[("transformation", "==", "inversion")])
    assert one["transformation"].astype(str).unique().tolist() == ["inversion"]
    assert len(one) == 2 * N_IMAGES


def test_a_disk_that_fills_while_outcomes_are_joined_loses_nothing(run, tmp_path, monkeypatch):
    original = parquet.ParquetWriter.write_table

    def full(self, table, **settings):
        # pandas names its row groups; the tables of parts are its own.
        if settings:
            return original(self, table, **settings)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parquet.ParquetWriter, "write_table", full)
    with pytest.raises(StorageError, match="disk is full"):
        measured(tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()
    monkeypatch.undo()
    measured(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(run.path)
