import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from invariscope.tolerance.curves import curves
from invariscope.tolerance.outputs import Sweep


def random_sweep(n_images=60, n_classes=3, labels=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    truth = torch.arange(n_images) % n_classes
    magnitudes = (0.0, 15.0, 30.0, 90.0)
    clean = 3.0 * torch.nn.functional.one_hot(truth, n_classes)
    noise = torch.randn(4, n_images, n_classes, generator=generator)
    outputs = clean + noise * torch.tensor([0.5, 1.0, 3.0, 9.0])[:, None, None]
    names = tuple("abcdefgh"[:n_classes])
    return Sweep("rotation", magnitudes, 0.0, "degrees", outputs, truth if labels else None, names)


def test_columns_and_order():
    table = curves(random_sweep())
    assert table.columns.tolist() == [
        *("transformation", "magnitude", "unit_of_measure", "class", "n"),
        *("accuracy", "accuracy_low", "accuracy_high"),
        *("agreement", "agreement_low", "agreement_high"),
        *("softmax_true", "softmax_true_low", "softmax_true_high"),
    ]
    assert table["class"].tolist() == ["all", "a", "b", "c"] * 4
    assert table.magnitude.tolist() == [m for m in (0.0, 15.0, 30.0, 90.0) for _ in range(4)]
    assert table.n.tolist() == [60, 20, 20, 20] * 4


def test_values_by_brute_force():
    sweep = random_sweep()
    table = curves(sweep).set_index(["magnitude", "class"])
    for place, magnitude in enumerate(sweep.magnitudes):
        logits = sweep.outputs[place]
        for value, name in enumerate("abc"):
            mine = sweep.labels == value
            right = (logits[mine].argmax(1) == value).double().mean().item()
            same = (logits[mine].argmax(1) == sweep.outputs[0][mine].argmax(1)).double().mean().item()
            softmax = torch.softmax(logits[mine].double(), 1)[:, value].mean().item()
            row = table.loc[(magnitude, name)]
            assert (row.accuracy, row.agreement) == pytest.approx((right, same))
            assert row.softmax_true == pytest.approx(softmax, rel=1e-5)


def test_shares_have_wilson_intervals():
    table = curves(random_sweep())
    for row in table.itertuples():
        expected = binomtest(round(row.accuracy * row.n), row.n).proportion_ci(method="wilson")
        assert (row.accuracy_low, row.accuracy_high) == pytest.approx((expected.low, expected.high), abs=1e-9)
        if row.magnitude != 0:
            expected = binomtest(round(row.agreement * row.n), row.n).proportion_ci(method="wilson")
            assert (row.agreement_low, row.agreement_high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_clean_outputs_agree_with_themselves_by_definition():
    clean = curves(random_sweep()).query("magnitude == 0")
    assert (clean[["agreement", "agreement_low", "agreement_high"]] == 1).all(axis=None)


def test_softmax_interval_is_that_of_a_bootstrap():
    sweep = random_sweep(n_images=400, n_classes=2)
    row = curves(sweep, replicates=2000).query("magnitude == 30 and `class` == 'all'").iloc[0]
    half = 1.96 * sweep.softmax_true[2].std() / 20
    assert row.softmax_true - row.softmax_true_low == pytest.approx(half, rel=0.15)
    assert row.softmax_true_high - row.softmax_true == pytest.approx(half, rel=0.15)


def test_the_order_of_the_images_changes_no_value():
    sweep = random_sweep()
    order = torch.randperm(60)
    mixed = Sweep(
        "rotation", sweep.magnitudes, 0.0, "degrees", sweep.outputs[:, order], sweep.labels[order], sweep.classes
    )
    values = ["accuracy", "accuracy_low", "accuracy_high", "agreement", "softmax_true"]
    np.testing.assert_allclose(curves(mixed)[values], curves(sweep)[values])
    np.testing.assert_allclose(curves(mixed).softmax_true_low, curves(sweep).softmax_true_low, atol=0.03)


def test_without_labels_agreement_is_left():
    table = curves(random_sweep(labels=False))
    assert table[["accuracy", "accuracy_low", "softmax_true", "softmax_true_high"]].isna().all(axis=None)
    assert table[["agreement", "agreement_low", "agreement_high"]].notna().all(axis=None)


def test_features_have_their_mean_cosine():
    outputs = torch.tensor([[[1.0, 0.0]] * 3, [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])
    table = curves(Sweep("hue", (0.0, 180.0), 0.0, "degrees", outputs, scores=False))
    assert table["class"].tolist() == ["all", "all"]
    assert table.agreement.tolist() == pytest.approx([1, (1 + 0 + 0.5**0.5) / 3])
    assert 0 <= table.agreement_low[1] < table.agreement[1] < table.agreement_high[1] <= 1
    assert table.accuracy.isna().all()


def test_one_image_of_one_class():
    outputs = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    table = curves(Sweep("hue", (0.0, 180.0), 0.0, "degrees", outputs, torch.tensor([0])))
    assert table["class"].tolist() == ["all", "0"] * 2
    assert table.accuracy.tolist() == [1, 1, 0, 0]
    assert table.softmax_true_low.isna().all()
    assert table.accuracy_low.notna().all()


def test_the_same_seed_gives_the_same_table():
    first, again, other = (curves(random_sweep(), seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.softmax_true_low.equals(other.softmax_true_low)
