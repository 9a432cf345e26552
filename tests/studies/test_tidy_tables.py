import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from invariscope.statistics.student import t_interval
from invariscope.studies.compare import Estimate, by_seed, correlation, difference, mean_of
from invariscope.studies.judge import all_of, direction, equality, nearness
from invariscope.studies.tidy import found, ordered, over_seeds


def table() -> pd.DataFrame:
    rows = [
        found("across", value, low=0.0, high=1.0, n=40, transformation=name, k=k, seed=seed)
        for name, gain in (("inversion", 0.5), ("rotation", 0.0))
        for seed, start in enumerate((0.1, 0.2, 0.3))
        for k, value in ((1, start), (54, start + gain + 0.01 * seed))
    ]
    return pd.DataFrame(rows)


def test_means_over_seeds_have_students_interval():
    rows = over_seeds(table())
    means = rows[rows.seed.isna()]
    assert len(rows) == 16
    assert list(means.n) == [3] * 4
    row = means[(means.transformation == "inversion") & (means.k == 1)].iloc[0]
    low, high = stats.ttest_1samp([0.1, 0.2, 0.3], 0).confidence_interval()
    assert (row.value, row.low, row.high) == pytest.approx((0.2, low, high))


def test_unknown_values_do_not_enter_a_mean():
    rows = pd.DataFrame([found("within", value, seed=seed) for seed, value in enumerate([0.5, math.nan, 0.7])])
    mean = over_seeds(rows).iloc[-1]
    assert (mean.value, mean.n) == pytest.approx((0.6, 2))


def test_one_seed_has_no_interval():
    mean = over_seeds(pd.DataFrame([found("within", 0.5, seed=4)])).iloc[-1]
    assert mean.value == 0.5
    assert math.isnan(mean.low)


def test_t_interval_of_scipy():
    values = np.random.default_rng(0).normal(size=7)
    assert t_interval(values) == pytest.approx(stats.ttest_1samp(values, 0).confidence_interval(0.95))


def test_columns_stand_in_the_order_of_the_contract():
    columns = list(ordered(over_seeds(table()), "figure 2", ("transformation", "k")).columns)
    assert columns[:3] == ["transformation", "k", "seed"]
    assert columns[3:] == ["quantity", "value", "low", "high", "n", "unit_of_measure", "source"]


def test_differences_are_paired_inside_seeds():
    rows = over_seeds(table())
    gain = difference(rows, {"k": 54}, {"k": 1}, transformation="inversion", quantity="across")
    assert (gain.value, gain.n) == pytest.approx((0.51, 3))
    assert (gain.low, gain.high) == pytest.approx(t_interval([0.5, 0.51, 0.52]))
    assert by_seed(rows, k=1, transformation="rotation").tolist() == [0.1, 0.2, 0.3]


def test_correlation_is_pearsons_and_spearmans():
    random = np.random.default_rng(1)
    x = random.normal(size=12)
    rows = pd.DataFrame({"x": x, "y": np.exp(x) + random.normal(size=12), "seed": np.repeat([0, 1, 2], 4)})
    assert correlation(rows, "x", "y").value == pytest.approx(stats.pearsonr(rows.x, rows.y).statistic)
    assert correlation(rows, "x", "y", rank=True).value == pytest.approx(stats.spearmanr(rows.x, rows.y).statistic)
    found_ = correlation(rows, "x", "y")
    assert found_.low <= found_.value <= found_.high
    assert correlation(rows, "x", "y") == found_


def test_centring_takes_away_what_lies_between_groups():
    rows = pd.DataFrame({"x": [0, 1, 10, 11.0], "y": [1, 0, 11, 10.0], "g": list("aabb"), "seed": [0, 1, 0, 1]})
    assert correlation(rows, "x", "y").value > 0.9
    assert correlation(rows, "x", "y", centre="g").value == pytest.approx(-1)


def test_correlation_of_few_or_constant_networks_is_unknown():
    rows = pd.DataFrame({"x": [1, 2, 3.0], "y": [1, 2, 3.0], "seed": [0, 1, 2]})
    assert math.isnan(correlation(rows, "x", "y").value)
    flat = pd.DataFrame({"x": [1.0] * 5, "y": [1, 2, 3, 4, 5.0], "seed": range(5)})
    assert math.isnan(correlation(flat, "x", "y").value)


def test_verdicts():
    assert direction(Estimate(0.3, 0.1, 0.5, 3), 0.05) == "holds"
    assert direction(Estimate(0.03, 0.01, 0.05, 3), 0.05) == "undecided"
    assert direction(Estimate(-0.3, -0.5, 0.04, 3), 0.05) == "does not hold"
    assert direction(Estimate(0.3, 0.1, 0.5, 2), 0.05) == "undecided"
    assert equality(Estimate(0.0, -0.01, 0.03, 5), 0.02) == "undecided"
    assert equality(Estimate(0.05, 0.03, 0.07, 5), 0.02) == "does not hold"
    assert nearness(Estimate(0.99, 0.97, 1.01, 3), 1.0, 0.05) == "holds"
    assert nearness(Estimate(math.nan, math.nan, math.nan, 3), 1.0, 0.05) == "undecided"
    assert all_of(["holds", "holds"]) == "holds"
    assert all_of([]) == "undecided"


def test_mean_of_nothing_is_unknown():
    assert math.isnan(mean_of(pd.Series([], dtype=float)).value)
