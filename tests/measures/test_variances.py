"""Variances over magnitudes, against their definitions in numpy and their laws."""

from functools import reduce

import numpy as np
import pytest
import torch

from invariscope.measures.functions import normalized_variance
from invariscope.measures.variances import SWEEP_MEASURES, Variances, variances
from measure_world import groups


def definitions(responses):
    """The three numbers from the whole array (magnitude, image, unit), as the closest peer defines them."""
    exact = responses.double().numpy()
    transformation = exact.std(axis=0, ddof=1).mean(axis=0)
    sample = exact.std(axis=1, ddof=1).mean(axis=0)
    return {
        "transformation_variance": transformation,
        "sample_variance": sample,
        "normalized_variance": transformation / sample,
    }


@pytest.fixture
def sweep():
    generator = torch.Generator().manual_seed(4)
    base = torch.randn(130, 7, generator=generator)
    noise = torch.randn(6, 130, 7, generator=generator)
    return (base + 0.4 * noise).relu() + torch.tensor([0, 0, 0, 1, 10, 1e3, 0.0])


def over(sweep, weights):
    seen = Variances(sweep[0], weights)
    for responses in sweep[1:]:
        seen.add(responses)
    return seen


def test_they_equal_the_definitions(sweep):
    for name, expected in definitions(sweep).items():
        # Unit 5 sits at 1000 with a spread below 1: float32 itself leaves four digits.
        found = variances(list(sweep))[name].numpy()
        np.testing.assert_allclose(np.delete(found, 5), np.delete(expected, 5), rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(found[5], expected[5], rtol=1e-5)


def test_float64_arrays_are_exact(sweep):
    found = normalized_variance(sweep.double().numpy())
    for name, expected in definitions(sweep).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-10, err_msg=name)


def test_groups_are_their_own_images(sweep):
    weights = groups(130)
    found = over(sweep, weights).finish()
    for row, member in enumerate(weights):
        for name, expected in definitions(sweep[:, member > 0]).items():
            np.testing.assert_allclose(found[name][row].numpy(), expected, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("cuts", [[1, 129], [65, 65], [40, 50, 40]])
def test_batches_can_be_merged_in_any_order(sweep, cuts):
    weights = groups(130)
    whole = over(sweep, weights).finish()
    parts = [over(sweep[:, rows], weights[:, rows]) for rows in torch.arange(130).split(cuts)]
    for merged in (reduce(lambda a, b: a.merge(b), parts), reduce(lambda a, b: b.merge(a), parts)):
        for name, values in merged.finish().items():
            torch.testing.assert_close(values, whole[name], rtol=1e-6, atol=1e-9, msg=name)


def test_the_order_of_magnitudes_and_images_does_not_matter(sweep):
    whole, turned = variances(list(sweep)), variances(list(sweep.flip(0)[:, torch.randperm(130)]))
    for name in whole:
        torch.testing.assert_close(whole[name], turned[name], rtol=1e-5, atol=0)


def test_the_ratio_has_no_unit_of_measure(sweep):
    one, hundred = variances(list(sweep)), variances(list(100 * sweep))
    torch.testing.assert_close(one["normalized_variance"], hundred["normalized_variance"], rtol=1e-5, atol=0)
    torch.testing.assert_close(100 * one["sample_variance"], hundred["sample_variance"], rtol=1e-5, atol=0)


def test_an_invariant_unit_is_zero():
    clean = torch.rand(20, 3)
    found = variances([clean, clean, clean])
    assert (found["transformation_variance"] == 0).all()
    assert (found["normalized_variance"] == 0).all()


def test_what_cannot_be_known_is_nan():
    # Unit 0 is dead; unit 1 is the same for all images and changes with the magnitude: something over 0; unit 2 is
    # constant but for rounding.
    clean = torch.tensor([[0.0, 1.0, 0.3]]).repeat(10, 1)
    moved = torch.tensor([[0.0, 2.0, 0.3]]).repeat(10, 1)
    moved[::2, 2] += 2**-24
    found = variances([clean, moved])
    assert found["normalized_variance"].isnan().all()
    assert found["transformation_variance"][1].item() == pytest.approx(0.5**0.5)
    assert (found["sample_variance"] == 0).all()
    single = variances([torch.rand(10, 2)])
    assert single["transformation_variance"].isnan().all()
    assert not single["sample_variance"].isnan().any()
    assert variances([torch.rand(1, 2), torch.rand(1, 2)])["sample_variance"].isnan().all()


def test_the_responses_given_are_left_as_they_are(sweep):
    copy = sweep.clone()
    over(sweep, torch.ones(1, 130)).finish()
    assert torch.equal(sweep, copy)


def test_it_is_listed():
    assert list(SWEEP_MEASURES) == ["variances"]
    assert SWEEP_MEASURES["variances"].columns == tuple(variances([torch.rand(3, 1)]))
