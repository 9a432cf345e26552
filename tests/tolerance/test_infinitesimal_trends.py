"""Trends with depth and ratios of sums: by hand, and against scipy."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from invariscope.tolerance.infinitesimal_tables import Layer, Measured, ratios
from invariscope.tolerance.infinitesimal_trends import TRENDS, hidden_places, rank_with_depth, trend_rows

LAYERS = [
    Layer("image", "image", ()),
    Layer("a", "activation", (0,)),
    Layer("b", "activation", (1,)),
    Layer("c", "activation", (1, 2)),
    Layer("output", "output", (3,)),
]


def sums(**columns):
    blank = np.full((1, 5), np.nan)
    given = {name: np.array([values], dtype=float) for name, values in columns.items()}
    return {name: given.get(name, blank) for name in ("change", "spread", "noise", "phase", "inner", "moved", "shared")}


def test_ratios_by_hand():
    found = ratios(
        sums(change=[4, 16, 4, 36, 0], spread=[1, 1, 4, 4, 1], noise=[4, 4, 4, 4, 4], phase=[4, 64, 4, 9, 1]), LAYERS
    )
    assert found["sensitivity"][0].tolist() == [2, 4, 1, 3, 0]
    assert found["relative"][0].tolist() == [1, 2, 0.5, 1.5, 0]
    # The layer c comes after a and b: the root of the mean of 16 and 1.
    assert found["gain"][0][1:].tolist() == pytest.approx([2, 0.25, 3 / np.sqrt(8.5), 0])
    assert np.isnan(found["gain"][0][0])
    assert found["selectivity_noise"][0].tolist() == [1, 2, 1, 3, 0]
    assert found["selectivity_phase"][0].tolist() == [1, 0.5, 1, 2, 0]


def test_what_is_smaller_than_rounding_is_nothing_and_has_no_gain():
    found = ratios(sums(change=[1, 1e-14, 2e-14, 1, 1], spread=[1] * 5, noise=[1] * 5), LAYERS)
    assert found["sensitivity"][0].tolist()[1:3] == [0, 0]
    assert found["gain"][0][1] == 0
    assert np.isnan(found["gain"][0][2])


def test_equivariance_by_hand():
    found = ratios(
        sums(change=[1] * 5, spread=[1] * 5, noise=[1] * 5, inner=[4, 4, 4, 4, 0], moved=[4, 1, 4, 16, 1],
             shared=[4, 2, 0, 8, 0]),
        LAYERS,
    )  # fmt: skip
    assert found["equivariance"][0][:4].tolist() == [1, 0.75, -1, 0]
    assert found["explained"][0][:4].tolist() == [1, 1, 0, 1]
    assert found["change_to_motion"][0][:4].tolist() == [1, 2, 1, 0.5]
    assert np.isnan(found["equivariance"][0][4])


def test_rank_correlations_are_those_of_scipy():
    values = np.random.default_rng(0).normal(size=(20, 7)).round(1)
    expected = [spearmanr(row, np.arange(7)).statistic for row in values]
    assert rank_with_depth(values) == pytest.approx(expected)
    assert np.isnan(rank_with_depth(np.ones((1, 4)))).all()
    assert np.isnan(rank_with_depth(np.array([[1.0, np.nan, 2.0, 3.0]]))).all()
    assert np.isnan(rank_with_depth(np.ones((1, 2)))).all()


def test_trends_look_at_rectifiers_and_say_how_often_the_least_is_inside():
    assert hidden_places(LAYERS) == [1, 2, 3]
    plain = [Layer("image", "image", ()), Layer("x", "module", (0,)), Layer("output", "output", (1,))]
    assert hidden_places(plain) == [1]
    drawn = np.array([[9, 3, 1, 2, 0], [9, 3, 1, 2, 0], [9, 3, 2, 1, 0], [9, 1, 2, 3, 0]], dtype=float)
    measured = Measured("rotation", LAYERS, dict.fromkeys(TRENDS, drawn[0]), dict.fromkeys(TRENDS, drawn))
    rows = trend_rows(measured).set_index("quantity")
    assert rows.loc["relative", "correlation"] == pytest.approx(-0.5)
    assert rows.loc["relative", ["low", "high"]].tolist() == pytest.approx([-1, 1])
    assert rows.loc["relative", "least"] == "b"
    assert rows.loc["relative", "inside"] == 0.5
    assert np.isnan(rows.loc["equivariance", "inside"])
    assert (rows["layers"] == 3).all()
