"""The bootstrap, intervals of shares, derangements and the top share."""

import numpy as np
import pytest
import scipy.stats
import torch

from invariscope.statistics.derangement import derangement
from invariscope.statistics.proportions import wilson
from invariscope.statistics.resampling import bootstrap_weights, percentile_interval
from invariscope.statistics.top_share import top_share_threshold


def test_bootstrap_weights_are_multiplicities():
    weights = bootstrap_weights(50, 400, seed=1)
    assert weights.shape == (400, 50)
    assert (weights.sum(1) == 50).all()
    assert (weights == weights.round()).all()
    # Binomial(50, 1/50): variance 1 - 1/50; 20,000 numbers give it to a few per cent.
    assert weights.var().item() == pytest.approx(0.98, rel=0.05)


def test_bootstrap_weights_follow_the_seed():
    assert torch.equal(bootstrap_weights(9, 3, seed=4), bootstrap_weights(9, 3, seed=4))
    assert not torch.equal(bootstrap_weights(9, 3, seed=4), bootstrap_weights(9, 3, seed=5))


def test_bootstrap_interval_covers_the_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        sample = torch.from_numpy(generator.exponential(size=60))
        means = bootstrap_weights(60, 300, seed=trial).double() @ sample / 60
        low, high = percentile_interval(means)
        covered += bool(low <= 1 <= high)
    # 200 trials: 0.95 ± 0.03, and the percentile interval of skewed data is known to cover a little less.
    assert 0.87 <= covered / 200 <= 0.99


def test_percentile_interval_leaves_nan_out():
    replicates = torch.tensor([[1.0, float("nan")], [2.0, float("nan")], [float("nan"), float("nan")]])
    low, high = percentile_interval(replicates, level=1.0)
    assert low[0].item() == 1
    assert high[0].item() == 2
    assert low[1].isnan()


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (457, 500), (1, 10_000)])
def test_wilson_is_that_of_scipy(successes, n, level):
    expected = scipy.stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    low, high = wilson(successes, n, level)
    assert float(low) == pytest.approx(expected.low, abs=1e-12)
    assert float(high) == pytest.approx(expected.high, abs=1e-12)


def test_wilson_takes_arrays_and_knows_nothing_of_no_images():
    low, high = wilson(np.array([[1, 0], [2, 0]]), np.array([4, 0]))
    assert low.shape == high.shape == (2, 2)
    assert np.isnan(low[:, 1]).all()
    assert np.isnan(high[:, 1]).all()
    assert (low[:, 0] < high[:, 0]).all()


@pytest.mark.parametrize("n", [2, 3, 4, 5, 10, 101])
def test_derangement_moves_every_image(n):
    partner = derangement(n, seed=7)
    assert sorted(partner.tolist()) == list(range(n))
    assert (partner != torch.arange(n)).all()


@pytest.mark.parametrize("n", [2, 4, 100])
def test_partners_of_an_even_number_are_each_others(n):
    partner = derangement(n, seed=7)
    assert torch.equal(partner[partner], torch.arange(n))


@pytest.mark.parametrize("n", [3, 5, 101])
def test_three_of_an_odd_number_take_turns(n):
    partner = derangement(n, seed=7)
    three = (partner[partner] != torch.arange(n)).nonzero().flatten()
    assert len(three) == 3
    assert torch.equal(partner[partner[partner]][three], three)


def test_derangement_follows_the_seed_and_needs_two():
    assert torch.equal(derangement(30, seed=0), derangement(30, seed=0))
    assert not torch.equal(derangement(30, seed=0), derangement(30, seed=1))
    assert derangement(1, seed=0) is None
    assert derangement(0, seed=0) is None


@pytest.mark.parametrize("share", [0.01, 0.05, 0.29, 0.5])
def test_top_share_is_the_largest_that_fits(share):
    responses = torch.randperm(1000).reshape(100, 10).float()
    threshold = top_share_threshold(responses, share)
    allowed = round(share * 100)
    assert ((responses > threshold).sum(0) == allowed).all()


def test_ties_make_fewer_images_fire_never_more():
    responses = torch.tensor([[5.0], [5.0], [5.0], [1.0]])
    threshold = top_share_threshold(responses, 0.5)
    assert threshold.item() == 5
    assert (responses > threshold).sum() == 0


def test_a_silent_unit_and_a_small_set_never_fire():
    silent = torch.zeros(200, 1)
    assert (silent > top_share_threshold(silent, 0.01)).sum() == 0
    few = torch.arange(50.0)[:, None]
    assert (few > top_share_threshold(few, 0.01)).sum() == 0


def test_top_share_in_chunks_is_the_same():
    responses = torch.rand(40, 13)
    assert torch.equal(top_share_threshold(responses, 0.1, chunk=80), top_share_threshold(responses, 0.1))
    assert top_share_threshold(torch.rand(4, 0), 0.1).shape == (0,)
