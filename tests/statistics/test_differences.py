"""Corrections by hand and against scipy; differences of shares against published intervals and counting."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln, xlogy

from invariscope.statistics.corrections import benjamini_hochberg, holm
from invariscope.statistics.differences import Z, from_interval, mcnemar, mover, paired_shares
from invariscope.statistics.proportions import wilson


def test_holm_by_hand():
    # Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04; no value may fall below the one before it.
    assert holm(np.array([0.04, 0.02, 0.01, 0.03])) == pytest.approx([0.06, 0.06, 0.04, 0.06])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])
    assert holm(np.array([0.03])) == pytest.approx([0.03])


def test_what_is_not_tested_does_not_count():
    p = np.array([0.01, np.nan, 0.04, np.nan])
    for correction in (holm, benjamini_hochberg):
        adjusted = correction(p)
        assert np.isnan(adjusted[[1, 3]]).all()
        assert adjusted[[0, 2]] == pytest.approx(correction(p[[0, 2]]))
    assert holm(np.full(2, np.nan)).tolist() == pytest.approx([np.nan, np.nan], nan_ok=True)
    assert len(holm(np.array([]))) == 0


@pytest.mark.parametrize("seed", range(3))
def test_benjamini_and_hochberg_is_scipys(seed):
    p = np.random.default_rng(seed).uniform(size=50) ** 3
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p), abs=1e-15)


@pytest.mark.parametrize("correction", [holm, benjamini_hochberg])
def test_the_order_of_tests_does_not_matter(correction):
    draw = np.random.default_rng(0)
    p, order = draw.uniform(size=30), draw.permutation(30)
    assert correction(p)[order] == pytest.approx(correction(p[order]))
    assert (correction(p) >= p).all()
    assert (holm(p) >= benjamini_hochberg(p) - 1e-15).all()


def test_holm_keeps_false_alarms_rare():
    draw = np.random.default_rng(1)
    alarms = np.mean([(holm(draw.uniform(size=20)) < 0.05).any() for _ in range(2000)])
    assert alarms == pytest.approx(0.05, abs=0.015)


def test_mcnemar_is_the_binomial_test():
    counts = [(0, 0), (5, 0), (3, 9), (10, 2), (40, 41), (200, 260)]
    lost, won = np.array(counts).T
    expected = [stats.binomtest(low, low + high).pvalue if low + high else 1.0 for low, high in counts]
    assert mcnemar(lost, won) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(won, lost) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("table", "ends"),
    [
        # Altman, Machin, Bryant and Gardner 2000, table 6.2: 14, 5, 0, 22 of 41.
        ((14, 5, 0, 41), (-0.226, -0.011)),
        # Newcombe 1998: 20, 12, 2, 16 of 50.
        ((20, 12, 2, 50), (-0.3292, -0.0562)),
    ],
)
def test_published_intervals_of_paired_shares(table, ends):
    both, lost, won, n = map(np.array, table)
    low, high = paired_shares(both, lost, won, n)
    digits = 3 if abs(ends[0]) < 0.3 else 4
    assert (round(float(low), digits), round(float(high), digits)) == ends
    mirrored = paired_shares(both, won, lost, n)
    assert [-float(mirrored[1]), -float(mirrored[0])] == pytest.approx([float(low), float(high)])


def coverage(n, both, lost, won):
    """How often the interval holds the difference, over every table of n images."""
    cells = np.array([(a, b, c) for a in range(n + 1) for b in range(n + 1 - a) for c in range(n + 1 - a - b)])
    rest = n - cells.sum(axis=1)
    chance = gammaln(n + 1) - gammaln(cells + 1).sum(axis=1) - gammaln(rest + 1)
    for count, share in zip((*cells.T, rest), (both, lost, won, 1 - both - lost - won), strict=True):
        chance = chance + xlogy(count, share)
    low, high = paired_shares(*cells.T, np.full(len(cells), n))
    inside = (low <= won - lost + 1e-12) & (won - lost <= high + 1e-12)
    return float(np.exp(chance)[inside].sum())


@pytest.mark.parametrize("shares", [(0.5, 0.1, 0.1), (0.6, 0.2, 0.05), (0.3, 0.3, 0.1), (0.8, 0.05, 0.05)])
def test_intervals_of_paired_shares_cover(shares):
    assert coverage(16, *shares) > 0.94


def test_independent_shares_are_newcombes_hybrid():
    # Newcombe 1998b, table II, a: 56 of 70 against 48 of 80: 0.0524 to 0.3339.
    first, second = ((np.array(k / n), *wilson(k, n)) for k, n in ((48, 80), (56, 70)))
    low, high = mover(first, second)
    assert (round(float(low), 4), round(float(high), 4)) == (0.0524, 0.3339)


def test_positive_correlation_narrows_a_difference():
    first, second = ((np.array(4.0), np.array(3.0), np.array(6.0)), (np.array(9.0), np.array(8.0), np.array(10.0)))
    loose, tight = mover(first, second), mover(first, second, 0.8)
    assert loose[0] < tight[0] < 5 < tight[1] < loose[1]


def test_an_interval_that_ends_at_zero_has_five_percent():
    difference, half = np.array([3.0, -3.0, 1.5, 0.0]), np.array([3.0, 3.0, 3.0, 1.0])
    p = from_interval(difference, difference - half, difference + half)
    assert p == pytest.approx([0.05, 0.05, 2 * stats.norm.sf(Z / 2), 1.0])
    assert np.isnan(from_interval(np.array([1.0]), np.array([np.nan]), np.array([2.0]))).all()
    assert from_interval(np.array([-1.0]), np.array([np.nan]), np.array([0.0])) == pytest.approx([0.05])
