import time

import numpy as np
import pandas as pd
import pytest
import torch

from invariscope.core.errors import SettingError
from invariscope.tolerance.crossing import first_fall
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.thresholds import thresholds

MAGNITUDES = (-20.0, -10.0, 0.0, 10.0, 20.0, 40.0)


def from_flips(correct, magnitudes=MAGNITUDES, identity=0.0, name="rotation", **settings):
    """A sweep of two classes whose prediction is class 0, the true one, where `correct` (magnitude, image) says so."""
    right = torch.as_tensor(correct)
    outputs = torch.stack([right.float(), 1.0 - right.float()], dim=-1) * 4
    labels = settings.pop("labels", torch.zeros(right.shape[1], dtype=torch.int64))
    return Sweep(name, magnitudes, identity, "degrees", outputs, labels, ("cat", "dog"), **settings)


def counts(*numbers, n_images=10):
    """The first so many images are right, per magnitude."""
    return np.array([[image < number for image in range(n_images)] for number in numbers])


def row(table, criterion="accuracy", level=0.5, side="+", name="all"):
    mine = (table.criterion == criterion) & (table.level == level) & (table.side == side) & (table["class"] == name)
    assert mine.sum() == 1
    return table[mine].iloc[0]


def test_columns_and_order():
    table = thresholds(from_flips(counts(5, 10, 10, 10, 5, 0)))
    assert table.columns.tolist() == [
        *("transformation", "class", "criterion", "level", "side", "threshold", "low", "high"),
        *("bracket_low", "bracket_high", "censored", "reentries", "n"),
    ]
    assert table["class"].unique().tolist() == ["all", "cat"]
    assert table.criterion.unique().tolist() == ["accuracy", "agreement", "softmax", "first-flip"]
    assert len(table) == 2 * 4 * 2 * 2
    assert table.n.eq(10).all()
    assert table.censored.dtype == bool


def test_both_sides_by_hand():
    table = thresholds(from_flips(counts(0, 8, 10, 8, 4, 0)))
    up, down = row(table), row(table, side="-")
    assert (up.threshold, up.bracket_low, up.bracket_high) == pytest.approx((17.5, 10, 20))
    assert (down.threshold, down.bracket_low, down.bracket_high) == pytest.approx((-13.75, -20, -10))
    assert up.low <= up.threshold <= up.high
    assert down.low <= down.threshold <= down.high < 0


def test_around_an_identity_of_one():
    sweep = from_flips(counts(0, 10, 10, 0), magnitudes=(0.5, 0.9, 1.0, 2.0), identity=1.0, name="zoom")
    table = thresholds(sweep)
    assert row(table).threshold == pytest.approx(1.5)
    assert row(table, side="-").threshold == pytest.approx(0.7)
    assert (row(table, side="-").bracket_low, row(table, side="-").bracket_high) == (0.5, 0.9)


def test_a_side_without_magnitudes_has_no_rows():
    table = thresholds(from_flips(counts(10, 5, 0), magnitudes=(0.0, 1.0, 2.0)))
    assert table.side.unique().tolist() == ["+"]
    only = thresholds(from_flips(counts(10), magnitudes=(0.0,)))
    assert only.empty
    assert only.dtypes.astype(str).to_dict() == table.dtypes.astype(str).to_dict()


def test_never_reached_is_censored():
    found = row(thresholds(from_flips(counts(10, 10, 10, 10, 9, 6))))
    assert bool(found.censored)
    assert np.isnan([found.threshold, found.bracket_high, found.high]).all()
    assert found.bracket_low == 40
    below = row(thresholds(from_flips(counts(10, 10, 10, 10, 9, 6))), side="-")
    assert below.bracket_high == -20
    assert np.isnan([below.bracket_low, below.low, below.high]).all()


def test_an_interval_may_end_beyond_the_grid():
    found = row(thresholds(from_flips(counts(10, 10, 10, 10, 8, 5))), level=0.5)
    assert bool(found.censored)
    assert 20 <= found.low < 40
    assert np.isnan(found.high)


def test_a_clean_value_of_zero_is_unknown_and_not_censored():
    found = row(thresholds(from_flips(counts(0, 0, 0, 5, 0, 0))))
    assert np.isnan([found.threshold, found.low, found.high, found.bracket_low, found.bracket_high]).all()
    assert not found.censored


def test_accuracy_that_rises_again_is_counted():
    sweep = from_flips(counts(10, 10, 2, 2, 9, 1, 10), magnitudes=(-10.0, 0.0, 45.0, 90.0, 135.0, 150.0, 180.0))
    table = thresholds(sweep)
    assert row(table).reentries == 2
    assert row(table, level=0.9).reentries == 2
    assert row(table, side="-").reentries == 0


def test_first_flip_by_hand():
    # image 0 flips at 10, image 1 at 20 (and comes back), image 2 at 40, image 3 never
    correct = np.array([[1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1], [0, 1, 0, 1]], dtype=bool)
    sweep = from_flips(correct, magnitudes=(0.0, 10.0, 20.0, 40.0))
    table = thresholds(sweep)
    # survival 1, .75, .5, .25: below .5 beyond 20, below .9 at 10 · .1/.25
    assert row(table, "first-flip").threshold == pytest.approx(20)
    assert row(table, "first-flip", 0.9).threshold == pytest.approx(4)
    # accuracy 1, .75, .75, .5 never falls below half
    assert bool(row(table).censored)
    assert not row(table, "first-flip").reentries


def test_softmax_falls_where_its_mean_does():
    logits = torch.tensor([[[0.0, 0.0]], [[0.0, np.log(3.0)]], [[0.0, np.log(9.0)]]]).float()
    sweep = Sweep("hue", (0.0, 30.0, 60.0), 0.0, "degrees", logits, torch.tensor([0]), ("cat", "dog"))
    # softmax of the true class: 1/2, 1/4, 1/10
    assert row(thresholds(sweep), "softmax").threshold == pytest.approx(30, rel=1e-5)
    assert row(thresholds(sweep), "softmax", 0.9).threshold == pytest.approx(30 * 0.05 / 0.25, rel=1e-5)


def test_a_readout_with_a_flip_in_closed_form():
    # logit of class 0 is 1 − v/f for an image whose decision flips at v = f
    flips = torch.linspace(5, 35, 301)
    grid = torch.arange(0.0, 41.0)
    outputs = torch.stack([1 - grid[:, None] / flips, torch.zeros(41, 301)], dim=-1)
    sweep = Sweep("gain", tuple(grid.tolist()), 0.0, "x", outputs, torch.zeros(301, dtype=torch.int64))
    table = thresholds(sweep)
    # a tenth of the flips lies below 8, half below 20
    for criterion in ("accuracy", "agreement", "first-flip"):
        assert row(table, criterion, 0.9).threshold == pytest.approx(8, abs=0.55)
        assert row(table, criterion, 0.5).threshold == pytest.approx(20, abs=0.55)
    found = row(table, level=0.5)
    # the sampling interval of the median of 301 uniform flips: ±1.96 · 30/(2√301)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 15 / 301**0.5, rel=0.2)


def test_intervals_equal_brute_force():
    generator = np.random.default_rng(0)
    correct = generator.random((4, 40)) < np.array([1.0, 0.8, 0.5, 0.2])[:, None]
    labels = torch.zeros(40, dtype=torch.int64)
    sweep = from_flips(correct, magnitudes=(0.0, 10.0, 20.0, 40.0), labels=labels)
    found = row(thresholds(sweep, replicates=400, seed=9))
    picks = np.random.Generator(np.random.PCG64(9)).integers(0, 40, (400, 40))
    falls = np.sort([first_fall(correct[:, p].mean(axis=1), np.array([0.0, 10, 20, 40]), 0.5).item() for p in picks])
    low, high = falls[int(0.025 * 399)], falls[int(np.ceil(0.975 * 399))]
    assert (found.low, found.high) == pytest.approx((low, high if np.isfinite(high) else np.nan), nan_ok=True)


def test_the_order_of_the_images_changes_no_threshold():
    generator = np.random.default_rng(0)
    correct = generator.random((6, 80)) < np.array([0.2, 0.8, 1.0, 0.8, 0.5, 0.1])[:, None]
    labels = torch.zeros(80, dtype=torch.int64)
    order = generator.permutation(80)
    first = thresholds(from_flips(correct, labels=labels))
    second = thresholds(from_flips(correct[:, order], labels=labels[order]))
    exact = ["class", "criterion", "level", "side", "bracket_low", "bracket_high", "censored", "reentries", "n"]
    pd.testing.assert_frame_equal(first[exact], second[exact])
    np.testing.assert_allclose(first.threshold, second.threshold)
    np.testing.assert_allclose(first.low, second.low, atol=2.5)


def test_classes_have_their_own_thresholds():
    outputs = torch.zeros(3, 4, 2)
    outputs[:, :2, 0] = torch.tensor([4.0, 4.0, 4.0])[:, None]
    outputs[:, 2:, 1] = torch.tensor([4.0, -4.0, -4.0])[:, None]
    sweep = Sweep("hue", (0.0, 30.0, 60.0), 0.0, "degrees", outputs, torch.tensor([0, 0, 1, 1]), ("cat", "dog"))
    table = thresholds(sweep)
    assert bool(row(table, name="cat").censored)
    assert row(table, name="dog").threshold == pytest.approx(15)


def test_without_labels_only_agreement_and_first_flip():
    table = thresholds(from_flips(counts(0, 8, 10, 8, 4, 0), labels=None))
    assert table.criterion.unique().tolist() == ["agreement", "first-flip"]
    assert row(table, "agreement").threshold == pytest.approx(17.5)


def test_features_only_have_their_cosine():
    outputs = torch.tensor([[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2])
    table = thresholds(Sweep("hue", (0.0, 60.0), 0.0, "degrees", outputs, scores=False))
    assert table.criterion.unique().tolist() == ["agreement"]
    assert row(table, "agreement").threshold == pytest.approx(30)


def test_one_image_has_a_threshold_without_interval():
    found = row(thresholds(from_flips(counts(0, 1, 1, 1, 0, 0, n_images=1))))
    assert found.threshold == pytest.approx(15)
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("level", [0.0, -0.5, 1.5, float("nan")])
def test_a_level_is_a_share(level):
    with pytest.raises(SettingError, match="above 0 and at most 1; got"):
        thresholds(from_flips(counts(10, 10, 10, 5, 0, 0)), levels=[level])


@pytest.mark.parametrize(("n_classes", "seconds"), [(10, 1.0), (1000, 4.0)])
def test_all_tables_of_a_thousand_images_are_quick(n_classes, seconds):
    from invariscope.tolerance.curves import curves
    from invariscope.tolerance.predictions import predictions
    from invariscope.tolerance.softmax import softmax_table

    outputs = torch.randn(10, 1000, n_classes)
    labels = torch.arange(1000) % n_classes
    start = time.process_time()
    sweep = Sweep("gain", tuple(map(float, range(10))), 4.0, "x", outputs, labels)
    for make in (curves, thresholds, softmax_table, predictions):
        make(sweep)
    assert time.process_time() - start < seconds
