import numpy as np
import pandas as pd
import pytest

from invariscope.studies.correlations import CENTRED, POOLED, correlate, correlation_rows

ONE = np.ones((1, 12))


def networks(seed=0, n_seeds=6):
    draw = np.random.default_rng(seed)
    rows = []
    for name, level in (("inversion", 0.0), ("rotation", 0.5)):
        for each in range(n_seeds):
            for k in (10, 30, 50):
                across = k / 60 + 0.05 * draw.normal()
                rows.append(
                    {
                        "transformation": name,
                        "k": k,
                        "n_classes": 60,
                        "seed": each,
                        "across": across,
                        "good": across + level,
                        "bad": draw.normal() + level,
                    }
                )
    return pd.DataFrame(rows)


def table_of(frame, **columns):
    rows = pd.DataFrame(correlation_rows(frame, columns))
    return rows.set_index(["quantity", "transformation", "measure"])


def test_correlations_equal_numpys():
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(2, 12))
    groups = np.repeat([0, 1, 2], 4)
    assert correlate(x, y, ONE, np.zeros(12, dtype=int)).item() == pytest.approx(np.corrcoef(x, y)[0, 1])
    a, b = (each - np.repeat(each.reshape(3, 4).mean(1), 4) for each in (x, y))
    assert correlate(x, y, ONE, groups).item() == pytest.approx((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def test_a_weight_of_two_is_a_network_twice():
    draw = np.random.default_rng(2)
    x, y = draw.normal(size=(2, 12))
    weights = draw.integers(0, 3, (1, 12)).astype(float)
    times = np.repeat(np.arange(12), weights[0].astype(int))
    expected = np.corrcoef(x[times], y[times])[0, 1]
    assert correlate(x, y, weights, np.zeros(12, dtype=int)).item() == pytest.approx(expected)


def test_what_does_not_vary_has_no_correlation():
    assert np.isnan(correlate(np.ones(12), np.arange(12.0), ONE, np.zeros(12, dtype=int))).all()


def test_the_first_is_compared_with_the_others():
    table = table_of(networks(), good="good", bad="bad")
    r = table.loc["correlation with across"]
    assert r.loc[("inversion", "good"), "value"] == pytest.approx(1)
    assert r.loc[(CENTRED, "good"), "value"] == pytest.approx(1)
    assert r.loc[(POOLED, "good"), "value"] < 0.95
    gain = table.loc["gain in correlation with across"]
    assert ("inversion", "good") not in gain.index
    row = gain.loc[("inversion", "bad")]
    assert row["value"] == pytest.approx(1 - r.loc[("inversion", "bad"), "value"])
    assert row["low"] <= row["value"] <= row["high"]
    assert row["low"] > 0
    assert row["n"] == 6


def test_all_measures_rest_on_the_same_networks_with_seen_and_unseen_classes():
    frame = networks()
    unusable = frame.head(6).assign(k=[0, 60] * 3, good=99.0)
    missing = frame.copy()
    missing.loc[missing.index[:5], "bad"] = np.nan
    whole = table_of(pd.concat([frame.iloc[5:], unusable]), good="good", bad="bad")
    pd.testing.assert_frame_equal(table_of(missing, good="good", bad="bad"), whole)


def test_few_networks_tell_nothing():
    table = table_of(networks().head(3), good="good")
    assert table["value"].isna().all()
    one = networks()
    alone = table_of(one[one["seed"] == 0], good="good", bad="bad")
    assert alone["low"].isna().all()
