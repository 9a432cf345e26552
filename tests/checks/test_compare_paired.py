"""The paired bootstrap of thresholds: against a loop by hand, on answers without any difference, and with one."""

import numpy as np
import pandas as pd
import pytest
from compare_world import drawn_pair

from invariscope.checks import compare_draws
from invariscope.checks.compare_images import Answered, Pair
from invariscope.checks.compare_paired import paired_rows
from invariscope.statistics.corrections import holm
from invariscope.tolerance.outputs import Groups


def threshold(quality, distance, level):
    """Where a curve first falls below a share of its start, by a plain loop."""
    target = level * quality[0]
    for step in range(1, len(quality)):
        if quality[step] < target - 1e-9 * abs(target):
            part = (quality[step - 1] - target) / (quality[step - 1] - quality[step])
            return distance[step - 1] + part * (distance[step] - distance[step - 1])
    return np.inf


def found(rows, name="all", criterion="accuracy", level=0.5, side="+"):
    [row] = rows[
        (rows["class"] == name) & (rows["criterion"] == criterion) & (rows["level"] == level) & (rows["side"] == side)
    ].to_dict("records")
    return row


@pytest.mark.parametrize("name", ["all", "0"])
def test_intervals_are_those_of_a_plain_loop(name):
    both = drawn_pair(3, n=60, shift=0.15)
    rows = paired_rows(both, replicates=(4000, 4000), seed=0)
    chosen = both.groups.members[both.groups.rows.index(name)]
    out = slice(both.a.clean, None)
    distance = both.a.magnitudes[out]
    draw, differences = np.random.default_rng(9), []
    curves = [one.correct[out][:, chosen].astype(float) for one in (both.a, both.b)]
    exact = [threshold(curve.mean(axis=1), distance, 0.5) for curve in curves]
    for _ in range(4000):
        drawn = draw.integers(0, len(chosen), len(chosen))
        ends = [threshold(curve[:, drawn].mean(axis=1), distance, 0.5) for curve in curves]
        differences.append(ends[1] - ends[0])
    row = found(rows, name)
    assert [row["a"], row["b"]] == pytest.approx(exact)
    assert row["difference"] == pytest.approx(exact[1] - exact[0])
    width = np.quantile(differences, 0.975) - np.quantile(differences, 0.025)
    assert row["low"] == pytest.approx(np.quantile(differences, 0.025), abs=0.06 * width)
    assert row["high"] == pytest.approx(np.quantile(differences, 0.975), abs=0.06 * width)
    p = 2 * min(np.mean(np.array(differences) <= 0), np.mean(np.array(differences) >= 0))
    assert row["p"] == pytest.approx(p, rel=0.25, abs=0.01)


def false_alarms(simulations, n, replicates):
    """Shares of p below 0.05 of all images together, and of simulations in which Holm lets any pass."""
    each, families = [], []
    for seed in range(simulations):
        rows = paired_rows(drawn_pair(seed, n=n), replicates=(replicates, 100), seed=seed)
        p = rows[rows["class"] == "all"]["p"].to_numpy()
        each.append(p < 0.05)
        families.append((holm(p) < 0.05).any())
    return float(np.mean(each)), float(np.mean(families))


def test_without_a_difference_hardly_anything_is_found():
    each, families = false_alarms(30, 120, 300)
    assert each < 0.13
    assert families <= 0.15


@pytest.mark.slow
def test_false_alarms_are_near_the_nominal_rate():
    each, families = false_alarms(400, 1000, 1000)
    assert 0.03 < each < 0.075
    assert families < 0.06


def test_what_is_plainly_shorter_is_found():
    rows = paired_rows(drawn_pair(0, n=300, shift=0.3), replicates=(2000, 2000), seed=0)
    whole = rows[(rows["class"] == "all") & (rows["criterion"] == "first-flip")]
    assert (whole["high"] < 0).all()
    assert (holm(whole["p"].to_numpy()) < 0.05).all()
    # Level 0.5 of the first flip is the median image's: exp(3) less three tenths of it.
    half = whole[whole["level"] == 0.5]
    assert half["difference"].to_numpy() == pytest.approx(-0.3 * np.exp(3), abs=2.5)


def test_another_seed_draws_other_images_and_the_same_seed_the_same():
    both = drawn_pair(1)
    first, again, other = (paired_rows(both, replicates=(300, 300), seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first["low"].equals(other["low"])
    assert first["difference"].equals(other["difference"])


def test_draws_are_added_where_they_can_decide(monkeypatch):
    """With many draws asked for, what looks moved has a smaller p than the first draws can give, the rest keeps its."""
    both = drawn_pair(0, n=300, shift=0.3)
    monkeypatch.setattr(compare_draws, "CHUNK", 400)
    few, many = (paired_rows(both, replicates=(times, times), seed=0) for times in (400, 4000))
    promising = few["p"] <= compare_draws.PROMISING
    assert few["p"].min() == pytest.approx(2 / 401)
    assert many["p"].min() == pytest.approx(2 / 4001)
    assert many.loc[~promising, "p"].equals(few.loc[~promising, "p"])
    assert many.loc[~promising, "low"].equals(few.loc[~promising, "low"])
    assert (many.loc[promising, "p"] <= 0.05).all()


def test_small_classes_have_no_p():
    both = drawn_pair(2, n=60)
    labels = np.array([0] * 9 + [1] * 51)
    few = Pair(both.a, both.b, Groups(("0", "1"), labels.astype(np.int64), np.arange(2)))
    rows = paired_rows(few, replicates=(200, 200), seed=0)
    assert rows[rows["class"] == "0"]["p"].isna().all()
    assert rows[rows["class"] == "1"]["p"].notna().any()


def always(labels, magnitudes, wrong_from=np.inf):
    """Answers that are right up to a magnitude, for all images alike."""
    right = np.broadcast_to((magnitudes < wrong_from)[:, None], (len(magnitudes), len(labels))).copy()
    predicted = np.where(right, labels, labels + 1)
    softmax = np.where(right, 0.9, 0.1).astype(np.float32)
    clean = int(np.flatnonzero(magnitudes == 0)[0])
    return Answered(
        magnitudes, clean, np.arange(len(labels)), labels.astype(str).astype(object), predicted, right, softmax
    )


def test_bounds_by_hand():
    """One network flips half-way between 20 and 30 at level 0.5, the other never within 40: at least 15 is gained."""
    magnitudes, labels = np.arange(0.0, 50.0, 10.0), np.zeros(20, dtype=np.int64)
    nameless = Groups((), np.full(20, -1), np.zeros(0, dtype=np.int64))
    short, long = always(labels, magnitudes, 25.0), always(labels, magnitudes)
    gained = found(paired_rows(Pair(short, long, nameless), replicates=(200, 200), seed=0))
    assert gained["a"] == pytest.approx(25)
    assert (gained["at_least"], gained["b_beyond"], gained["low"]) == pytest.approx((15, 40, 15))
    assert np.isnan([gained["b"], gained["difference"], gained["high"], gained["at_most"]]).all()
    assert gained["p"] == pytest.approx(2 / 201)
    lost = found(paired_rows(Pair(long, short, nameless), replicates=(200, 200), seed=0))
    assert (lost["at_most"], lost["a_beyond"], lost["high"]) == pytest.approx((-15, 40, -15))
    assert np.isnan([lost["a"], lost["difference"], lost["low"], lost["at_least"]]).all()
    assert lost["p"] == pytest.approx(2 / 201)
    neither = found(paired_rows(Pair(long, long, nameless), replicates=(200, 200), seed=0))
    assert np.isnan([neither["p"], neither["difference"], neither["at_least"], neither["at_most"]]).all()
