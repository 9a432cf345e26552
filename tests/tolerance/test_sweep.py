import numpy as np
import pytest
import torch

from invariscope.core.errors import NetworkError
from invariscope.tolerance.outputs import Groups, Sweep, distinct

LOGITS = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]])


def sweep(**changes):
    settings = {
        "name": "rotation",
        "magnitudes": (0.0, 90.0),
        "identity": 0.0,
        "unit_of_measure": "degrees",
        "outputs": LOGITS,
        "labels": torch.tensor([0, 1]),
        "classes": ("cat", "dog", "owl"),
    }
    return Sweep(**(settings | changes))


def test_correctness_and_agreement_by_hand():
    assert sweep().correct.tolist() == [[1, 1], [0, 1]]
    assert sweep(labels=torch.tensor([1, 1])).correct.tolist() == [[0, 1], [1, 1]]
    assert sweep(labels=torch.tensor([1, 1])).agreement.tolist() == [[1, 1], [0, 1]]


def test_softmax_of_the_true_class_by_hand():
    expected = np.exp(2) / (np.exp(2) + 2)
    assert sweep().softmax_true[0, 0] == pytest.approx(expected, rel=1e-6)
    assert sweep().softmax_true[1, 0] == pytest.approx(1 / (np.e + 2), rel=1e-6)


def test_without_labels_classes_are_clean_predictions():
    unlabelled = sweep(labels=None)
    assert unlabelled.correct is None
    assert unlabelled.softmax_true is None
    assert unlabelled.groups.names == ("cat", "dog")


def test_features_agree_by_their_cosine():
    features = torch.tensor([[[1.0, 0.0], [3.0, 4.0]], [[1.0, 1.0], [-3.0, -4.0]]])
    found = sweep(outputs=features, scores=False)
    np.testing.assert_allclose(found.agreement, [[1, 1], [0.5**0.5, -1]])
    assert found.correct is None
    assert sweep(outputs=features, scores=False, labels=None).groups.rows == ("all",)


def test_an_output_of_zeros_agrees_with_nothing():
    features = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
    assert sweep(outputs=features, scores=False).agreement.tolist() == [[0, 1], [0, 0]]


def test_survival_ends_at_the_first_change():
    flips = [0, 1, 0, 0, 0, 1, 0]
    outputs = torch.nn.functional.one_hot(torch.tensor(flips), 2).float()[:, None]
    found = sweep(magnitudes=tuple(map(float, range(-3, 4))), outputs=outputs, labels=None)
    assert found.survival["+"][:, 0].tolist() == [1, 1, 0, 0]
    assert found.survival["-"][:, 0].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_outputs_that_are_not_finite_are_refused(value):
    broken = LOGITS.clone()
    broken[1, 0, 2] = value
    with pytest.raises(NetworkError, match="for 1 of 2 images under rotation of 90; check its weights"):
        sweep(outputs=broken)
    with pytest.raises(NetworkError, match="for 1 of 2 clean images"):
        sweep(outputs=broken.flip(0))


def test_rows_are_the_classes_that_have_images():
    groups = Groups.of(np.array([2, 0, 2]), ("cat", "dog", "owl"))
    assert groups.rows == ("all", "cat", "owl")
    assert groups.counts.tolist() == [3, 1, 2]
    assert [members.tolist() for members in groups.members] == [[0, 1, 2], [1], [0, 2]]
    assert groups.means(np.array([[1.0], [5.0], [3.0]])).tolist() == [[3.0], [5.0], [2.0]]


def test_one_class_is_a_row_of_its_own():
    groups = Groups.of(np.array([4, 4]), None)
    assert groups.rows == ("all", "4")
    assert groups.counts.tolist() == [2, 2]


def test_names_that_repeat_are_told_apart():
    assert distinct(["crane", "all", "crane"]) == ("crane (0)", "all (1)", "crane (2)")
    groups = Groups.of(np.array([0, 2]), ("crane", "dog", "crane"))
    assert groups.rows == ("all", "crane (0)", "crane (2)")
