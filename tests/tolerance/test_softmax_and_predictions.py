import numpy as np
import pytest
import torch

from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.predictions import predictions
from invariscope.tolerance.softmax import softmax_table

NAMES = ("ant", "bee", "cat", "dog", "elk")


def sweep(labels=True, scores=True, n_outputs=5, names=NAMES):
    outputs = torch.randn(3, 40, n_outputs, generator=torch.Generator().manual_seed(2)) * 3
    truth = torch.arange(40) % n_outputs if labels else None
    return Sweep("hue", (-30.0, 0.0, 60.0), 0.0, "degrees", outputs, truth, names, scores)


def test_top_three_and_the_largest_other():
    found = softmax_table(sweep())
    one = sweep()
    means = torch.softmax(one.outputs.double(), -1)[:, one.labels == 2].mean(1).numpy()
    best = np.argsort(-means.max(axis=0))
    for place, magnitude in enumerate(one.magnitudes):
        mine = found[(found["class"] == "cat") & (found.magnitude == magnitude)]
        assert mine.predicted.tolist() == [NAMES[k] for k in best[:3]] + ["others"]
        expected = [*means[place, best[:3]], means[place, best[3:]].max()]
        assert mine.softmax.tolist() == pytest.approx(expected, rel=1e-5)


def test_rows_and_columns():
    found = softmax_table(sweep())
    assert found.columns.tolist() == ["transformation", "magnitude", "class", "predicted", "softmax"]
    assert found["class"].unique().tolist() == ["all", *NAMES]
    assert len(found) == 3 * 6 * 4


def test_few_outputs_leave_no_others():
    found = softmax_table(sweep(n_outputs=2, names=("ant", "bee")))
    assert set(found.predicted) == {"ant", "bee"}
    assert found.groupby(["magnitude", "class"]).softmax.sum().tolist() == pytest.approx([1.0] * 9)


def test_all_is_the_mean_over_images():
    found = softmax_table(sweep(), top=5).query("`class` == 'all' and magnitude == 60").set_index("predicted")
    expected = torch.softmax(sweep().outputs[2].double(), -1).mean(0)
    assert [found.softmax[name] for name in NAMES] == pytest.approx(expected.tolist(), rel=1e-5)


def test_predictions_by_brute_force():
    one, found = sweep(), predictions(sweep())
    assert found.columns.tolist() == ["transformation", "magnitude", "class", "predicted", "n"]
    assert (found.n > 0).all()
    for place, magnitude in enumerate(one.magnitudes):
        for value, name in enumerate(NAMES):
            mine = found[(found["class"] == name) & (found.magnitude == magnitude)]
            expected = torch.bincount(one.outputs[place][one.labels == value].argmax(1), minlength=5).tolist()
            assert dict(zip(mine.predicted, mine.n, strict=True)) == {NAMES[k]: n for k, n in enumerate(expected) if n}
    assert found[found["class"] == "all"].groupby("magnitude").n.sum().tolist() == [40, 40, 40]


def test_without_labels_clean_images_are_predicted_as_their_own_class():
    found = predictions(sweep(labels=False)).query("magnitude == 0 and `class` != 'all'")
    assert (found["class"] == found.predicted).all()


def test_without_scores_both_are_empty():
    for make in (softmax_table, predictions):
        found = make(sweep(labels=False, scores=False))
        assert found.empty
        assert found.dtypes.astype(str).to_dict() == make(sweep()).dtypes.astype(str).to_dict()


def test_outputs_without_names_are_numbers():
    assert set(predictions(sweep(names=None))["class"]) == {"all", "0", "1", "2", "3", "4"}
