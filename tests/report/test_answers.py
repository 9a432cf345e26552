"""The answers behind the page, on numbers that can be followed by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invariscope.report.answers import answer
from invariscope.report.limits import Axis, Limit, nearest, rank_classes, read_axis
from invariscope.report.profile import Profile
from invariscope.report.read import COLUMNS, RunData

NAN = float("nan")
ROTATION = Axis("rotation", "degrees", 0.0, (-90.0, -30.0, 0.0, 30.0, 90.0))
ZOOM = Axis("zoom", "times as large", 1.0, (0.5, 1.0, 2.0))


def limit(sign, threshold, end=90.0, censored=False):
    return Limit(sign, NAN if censored else threshold, NAN, NAN, censored, end, 0, 10)


def profile(mean, null=0.0, floor=NAN, hidden=None):
    n = len(mean)
    row = [np.full(n, value) for value in (NAN, NAN, null, floor, 4.0, 0.0)]
    return Profile(30.0, tuple("abcdefgh"[:n]), np.array(mean), *row, hidden=hidden)


def run_of(verdicts=(), curves=(), thresholds=(), **info):
    rows = {"verdicts": verdicts, "curves": curves, "thresholds": thresholds}
    tables = {name: pd.DataFrame(list(rows.get(name, ())), columns=list(columns)) for name, columns in COLUMNS.items()}
    return RunData(path=Path("run"), info=info, tables=tables)


def verdict(magnitude, tolerated):
    return {"transformation": "rotation", "magnitude": magnitude, "group": "all", "tolerated": float(tolerated)}


def test_a_layer_counts_once_all_later_ones_are_half_as_far_as_the_last():
    assert profile([0.1, 0.5, 0.2, 0.5, 0.8]).becomes_invariant == 3
    assert profile([0.1, 0.5, 0.4, 0.5, 0.8]).becomes_invariant == 1
    assert profile([0.9, 0.5, 0.4, 0.5, 0.4]).becomes_invariant == 0


def test_a_network_that_ends_near_its_null_becomes_invariant_nowhere():
    assert profile([0.9, 0.9, 0.3]).becomes_invariant is None
    assert profile([0.9, 0.9, 0.4], null=0.38).becomes_invariant is None


def test_the_way_goes_from_null_to_noise_floor_or_one():
    assert profile([0.5], null=0.2).way[0] == pytest.approx(0.3 / 0.8)
    assert profile([0.5], null=0.2, floor=0.6).way[0] == pytest.approx(0.3 / 0.4)


def test_a_layer_without_room_or_without_a_value_is_passed_over():
    assert np.isnan(profile([0.9], null=0.88, floor=0.92).way[0])
    assert profile([0.1, NAN, 0.8]).becomes_invariant == 2
    assert profile([0.7, NAN, 0.8]).becomes_invariant == 0
    assert profile([NAN]).becomes_invariant is None


def test_layers_after_the_last_hidden_one_are_not_judged():
    assert profile([0.1, 0.8, 0.1], hidden=1).becomes_invariant == 1
    assert profile([0.1, 0.1, 0.8], hidden=1).becomes_invariant is None
    assert profile([0.5, NAN, 0.8], hidden=1).last == 0


def test_a_null_above_the_limit_makes_weak_evidence():
    assert profile([0.9, 0.9], null=0.7).weak(2 / 3)
    assert not profile([0.9, 0.9], null=0.5).weak(2 / 3)


def test_the_furthest_tolerated_magnitude_is_reached_without_a_gap():
    rows = [verdict(m, t) for m, t in ((-90, True), (-30, False), (30, True), (90, False))]
    found = answer(run_of(rows), "rotation")
    assert (found.magnitude, found.tolerated) == (30.0, True)


def test_where_no_step_is_tolerated_the_first_one_is_judged():
    rows = [verdict(m, False) for m in (-90, -30, 30, 90)]
    found = answer(run_of(rows), "rotation")
    assert (found.magnitude, found.tolerated) == (30.0, False)


def test_where_tolerance_is_unknown_the_last_step_is_judged():
    rows = [verdict(m, NAN) for m in (30, 90)]
    found = answer(run_of(rows), "rotation")
    assert (found.magnitude, found.tolerated, found.verdict) == (90.0, None, "unknown")


def test_without_verdicts_the_curve_decides():
    rows = [
        {"transformation": "rotation", "magnitude": m, "class": "all", "accuracy": q, "n": 10}
        for m, q in ((0.0, 0.8), (15.0, 0.72), (30.0, 0.71))
    ]
    found = answer(run_of(curves=rows), "rotation")
    assert (found.magnitude, found.tolerated) == (15.0, True)
    assert found.clean.value == 0.8
    assert found.there.value == 0.72


def test_half_and_double_are_equally_far():
    assert ZOOM.logarithmic
    assert ZOOM.distance(0.5) == ZOOM.distance(2.0) == 1.0
    assert ROTATION.distance(-30.0) == 30.0
    assert not Axis("saturation", "times", 1.0, (0.0, 1.0, 2.0)).logarithmic


def test_magnitudes_are_written_with_sign_and_unit():
    assert ROTATION.write(15.0) == "+15°"
    assert ROTATION.write(-12.34, 2) == "−12°"
    assert ZOOM.write(0.5) == "0.5×"
    assert Axis("jpeg", "quality", 100.0, (5.0, 100.0)).write(50.0) == "50"
    assert Axis("occlusion", "of the width", 0.0, (0.0, 0.5)).say(0.25) == "0.25 of the width"
    assert Axis("vertical-flip", "0 or 1", 0.0, (0.0, 1.0)).write(1.0) == "flipped"


def test_the_nearest_limit_is_one_that_was_reached():
    near, far, never = limit("+", 20.0), limit("−", -40.0, end=-90.0), limit("−", NAN, end=-10.0, censored=True)
    assert nearest(ROTATION, (far, near)) is near
    assert nearest(ROTATION, (never, near)) is near
    assert nearest(ROTATION, (never,)) is never
    assert nearest(ROTATION, (limit("+", NAN),)) is None


def test_classes_are_ranked_by_their_share_of_what_all_tolerate():
    limits = {
        "all": (limit("+", 40.0),),
        "cat": (limit("+", 10.0),),
        "dog": (limit("+", NAN, censored=True),),
        "eel": (limit("+", 40.0),),
    }
    assert rank_classes([ROTATION], [limits]) == [("cat", 0.25), ("eel", 1.0), ("dog", 2.0)]
    assert rank_classes([ROTATION], [{}]) == []


def test_a_transformation_without_a_record_is_read_off_the_tables():
    run = run_of([verdict(30, True)])
    assert read_axis(run, "rotation") == Axis("rotation", "", 0.0, (0.0, 30.0))
