"""Numbers that a reader can check by hand."""

import math

import numpy as np
import pytest
import torch

from invariscope.core.errors import SettingError, ShapeError
from invariscope.measures.functions import (
    active_fraction,
    correlation,
    dynamic_range,
    goodfellow,
    invariance_coefficient,
    normalized_variance,
    specialization,
)
from invariscope.measures.negative import without_negative


def column(*values):
    return np.array(values, dtype=np.float64)[:, None]


@pytest.mark.parametrize(
    ("clean", "moved", "expected"), [(0.7, 0.7, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.4, 0.8, 2 / 3)]
)
def test_one_image(clean, moved, expected):
    assert invariance_coefficient(column(clean), column(moved)).item() == pytest.approx(expected, abs=1e-15)


def test_the_coefficient_is_a_mean_over_active_images_only():
    # Peak 1, τ 0.1: the third image drives the unit neither way, the fourth only transformed.
    clean, moved = column(1.0, 0.5, 0.05, 0.0), column(1.0, 0.25, 0.01, 0.2)
    assert invariance_coefficient(clean, moved).item() == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert specialization(clean, moved).item() == pytest.approx((0 - 1 / 3 + 1) / 3)
    assert active_fraction(clean, moved).item() == 0.75


def test_a_response_of_exactly_tau_is_not_active():
    for dtype in (np.float32, np.float64):
        clean = column(30, 3, 3.0001).astype(dtype)
        assert active_fraction(clean, clean).item() == pytest.approx(2 / 3)


def test_the_peak_counts_the_transformed_responses_too():
    # 0.5 is active against a clean peak of 1, and is not against a peak of 10.
    assert active_fraction(column(1.0, 0.5), column(1.0, 0.5)).item() == 1
    assert active_fraction(column(1.0, 0.5), column(10.0, 0.5)).item() == 0.5


def test_preferring_the_transformed_version_is_positive():
    assert specialization(column(0.0), column(3.0)).item() == 1
    assert specialization(column(3.0), column(0.0)).item() == -1


def test_a_dead_unit_is_unknown_not_invariant():
    silent = np.zeros((5, 1))
    assert np.isnan(invariance_coefficient(silent, silent))
    assert np.isnan(specialization(silent, silent))
    assert np.isnan(correlation(silent, silent))
    assert np.isnan(goodfellow(silent, silent)["local"])
    assert np.isnan(normalized_variance(np.zeros((3, 5, 1)))["normalized_variance"])
    assert active_fraction(silent, silent).item() == 0
    assert dynamic_range(silent).item() == 0


def test_goodfellow_by_hand():
    # Eight of ten images fire at a threshold of 2; after the transformation three of those, and one that did not.
    clean = column(*range(1, 11))
    moved = column(9, 0, 3, 4, 5, 0, 0, 0, 0, 0)
    found = goodfellow(clean, moved, firing=0.8)
    assert found["global"].item() == pytest.approx(0.8)
    assert found["local"].item() == pytest.approx(3 / 8)
    assert found["local_unconditioned"].item() == pytest.approx(0.4)


def test_the_conditioned_form_tells_chance_from_invariance():
    # Fires as often after as before, on other images altogether.
    clean = column(*([1.0] * 5 + [0.0] * 5))
    found = goodfellow(clean, clean[::-1].copy(), firing=0.6)
    assert found["global"].item() == found["local_unconditioned"].item() == 0.5
    assert found["local"].item() == 0


def test_variances_by_hand():
    responses = np.array([[[0.0], [2.0]], [[2.0], [6.0]]])
    found = normalized_variance(responses)
    between_magnitudes = (math.sqrt(2) + math.sqrt(8)) / 2
    between_images = (math.sqrt(2) + math.sqrt(8)) / 2
    assert found["transformation_variance"].item() == pytest.approx(between_magnitudes)
    assert found["sample_variance"].item() == pytest.approx(between_images)
    assert found["normalized_variance"].item() == pytest.approx(1)


def test_negative_responses_are_unknown_unless_a_way_is_named():
    clean, moved = np.array([[-1.0, 1.0], [2.0, 1.0]]), np.array([[-1.0, 1.0], [1.0, 1.0]])
    assert np.isnan(invariance_coefficient(clean, moved)).tolist() == [True, False]
    assert np.isnan(specialization(clean, moved)).tolist() == [True, False]
    assert not np.isnan(correlation(clean[:, :1], moved[:, :1])).any()
    # rectify: only (2, 1); abs: (1, 1) and (2, 1); shift by -1: (3, 2) alone, for 0 and 0 do not drive the unit.
    assert invariance_coefficient(clean, moved, negative="rectify")[0] == pytest.approx(2 / 3)
    assert invariance_coefficient(clean, moved, negative="abs")[0] == pytest.approx((1 + 2 / 3) / 2)
    assert invariance_coefficient(clean, moved, negative="shift")[0] == pytest.approx(4 / 5)


def test_a_way_that_does_not_exist_is_told_with_those_that_do():
    with pytest.raises(SettingError, match=r"'rectfy'\. Did you mean 'rectify'"):
        without_negative(torch.zeros(1, 1), "rectfy", torch.zeros(1))


@pytest.mark.parametrize("function", [invariance_coefficient, specialization, active_fraction, correlation])
def test_numpy_and_torch_in_the_same_out(function, pair):
    clean, moved = pair.clean[:, :5], pair.transformed[:, :5]
    tensor = function(clean, moved)
    array = function(clean.numpy(), moved.numpy())
    assert isinstance(tensor, torch.Tensor)
    assert isinstance(array, np.ndarray)
    assert tensor.dtype == torch.float32
    assert array.dtype == np.float32
    np.testing.assert_array_equal(tensor.numpy(), array)
    exact = function(clean.double().numpy(), moved.double().numpy())
    assert exact.dtype == np.float64
    np.testing.assert_allclose(array, exact, rtol=2e-6)
    half = function(clean.half(), moved.half())
    assert half.dtype == torch.float16


def test_integers_and_views_are_taken():
    clean = np.array([[4, 0], [0, 2]])
    assert invariance_coefficient(clean, 2 * clean).tolist() == pytest.approx([2 / 3, 2 / 3])
    assert clean.tolist() == [[4, 0], [0, 2]]
    strided = np.ones((4, 6))[::2, ::3]
    assert invariance_coefficient(strided, strided).tolist() == [1, 1]


def test_wrong_shapes_and_settings_are_told():
    one = np.ones((3, 2))
    with pytest.raises(ShapeError, match=r"\(images, units\).*\(3, 2\) and \(3, 1\)"):
        invariance_coefficient(one, one[:, :1])
    with pytest.raises(ShapeError, match="at least one image"):
        invariance_coefficient(one[:0], one[:0])
    with pytest.raises(ShapeError, match=r"\(magnitudes, images, units\).*\(3, 2\)"):
        normalized_variance(one)
    with pytest.raises(SettingError, match=r"tau takes a fraction.*got 1"):
        invariance_coefficient(one, one, tau=1.0)
    with pytest.raises(SettingError, match=r"firing takes a share.*got 0"):
        goodfellow(one, one, firing=0.0)
