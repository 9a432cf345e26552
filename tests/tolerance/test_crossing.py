import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invariscope.tolerance.crossing import bracket, first_fall, reentries

DISTANCE = np.array([0.0, 10.0, 20.0, 40.0])


def fall(*quality, level=0.5):
    return first_fall(np.array(quality), DISTANCE, level).item()


def test_interpolates_inside_the_bracket():
    assert fall(1.0, 0.8, 0.4, 0.0) == pytest.approx(17.5)
    assert fall(0.8, 0.8, 0.8, 0.0) == pytest.approx(30.0)


def test_the_level_is_a_share_of_the_clean_value():
    assert fall(0.5, 0.5, 0.4, 0.4, level=0.9) == pytest.approx(15.0)


def test_touching_the_level_is_not_falling_below_it():
    assert fall(1.0, 0.5, 0.5, 0.0) == pytest.approx(20.0)
    assert fall(0.8, 0.72, 0.72, 0.72, level=0.9) == np.inf


def test_never_reached_is_infinite_and_unknown_is_nan():
    assert fall(1.0, 0.9, 0.6, 0.5) == np.inf
    assert np.isnan(fall(0.0, 0.0, 0.5, 1.0))
    assert np.isnan(fall(np.nan, 0.0, 0.5, 1.0))


def test_only_the_first_fall_counts():
    assert fall(1.0, 0.0, 1.0, 0.0) == pytest.approx(5.0)


def test_bracket_and_reentries_by_hand():
    quality = np.array([[1.0, 0.2, 1.0, 0.1], [1.0, 1.0, 1.0, 1.0], [1.0, 0.4, 0.3, 0.9]])
    assert bracket(quality, 0.5).tolist() == [1, 4, 1]
    assert reentries(quality, 0.5).tolist() == [1, 0, 1]


def walk(quality, distance, level):
    target = level * quality[0]
    for k in range(1, len(quality)):
        if quality[k] < target:
            share = (quality[k - 1] - target) / (quality[k - 1] - quality[k])
            return distance[k - 1] + share * (distance[k] - distance[k - 1])
    return np.inf


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 97), min_size=2, max_size=7), st.sampled_from([0.9, 0.5, 0.25]))
def test_equals_a_walk_step_by_step(values, level):
    quality = np.array(values) / 97
    distance = np.cumsum(np.arange(len(values), dtype=float))
    assert first_fall(quality, distance, level).item() == pytest.approx(walk(quality, distance, level))
