"""Intervals that hold all at once."""

import math

import pytest
from scipy.stats import norm, t

from invariscope.studies.compare import Estimate
from invariscope.studies.together import together


def test_arms_grow_by_the_ratio_of_the_quantiles():
    found = {place: Estimate(1.0, 0.5, 2.0, n=5) for place in range(10)}
    images, seeds = (together(found, over_seeds=each)[0] for each in (False, True))
    ratio = norm.ppf(1 - 0.05 / 20) / norm.ppf(0.975)
    assert images.low == pytest.approx(1 - 0.5 * ratio)
    assert images.high == pytest.approx(1 + 1.0 * ratio)
    ratio = t.ppf(1 - 0.05 / 20, 4) / t.ppf(0.975, 4)
    assert seeds.low == pytest.approx(1 - 0.5 * ratio)
    assert (seeds.value, seeds.n) == (1.0, 5)


def test_one_member_stays_and_unknown_ones_do_not_count():
    alone = {"a": Estimate(1.0, 0.5, 2.0, n=3), "b": Estimate(1.0, math.nan, math.nan, n=1)}
    assert together(alone, over_seeds=True) == alone
    assert together({}, over_seeds=True) == {}
