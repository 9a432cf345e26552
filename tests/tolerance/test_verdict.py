import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binom

from invariscope.core.errors import SettingError
from invariscope.tolerance.evidence import AblationCost, Limits, Shares, UnitColumns, shares
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.verdict import Evidence, judge, verdict_rows

NAN = float("nan")


def columns(invariance, specialization, null=0.3, n_active=20.0, **replicates):
    invariance, specialization = np.array(invariance, dtype=float), np.array(specialization, dtype=float)
    full = np.full(len(invariance), 1.0)
    return UnitColumns(invariance, null * full, specialization, np.array(n_active) * full, **replicates)


INVARIANT = columns([0.9] * 10, [0.02] * 10)
SPECIALIZED = columns([0.2] * 10, [0.8, -0.8] * 5)
NEITHER = columns([0.5] * 10, [0.1] * 10)
DEAD = columns([NAN] * 10, [NAN] * 10, n_active=0.0)
HALF = columns([0.9] * 5 + [0.2] * 5, [0.0] * 5 + [0.8] * 5)
EVERYTHING = [Evidence(90.0, "all", "relu", INVARIANT, {})]


def sweep(right=(10, 10), labels=True):
    correct = torch.stack([torch.arange(10) < number for number in right])
    outputs = torch.stack([correct.float(), 1 - correct.float()], dim=-1)
    truth = torch.zeros(10, dtype=torch.int64) if labels else None
    return Sweep("rotation", (0.0, 90.0), 0.0, "degrees", outputs, truth)


def cost(low, difference=0.2, n_units=5):
    return AblationCost(n_units, 0.3, 0.3 - difference, difference, low, 0.4, 0.9, False)


def verdict(units, right=(10, 10), ablation=None, labels=True, **settings):
    table = verdict_rows(sweep(right, labels), [Evidence(90.0, "all", "relu", units, ablation or {})], **settings)
    return table.iloc[0]


@pytest.mark.parametrize(
    ("units", "shares", "word"),
    [
        (INVARIANT, (1, 0, 0), "invariance"),
        (SPECIALIZED, (0, 1, 0), "other units"),
        (NEITHER, (0, 0, 1), "neither"),
        (HALF, (0.5, 0.5, 0), "mixed"),
    ],
)
def test_constructed_units(units, shares, word):
    row = verdict(units)
    assert (row.invariant_share, row.specialized_share, row.neither_share) == shares
    assert row.verdict == word
    assert row.tolerated is np.True_ or row.tolerated is True
    assert verdict(units, right=(10, 8)).verdict == "not tolerated"


def test_dead_units_leave_the_verdict_unknown():
    row = verdict(DEAD)
    assert row.verdict == "unknown"
    assert row.n_active == 0
    assert np.isnan([row.invariant_share, row.specialized_share, row.neither_share, row.low, row.high]).all()


def test_dead_units_do_not_count():
    units = columns([0.9, 0.9, NAN, 0.2], [0.0, 0.0, NAN, 0.9], n_active=[5.0, 5.0, 0.0, 5.0])
    row = verdict(units)
    assert row.n_active == 3
    assert (row.invariant_share, row.specialized_share) == pytest.approx((2 / 3, 1 / 3))


def test_invariance_must_be_above_its_null():
    assert verdict(columns([0.8] * 4, [0.0] * 4, null=0.85)).verdict == "neither"


def test_limits_are_strict_and_settable():
    assert verdict(columns([2 / 3] * 4, [0.5] * 4)).verdict == "neither"
    assert verdict(NEITHER, limits=Limits(invariant=0.4)).verdict == "invariance"
    assert bool(verdict(NEITHER, right=(10, 6), limits=Limits(tolerated=0.5)).tolerated)
    with pytest.raises(SettingError, match="'invariant' is a share from 0 to 1; got 2"):
        Limits(invariant=2.0)


def test_tolerated_at_nine_tenths_of_clean():
    row = verdict(INVARIANT, right=(10, 9))
    assert bool(row.tolerated)
    assert row.relative_accuracy == pytest.approx(0.9)
    assert row.relative_accuracy_low < 0.9 < row.relative_accuracy_high
    assert not verdict(INVARIANT, right=(9, 8)).tolerated


def test_tolerance_is_unknown_without_clean_accuracy_or_outputs():
    row = verdict(INVARIANT, right=(0, 5))
    assert row.tolerated is pd.NA
    assert row.verdict == "unknown"
    recorded = verdict_rows(None, [Evidence(90.0, "all", "V1", INVARIANT, {})], name="rotation").iloc[0]
    assert recorded.tolerated is pd.NA
    assert recorded.transformation == "rotation"
    assert recorded.invariant_share == 1


def test_without_labels_agreement_decides():
    row = verdict(INVARIANT, right=(5, 4), labels=False)
    assert row.relative_accuracy == pytest.approx(0.9)
    assert bool(row.tolerated)


def test_a_group_of_images_has_its_own_tolerance():
    seen = np.arange(10) < 5
    rows = verdict_rows(
        sweep((10, 5)),
        [
            Evidence(90.0, "all", "relu", INVARIANT, {}),
            Evidence(90.0, "seen", "relu", INVARIANT, {}, seen),
            Evidence(90.0, "unseen", "relu", INVARIANT, {}, ~seen),
        ],
    )
    assert rows.relative_accuracy.tolist() == [0.5, 1.0, 0.0]
    assert rows.tolerated.tolist() == [False, True, False]
    assert rows.n_images.tolist() == [10, 5, 5]
    assert rows.group.tolist() == ["all", "seen", "unseen"]


def test_paired_bootstrap_of_the_ratio():
    # the same images are wrong in both: every replicate has ratio 1
    row = verdict(INVARIANT, right=(6, 6))
    assert (row.relative_accuracy_low, row.relative_accuracy_high) == (1, 1)


def test_ablation_decides_where_no_kind_has_the_majority():
    assert verdict(NEITHER, ablation={"invariant": cost(0.05)}).verdict == "invariance"
    assert verdict(NEITHER, ablation={"specialized": cost(0.05)}).verdict == "other units"
    assert verdict(NEITHER, ablation={"invariant": cost(0.005)}).verdict == "neither"
    assert verdict(NEITHER, ablation={"invariant": cost(NAN)}).verdict == "neither"
    assert verdict(INVARIANT, ablation={"specialized": cost(0.05)}).verdict == "mixed"
    assert verdict(HALF, ablation={"specialized": cost(0.05)}).verdict == "other units"


def test_ablation_columns():
    row = verdict(HALF, ablation={"invariant": cost(0.05)})
    assert row.ablation_invariant == pytest.approx(0.2)
    assert (row.ablation_invariant_cost, row.ablation_invariant_control) == pytest.approx((0.3, 0.1))
    assert (row.ablation_invariant_low, row.ablation_invariant_high) == (0.05, 0.4)
    assert np.isnan([row.ablation_specialized, row.ablation_specialized_cost]).all()


def test_columns_of_an_empty_table():
    table = verdict_rows(sweep(), [])
    assert table.columns[:11].tolist() == [
        *("transformation", "magnitude", "group", "tolerated", "invariant_share", "specialized_share"),
        *("neither_share", "ablation_invariant", "ablation_specialized", "low", "high"),
    ]
    assert table.dtypes.astype(str).tolist() == verdict_rows(sweep(), EVERYTHING).dtypes.astype(str).tolist()


def test_interval_over_units_is_binomial():
    found = shares(HALF)
    assert (found.low, found.high) == (binom.ppf(0.025, 10, 0.5) / 10, binom.ppf(0.975, 10, 0.5) / 10)
    brute = np.sort(np.random.default_rng(0).binomial(10, 0.5, 20000))[[500, 19500]] / 10
    assert (found.low, found.high) == tuple(brute)
    assert (shares(INVARIANT).low, shares(INVARIANT).high) == (1, 1)


def test_interval_over_images_comes_from_the_replicates():
    invariance = np.full((1000, 4), 0.9)
    invariance[:500, 0] = 0.1
    invariance[:, 1] = np.nan
    units = columns([0.9, 0.9, 0.9, 0.9], [0.0] * 4)
    units = columns(
        [0.9] * 4,
        [0.0] * 4,
        invariance_replicates=invariance,
        specialization_replicates=np.zeros((1000, 4)),
    )
    # three of four units are known in every replicate; the first is invariant in half of them
    found = shares(units)
    assert (found.low, found.high) == pytest.approx((2 / 3, 1))


def test_every_verdict_has_its_reason():
    words = {
        judge(tolerated, Shares(10, inv, spec, 1 - inv - spec, 0.0, 1.0), {}, Limits())
        for tolerated in (True, False, None)
        for inv, spec in [(0.9, 0.0), (0.0, 0.9), (0.4, 0.4), (0.1, 0.1)]
    }
    assert words == {"invariance", "other units", "mixed", "neither", "not tolerated", "unknown"}
