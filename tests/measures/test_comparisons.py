"""Two ways to compare responses that the coefficient is set against."""

import pytest
import torch

from invariscope.measures.base import MEASURES
from invariscope.measures.cosine import layer_cosine
from invariscope.measures.evaluate import Accumulator, evaluate
from invariscope.measures.invariance import Invariance
from invariscope.measures.unrestricted import UnrestrictedInvariance
from invariscope.responses.pair import Pair
from measure_world import groups, reference_of


def values(clean, transformed, weights=None, measures=None):
    pair = Pair(clean, transformed)
    weights = torch.ones(1, len(clean)) if weights is None else weights
    return evaluate(pair, reference_of(pair), weights, measures or [UnrestrictedInvariance(), Invariance()])


def test_unrestricted_by_hand():
    # h is 1, 2/3, 0 and, for 0/0, 1
    clean = torch.tensor([[1.0], [0.4], [1.0], [0.0]])
    transformed = torch.tensor([[1.0], [0.8], [0.0], [0.0]])
    found = values(clean, transformed)
    assert found["unrestricted_invariance"].item() == pytest.approx((1 + 2 / 3 + 0 + 1) / 4)
    assert found["invariance"].item() == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_a_dead_unit_counts_as_invariant_and_the_coefficient_does_not_know():
    found = values(torch.zeros(3, 1), torch.zeros(3, 1))
    assert found["unrestricted_invariance"].item() == 1
    assert found["invariance"].isnan().all()


def test_a_unit_that_is_silent_nearly_always_looks_invariant():
    clean = torch.zeros(100, 1)
    clean[0] = 1
    found = values(clean, torch.zeros(100, 1))
    assert found["unrestricted_invariance"].item() == pytest.approx(0.99)
    assert found["invariance"].item() == 0


def test_unrestricted_keeps_a_measures_promises():
    clean, transformed = torch.rand(90, 6) * (torch.rand(2, 90, 6) < 0.6)
    weights = groups(90)
    whole = values(clean, transformed, weights)["unrestricted_invariance"]
    assert whole.dtype == torch.float64
    assert ((whole >= 0) & (whole <= 1)).all()
    reference = reference_of(Pair(clean, transformed))
    parts = []
    for rows in torch.randperm(90).split(31):
        parts.append(Accumulator(reference, [UnrestrictedInvariance()]))
        parts[-1].add(Pair(clean[rows], transformed[rows]), weights[:, rows])
    merged = parts[1].merge(parts[2].merge(parts[0])).compute()["unrestricted_invariance"]
    torch.testing.assert_close(merged, whole, equal_nan=True)
    swapped = values(transformed, clean, weights)["unrestricted_invariance"]
    torch.testing.assert_close(swapped, whole)
    scaled = values(8 * clean, 8 * transformed, weights)["unrestricted_invariance"]
    torch.testing.assert_close(scaled, whole)


def test_without_restriction_equals_the_coefficient_where_every_image_is_active():
    clean, transformed = torch.rand(2, 50, 4) + 0.5
    found = values(clean, transformed)
    torch.testing.assert_close(found["unrestricted_invariance"], found["invariance"])


def test_negative_responses_have_no_value():
    found = values(torch.tensor([[1.0], [-1.0]]), torch.ones(2, 1))
    assert found["unrestricted_invariance"].isnan().all()


def test_no_measurement_takes_it_unasked():
    assert not any("unrestricted_invariance" in MEASURES[name].columns for name in MEASURES)


def test_cosine_equals_torchs_and_forgets_size():
    clean, transformed = torch.rand(20, 7), torch.rand(20, 7)
    expected = torch.nn.functional.cosine_similarity(clean, transformed)
    torch.testing.assert_close(layer_cosine(clean, transformed), expected)
    torch.testing.assert_close(layer_cosine(clean, 3 * transformed), expected)
    torch.testing.assert_close(layer_cosine(transformed, clean), expected)


def test_cosine_of_silence_is_unknown_and_of_itself_is_one():
    clean = torch.tensor([[0.0, 0.0], [3.0, 4.0], [1e-30, 0.0]])
    assert layer_cosine(clean, clean).isnan().tolist() == [True, False, False]
    assert layer_cosine(clean, clean)[1:].tolist() == [1, 1]
