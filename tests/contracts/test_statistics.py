"""What every mergeable statistic promises: the same, however its images were cut and in whatever order merged."""

from collections.abc import Callable
from functools import reduce

import pytest
import torch

from invariscope.measures.evaluate import Accumulator
from invariscope.measures.variances import Variances
from invariscope.responses.pair import Pair
from invariscope.statistics.extremes import Extremes
from invariscope.statistics.sums import Sums
from measure_world import awkward_pair, groups, reference_of

IMAGES = 90


def sums_of(clean, moved, weights) -> Sums:
    return Sums.of(weights, {"clean": clean, "square": clean.square(), "product": clean * moved})


def extremes_of(clean, moved, weights) -> Extremes:
    return Extremes.of(clean)


def variances_of(clean, moved, weights) -> Variances:
    seen = Variances(clean, weights)
    seen.add(moved)
    return seen


def accumulated(clean, moved, weights) -> Accumulator:
    seen = Accumulator(REFERENCE)
    seen.add(Pair(clean, moved), weights)
    return seen


def numbers(statistic) -> dict[str, torch.Tensor]:
    match statistic:
        case Sums():
            return {**statistic.values, "count": statistic.count}
        case Extremes():
            return {"low": statistic.low, "high": statistic.high}
        case Variances():
            return statistic.finish()
    return statistic.compute()


WHOLE = awkward_pair()
# All units lie at 10,000 with a spread near 1: naive sums of squares would keep no digit of the variance.
CLEAN, MOVED, WEIGHTS = WHOLE.clean + 1e4, WHOLE.transformed + 1e4, groups(IMAGES)
REFERENCE = reference_of(Pair(CLEAN, MOVED))

Maker = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], object]
every = pytest.mark.parametrize("make", [sums_of, extremes_of, variances_of, accumulated])


def part(make: Maker, rows):
    return make(CLEAN[rows], MOVED[rows], WEIGHTS[:, rows])


def same(one, two):
    one, two = numbers(one), numbers(two)
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-6, atol=1e-6, equal_nan=True, msg=name)


@every
@pytest.mark.parametrize("cuts", [[30, 30, 30], [1, 2, 87], [64, 26]])
def test_merged_parts_equal_the_whole(make, cuts):
    whole = part(make, torch.arange(IMAGES))
    parts = [part(make, rows) for rows in torch.arange(IMAGES).split(cuts)]
    same(reduce(lambda a, b: a.merge(b), parts), whole)
    same(reduce(lambda a, b: b.merge(a), parts), whole)


@every
def test_merging_is_associative_and_commutative(make):
    a, b, c = (part(make, rows) for rows in torch.randperm(IMAGES).split(30))
    same(a.merge(b).merge(c), a.merge(b.merge(c)))
    same(a.merge(b), b.merge(a))
