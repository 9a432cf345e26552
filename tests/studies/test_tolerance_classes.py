"""What the study of tolerance computes of single classes, on answers whose numbers are known."""

import math

import numpy as np
import pandas as pd
import pytest
from known_sweeps import swept, two_way, value

from invariscope.studies.tolerance_classes import chance_row, class_rows, switch_rows, turn_rows, zero_crossing


def test_classes_have_thresholds_and_switches_of_their_own():
    # Class 0 halves at 2 of 4 and is passed at 5/3; class 1 never falls.
    true = np.array([[0.8, 0.9], [0.6, 0.9], [0.4, 0.9], [0.2, 0.9], [0.1, 0.9]])
    table = class_rows(swept(two_way(true, [0, 1]), [0, 1], classes=("cat", "dog"))).set_index("class")
    assert table.loc["cat", "tolerance"] == pytest.approx(2.0)
    assert table.loc["cat", "share"] == pytest.approx(0.5)
    assert table.loc["cat", "switch"] == pytest.approx(1.5)
    assert table.loc["cat", "clean_softmax"] == pytest.approx(0.8)
    assert not table.loc["cat", "censored"]
    assert table.loc["dog", "censored"]
    assert math.isnan(table.loc["dog", "switch"])
    assert table.loc["dog", "share"] == 1
    assert table["recognised"].all()


def test_confident_classes_that_switch_later_correlate():
    random = np.random.Generator(np.random.PCG64(0))
    clean = np.linspace(0.55, 0.95, 12)
    classes = pd.DataFrame(
        {
            "transformation": "gaussian-noise",
            "recognised": True,
            "clean_softmax": clean,
            "switch": [*(clean[:10] / 10), math.nan, math.nan],
        }
    )
    share, r = switch_rows(classes)
    assert share["value"] == pytest.approx(10 / 12)
    assert r["value"] > 0.97
    assert r["low"] > 0.5
    shuffled = switch_rows(classes.assign(clean_softmax=random.permutation(clean)))[1]
    assert shuffled["low"] < 0.3
    assert switch_rows(classes.assign(transformation="rotation")) == []


@pytest.mark.parametrize("different", [True, False])
def test_chance_tells_classes_that_differ_from_classes_that_do_not(different):
    random = np.random.Generator(np.random.PCG64(0))
    labels = np.arange(120) % 6
    at = (labels if different else random.permutation(labels)) + 1 + random.normal(0, 0.3, 120)
    true = np.stack([np.clip(0.9 - 0.45 * magnitude / at, 0.02, 1) for magnitude in range(9)])
    softmax = np.full((9, 120, 6), 0.0)
    softmax[:] = ((1 - true) / 5)[..., None]
    np.put_along_axis(softmax, np.broadcast_to(labels[None, :, None], (9, 120, 1)), true[..., None], 2)
    p = chance_row(swept(softmax, labels))["value"]
    assert (p == pytest.approx(1 / 500)) if different else p > 0.1


def test_classes_of_one_image_cannot_be_told_from_chance():
    assert math.isnan(chance_row(swept(two_way(np.full((2, 2), 0.9), [0, 1]), [0, 1]))["value"])


def test_turns_of_known_symmetry():
    angles = (0.0, 45.0, 90.0, 135.0, 180.0)
    names = ("●", "N", "A", "R")
    curve = {"●": [0.9, 0.88, 0.9, 0.88, 0.9], "N": [0.9, 0.4, 0.2, 0.4, 0.8], "A": [0.9, 0.4, 0.2, 0.1, 0.1]}
    curve["R"] = [0.9, 0.2, 0.1, 0.2, 0.3]
    softmax = np.zeros((5, 8, 4))
    labels = [0, 1, 2, 3] * 2
    for image, label in enumerate(labels):
        own = np.array(curve[names[label]])
        softmax[:, image] = ((1 - own) / 3)[:, None]
        softmax[:, image, label] = own
    rows = turn_rows(swept(softmax, labels, "rotation", angles, classes=names), "●", "N", "A")
    assert value(rows, "span of the softmax", group="disc")["value"] == pytest.approx(0.02, abs=1e-6)
    assert value(rows, "span of the softmax less that of discs")["value"] == pytest.approx(0.78, abs=1e-6)
    back = "softmax at 180 less at 90 degrees"
    assert value(rows, back, group="half turn")["value"] == pytest.approx(0.6, abs=1e-6)
    assert value(rows, back, group="mirror")["value"] == pytest.approx(-0.1, abs=1e-6)
    lost = value(rows, "softmax lost at 45 to 90 degrees", group="none")
    assert lost["value"] == pytest.approx(1 - 0.15 / 0.9, abs=1e-6)
    assert turn_rows(swept(softmax, labels, classes=names), "●", "N", "A") == []


def test_names_of_imagenet_are_found_by_their_first_words():
    softmax = np.full((5, 2, 2), 0.5)
    asked = swept(softmax, [0, 1], "rotation", (0, 45, 90, 135, 180), classes=("Orange, citrus", "pot, flowerpot"))
    groups = {row["group"] for row in turn_rows(asked, ["orange"], [], [])}
    assert groups == {"disc", "none"}


def test_zero_crossings_are_interpolated_between_steps():
    lead = np.array([[0.3, 0.1, -0.3], [0.3, 0.0, 0.1], [-0.1, 0.2, 0.3]])
    found = zero_crossing(lead, np.array([0.0, 1.0, 3.0]))
    assert found[0] == pytest.approx(1.5)
    assert np.isnan(found[1:]).all()
