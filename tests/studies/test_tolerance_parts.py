"""What the study of tolerance computes of one transformation, on answers whose numbers are known."""

import math

import numpy as np
import pandas as pd
import pytest
from known_sweeps import swept, two_way, value
from scipy.stats import spearmanr

from invariscope.studies.tolerance_grids import PAPER, grid_of
from invariscope.studies.tolerance_pairs import ACROSS, GAP, TOGETHER, pair_rows
from invariscope.studies.tolerance_ranks import rank_correlation
from invariscope.studies.tolerance_softmax import OTHERS, TRUE, extreme_classes, shown_rows, softmax_rows, with_truth
from invariscope.studies.tolerance_spread import MORE, changes_at_thresholds, spread_rows
from invariscope.studies.tolerance_sweeps import replicate_rows, sweep_rows
from invariscope.transformations.base import TRANSFORMATIONS


@pytest.fixture
def falling():
    """Ten images that are lost one after the other: accuracy 1, 0.9, …, 0 at magnitudes 0, 1, …, 10."""
    labels = [0, 1] * 5
    true = np.array([[0.8 if image >= magnitude else 0.2 for image in range(10)] for magnitude in range(11)])
    return swept(two_way(true, labels), labels)


def test_thresholds_are_where_the_accuracy_is_read_off(falling):
    rows = sweep_rows(falling)
    assert value(rows, "threshold", level=0.9)["value"] == pytest.approx(1.0)
    half = value(rows, "threshold", level=0.5)
    assert half["value"] == pytest.approx(5.0)
    assert half["low"] < 5 < half["high"]
    assert value(rows, "change at the threshold", level=0.5)["value"] == pytest.approx(0.5)
    assert value(rows, "accuracy at the end")["value"] == 0
    assert value(rows, "below half of the clean accuracy at the end")["value"] == pytest.approx(0.5)
    # Halfway to 1 the accuracy is 0.95, by interpolation.
    assert value(rows, "lost halfway to the threshold")["value"] == pytest.approx(0.05)


def test_what_never_falls_has_no_threshold_and_a_plateau_to_the_end():
    steady = swept(two_way(np.full((3, 6), 0.9), [0, 1] * 3), [0, 1] * 3)
    rows = sweep_rows(steady)
    for level in (0.9, 0.5):
        row = value(rows, "threshold", level=level)
        assert all(math.isnan(row[name]) for name in ("value", "low", "high"))
        assert math.isnan(value(rows, "change at the threshold", level=level)["value"])
    lost = value(rows, "lost halfway to the threshold")
    assert (lost["value"], lost["low"], lost["high"]) == (0, 0, 0)
    assert value(rows, "below half of the clean accuracy at the end")["value"] == -0.5


def test_both_sides_of_the_identity_are_apart():
    true = np.array([[0.1] * 4, [0.9] * 4, [0.9] * 4, [0.1] * 4])
    turned = swept(two_way(true, [0, 1] * 2), [0, 1] * 2, "zoom", (0.5, 0.75, 1.0, 2.0), 1.0)
    rows = sweep_rows(turned)
    below, above = (value(rows, "threshold", side=side, level=0.5) for side in "-+")
    assert below["value"] == pytest.approx(0.75 - 0.125)
    assert above["value"] == pytest.approx(1.5)
    assert below["low"] <= below["value"] <= below["high"]


def test_replicates_draw_the_same_images_for_networks_that_see_the_same(falling):
    other = swept(np.flip(falling.sweep.outputs.exp().numpy(), 2).copy(), [1, 0] * 5)
    assert np.array_equal(falling.drawn, other.drawn)
    table = replicate_rows(falling)
    assert len(table) == 200 * 11
    assert table.groupby("magnitude")["accuracy"].mean()[5.0] == pytest.approx(0.5, abs=0.05)


def test_a_transformation_that_changes_nothing_is_idle(falling):
    assert not falling.idle
    assert swept(falling.sweep.outputs.exp().numpy(), [0, 1] * 5, change=np.zeros(11)).idle


def test_rank_correlation_is_spearmans_and_stands_infinities():
    random = np.random.Generator(np.random.PCG64(1))
    x = random.normal(size=40)
    y = x + random.normal(size=40)
    r, low, high = rank_correlation(x, y)
    assert r == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    assert low < r < high
    assert rank_correlation(np.exp(x), y**3)[0] == pytest.approx(r)
    assert rank_correlation(x, np.where(y > 1, np.inf, y))[0] == pytest.approx(
        spearmanr(x, np.where(y > 1, 99.0, y)).statistic, abs=1e-9
    )
    shuffle = random.permutation(40)
    assert rank_correlation(x[shuffle], y[shuffle])[0] == pytest.approx(r)
    assert math.isnan(rank_correlation(x[:4], y[:4])[0])
    assert math.isnan(rank_correlation(np.ones(9), y[:9])[0])


def test_ranks_within_sides_do_not_see_how_the_sides_differ():
    x = np.arange(10.0)
    side = np.repeat([0, 1], 5)
    far = np.concatenate([x[:5], 100 - x[5:]])
    both, *_ = rank_correlation(x, far, within=side)
    assert both == pytest.approx(0.0, abs=1e-9)
    # Members drawn together make the interval wider than rows drawn one by one.
    noisy = np.concatenate([x[:5], x[:5]]) + np.tile(np.array([0, 0.5, 2.5, -1, 1]), 2)
    twice = rank_correlation(np.tile(x[:5], 2), noisy, members=np.tile(np.arange(5), 2))
    alone = rank_correlation(np.tile(x[:5], 2), noisy)
    assert twice[0] == pytest.approx(alone[0])
    assert twice[2] - twice[1] > alone[2] - alone[1]


def test_spread_compares_pixels_and_not_magnitudes(falling):
    gentle = changes_at_thresholds(falling)
    strong = changes_at_thresholds(swept(falling.sweep.outputs.exp().numpy(), [0, 1] * 5, change=np.arange(11) / 2.5))
    (row,) = spread_rows({"gaussian-noise": gentle, "rotation": strong}, 10)
    assert row["value"] == pytest.approx(0.75)
    assert row["low"] == pytest.approx(0.75)
    rows = spread_rows({"gain": gentle, "rotation": strong, "hue": gentle}, 10)
    assert rows[-1]["quantity"] == MORE
    assert rows[-1]["value"] == pytest.approx(0.4 - 0.1)
    assert [row["quantity"] for row in spread_rows({"gain": gentle, "rotation": strong}, 10)] == [
        "spread of thresholds"
    ]


def test_softmax_curves_have_intervals_for_named_classes_only():
    random = np.random.Generator(np.random.PCG64(0))
    logits = random.normal(size=(3, 30, 6))
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    table = softmax_rows(swept(softmax, np.arange(30) % 6))
    named = table[table["predicted"] != OTHERS]
    assert ((named["low"] < named["softmax"]) & (named["softmax"] < named["high"])).all()
    assert table.loc[table["predicted"] == OTHERS, "low"].isna().all()
    assert table.groupby(["class", "magnitude"]).size().eq(4).all()
    assert table.loc[table["class"] == "0", "n"].eq(5).all()


def test_networks_share_colours_and_the_rest_is_the_maximum_of_all_others():
    rows = [
        {"network": network, "seed": seed, "transformation": "zoom", "class": "a", "magnitude": m}
        | {"predicted": name, "softmax": height, "low": height, "high": height}
        for seed in (0, 1)
        for network, names in (("A", "abc"), ("B", "def"))
        for m in (1.0, 2.0)
        for name, height in [*((each, 0.5 - 0.05 * ord(each) + 5) for each in names), (OTHERS, 0.01)]
    ]
    shown = shown_rows(pd.DataFrame(rows), ["a"], ["zoom"])
    assert set(shown["seed"]) == {0}
    assert list(dict.fromkeys(shown["predicted"])) == ["a", "b", "c", "d", "e", OTHERS]
    # "f" is the lowest peak: it joins the others of B, where it is the maximum.
    rest = shown[shown["predicted"] == OTHERS].set_index(["network", "magnitude"])["softmax"]
    assert rest["A", 1.0] == 0.01
    assert rest["B", 2.0] == pytest.approx(0.5 - 0.05 * ord("f") + 5)


def test_the_own_class_of_all_images_is_drawn_beside_what_they_drift_to():
    curves = pd.DataFrame({"class": ["all", "a"], "seed": 0, "transformation": "zoom", "magnitude": 1.0, "n": 9})
    curves = curves.assign(network="A", softmax_true=[0.7, 0.2], softmax_true_low=0.6, softmax_true_high=0.8)
    shown = pd.DataFrame({"class": ["all"], "seed": [0], "transformation": ["zoom"], "magnitude": [1.0], "n": [9]})
    both = with_truth(shown.assign(network="A", predicted="x", softmax=0.1, low=0.0, high=0.2), curves)
    assert both["predicted"].tolist() == [TRUE, "x"]
    assert both["softmax"].tolist() == [0.7, 0.1]
    assert both["low"].tolist() == [0.6, 0.0]


def test_extreme_classes_are_recognised_by_every_network():
    rows = pd.DataFrame(
        {
            "network": ["A", "A", "A", "B", "B", "B"],
            "class": ["x", "y", "z"] * 2,
            "share": [0.1, 0.2, 0.9, 0.1, 0.2, 0.9],
            "recognised": [True, True, True, False, True, True],
        }
    )
    assert extreme_classes(rows) == ["y", "z"]
    assert extreme_classes(pd.DataFrame()) == []


def pair_tables(second_scale=1.0):
    """Two networks with straight curves; the second falls `second_scale` times as fast."""
    random = np.random.Generator(np.random.PCG64(0))
    tolerances = random.uniform(0.1, 0.9, 20)
    curves, classes, rows = [], [], []
    for network, scale in (("A", 1.0), ("B", second_scale)):
        for m in (0.0, 1.0, 2.0):
            accuracy = 0.8 * (1 - scale * m / 4) if network == "B" else 0.5 * (1 - m / 4)
            curves.append({"network": network, "magnitude": m, "accuracy": accuracy, "identity": m == 0})
        for place, share in enumerate(tolerances):
            classes.append({"network": network, "class": str(place), "share": share, "recognised": True})
        for place, name in enumerate(PAPER):
            change = {"quantity": "change at the threshold", "level": 0.9, "value": place / 10}
            rows.append({"network": network, "transformation": name, "side": "+", **change})
    shared = {"seed": 0, "transformation": "zoom", "side": "+", "class": "all", "n": 40}
    return {
        "networks": pd.DataFrame({"network": ["A", "B"], "seed": 0}),
        "curves": pd.DataFrame([shared | row for row in curves]),
        "classes": pd.DataFrame([shared | row for row in classes]),
    }, pd.DataFrame([shared | row for row in rows])


def test_curves_are_compared_in_parts_of_their_clean_accuracy():
    tables, rows = pair_tables()
    found = pair_rows(tables, rows)
    assert value(found, GAP)["value"] == pytest.approx(0.0)
    assert (value(found, GAP)["network"], value(found, GAP)["other"]) == ("A", "B")
    assert value(found, TOGETHER)["value"] == pytest.approx(1.0)
    assert value(found, ACROSS)["value"] == pytest.approx(1.0)
    steeper, rows = pair_tables(1.5)
    assert value(pair_rows(steeper, rows), GAP)["value"] == pytest.approx(0.25)


def test_loaded_networks_are_compared_on_the_same_drawn_images():
    tables, rows = pair_tables(1.5)
    random = np.random.Generator(np.random.PCG64(0))
    drawn = []
    for network, scale, clean in (("A", 1.0, 0.5), ("B", 1.5, 0.8)):
        for replicate in range(50):
            level = clean + 0.02 * random.normal()
            drawn += [
                {"network": network, "replicate": replicate, "magnitude": m, "accuracy": level * (1 - scale * m / 4)}
                for m in (0.0, 1.0, 2.0)
            ]
    tables["replicates"] = pd.DataFrame([{"seed": 0, "transformation": "zoom"} | row for row in drawn])
    gap = value(pair_rows(tables, rows), GAP)
    # Both levels vary, the gap in parts of the clean accuracy does not.
    assert gap["low"] == pytest.approx(0.25)
    assert gap["high"] == pytest.approx(0.25)


@pytest.mark.parametrize("name", [*PAPER, "hue", "shear"])
@pytest.mark.parametrize("size", [(16, 16), (224, 224)])
def test_grids_have_the_identity_and_stay_within_limits(name, size):
    transformation = TRANSFORMATIONS[name]()
    grid = grid_of(transformation, *size)
    assert transformation.identity in grid
    assert list(grid) == sorted(set(grid))
    transformation.check_magnitudes(grid, size)
    assert len(grid) >= 5
