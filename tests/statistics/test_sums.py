"""Sums and extremes obey the laws of merging, also where naive sums would lose their digits."""

from functools import reduce

import numpy as np
import pytest
import torch

from invariscope.statistics.extremes import Extremes
from invariscope.statistics.sums import Sums, exact_device, weighted_sums

CUTS = [[1] * 60, [7, 53], [20, 20, 20], [59, 1]]


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(3)
    responses = 1e4 + torch.randn(60, 5, generator=generator)
    weights = torch.randint(0, 4, (3, 60), generator=generator).float()
    return responses, weights


def summed(data, rows):
    responses, weights = data
    return Sums.of(weights[:, rows], {"x": responses[rows], "square": responses[rows].square()})


def same(one, two):
    assert one.values.keys() == two.values.keys()
    for name in one.values:
        torch.testing.assert_close(one.values[name], two.values[name], rtol=1e-6, atol=0)
    torch.testing.assert_close(one.count, two.count, rtol=0, atol=0)


@pytest.mark.parametrize("cuts", CUTS)
def test_batches_and_their_order_do_not_matter(data, cuts):
    parts = [summed(data, rows) for rows in torch.arange(60).split(cuts)]
    whole = summed(data, torch.arange(60))
    same(reduce(lambda a, b: a.merge(b), parts), whole)
    same(reduce(lambda a, b: b.merge(a), parts), whole)
    same(reduce(lambda a, b: a.merge(b), parts[::-1]), whole)


def test_merging_is_associative_and_commutative(data):
    a, b, c = (summed(data, rows) for rows in torch.arange(60).split(20))
    same(a.merge(b).merge(c), a.merge(b.merge(c)))
    same(a.merge(b), b.merge(a))


def test_weighted_sums_are_those_of_numpy_in_float64(data):
    responses, weights = data
    expected = weights.numpy().astype(np.float64) @ responses.numpy().astype(np.float64)
    np.testing.assert_allclose(weighted_sums(weights, responses).numpy(), expected, rtol=2e-7)


def test_weighted_sums_by_hand():
    weights = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    contributions = torch.tensor([[1.0, 10.0], [5.0, 50.0], [3.0, 30.0]])
    assert weighted_sums(weights, contributions).tolist() == [[7.0, 70.0], [0.0, 0.0]]


def test_long_sums_keep_their_digits():
    # Equal numbers round the same way every time, the worst case; float32 alone is off by a thousandth here.
    ones = torch.full((2**16, 1), 1024.1)
    exact = float(torch.tensor(1024.1)) * 2**16
    assert weighted_sums(torch.ones(1, 2**16), ones).item() == pytest.approx(exact, rel=1e-6)


def test_sums_stay_where_float64_is():
    assert exact_device(torch.device("mps")) == torch.device("cpu")
    assert exact_device(torch.device("cuda", 1)) == torch.device("cuda", 1)


@pytest.mark.parametrize("cuts", CUTS)
def test_extremes_of_batches_are_those_of_the_whole(data, cuts):
    responses, _ = data
    parts = [Extremes.of(part) for part in responses.split(cuts)]
    for merged in (reduce(lambda a, b: a.merge(b), parts), reduce(lambda a, b: b.merge(a), parts)):
        np.testing.assert_array_equal(merged.low, responses.numpy().min(0))
        np.testing.assert_array_equal(merged.high, responses.numpy().max(0))


def test_scale_is_the_largest_size_whatever_its_sign():
    assert Extremes.of(torch.tensor([[1.0, 2.0], [-3.0, 0.5]])).scale.tolist() == [3.0, 2.0]


def test_extremes_do_not_hide_nan():
    assert Extremes.of(torch.tensor([[1.0], [float("nan")]])).high.isnan().all()
