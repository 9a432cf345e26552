"""Interval-censored values: by hand, against Kaplan and Meier, against brute force, and the coverage of intervals."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from invariscope.statistics.interval_censored import distribution, quantile


def log_likelihood(low, high, found, mass):
    within = (found.low >= low[:, None]) & (found.high <= high[:, None])
    return float(np.log(within @ mass).sum())


def test_overlapping_intervals_by_hand():
    """(0, 2] holds both inner intervals, (1, 3] and (0, 1]: only (0, 1] and (1, 2] are innermost."""
    found = distribution(np.array([0.0, 0.0, 1.0]), np.array([2.0, 1.0, 3.0]))
    assert found.low.tolist() == [0, 1]
    assert found.high.tolist() == [1, 2]
    # p = (1 + p) / 3 for the first: one value of its own, and its share of the wide one.
    assert found.mass == pytest.approx([0.5, 0.5])
    assert found.quantile() == pytest.approx(1.0)


def test_a_common_grid_is_counted():
    found = distribution(np.array([0.0, 0.0, 1.0, 3.0]), np.array([1.0, 1.0, 2.0, np.inf]))
    assert found.mass.tolist() == [0.5, 0.25, 0.25]
    assert found.quantile(0.25) == 0.5
    assert found.quantile(0.5) == 1.0
    assert found.quantile(0.625) == 1.5
    assert math.isinf(found.quantile(0.75))
    assert math.isinf(found.quantile(0.8))


@pytest.mark.parametrize("seed", range(4))
def test_right_censored_values_are_those_of_kaplan_and_meier(seed):
    generator = np.random.default_rng(seed)
    event, censoring = generator.integers(1, 15, 60).astype(float), generator.integers(1, 15, 60) + 0.5
    censored = event > censoring
    seen = np.where(censored, censoring, event)
    found = distribution(seen, np.where(censored, np.inf, event))
    curve = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(seen, censored)).sf
    ours = [1 - found.mass[found.high <= place].sum() for place in curve.quantiles]
    assert ours == pytest.approx(curve.probabilities.tolist(), abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_no_other_masses_are_more_likely(seed):
    generator = np.random.default_rng(seed)
    low = generator.integers(0, 8, 30).astype(float)
    high = low + generator.integers(1, 5, 30)
    high[generator.random(30) < 0.2] = np.inf
    found = distribution(low, high)

    def loss(free):
        mass = np.exp(free - free.max())
        return -log_likelihood(low, high, found, mass / mass.sum())

    start = np.log(np.maximum(found.mass, 1e-3))
    best = min(
        scipy.optimize.minimize(loss, start + generator.normal(size=len(start)), tol=1e-12).fun for _ in range(3)
    )
    assert -log_likelihood(low, high, found, found.mass) <= best + 1e-6
    assert found.mass.sum() == pytest.approx(1)


def test_order_and_unit_do_not_matter():
    generator = np.random.default_rng(0)
    low = generator.integers(0, 8, 25).astype(float)
    high = low + generator.integers(1, 4, 25)
    order = generator.permutation(25)
    here, there = distribution(low, high), distribution(10 * low[order], 10 * high[order])
    assert there.mass == pytest.approx(here.mass.tolist())
    assert there.quantile(0.3) == pytest.approx(10 * here.quantile(0.3))


def test_the_interval_covers_the_median_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        values = generator.exponential(size=80)
        low = np.floor(values * 4) / 4
        _, least, most = quantile(low, low + 0.25, replicates=300, seed=trial)
        covered += least <= math.log(2) <= most
    # 200 trials: 0.95 ± 0.03; the grid makes the interval a little wide.
    assert 0.9 <= covered / 200 <= 1


def test_what_lies_beyond_the_end_is_infinite_and_what_is_unknown_is_nan():
    low, high = np.array([0.0, 4.0, 4.0, 4.0]), np.array([1.0, np.inf, np.inf, np.inf])
    found, least, most = quantile(low, high)
    assert math.isinf(found)
    assert math.isinf(most)
    assert least <= found
    assert all(math.isnan(value) for value in quantile(low[:0], high[:0]))
    one = quantile(low[:1], high[:1])
    assert one[0] == 0.5
    assert math.isnan(one[1])


def test_exact_values_among_intervals():
    """1 is known exactly, and (0, 1] holds it; (1, 2] does not."""
    found = distribution(np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 2.0]))
    assert (found.low.tolist(), found.high.tolist()) == ([1, 1], [1, 2])
    assert found.mass == pytest.approx([2 / 3, 1 / 3])


def test_one_seed_gives_one_answer():
    low = np.arange(30.0)
    assert quantile(low, low + 1, seed=3) == quantile(low, low + 1, seed=3)
