"""The search for the magnitude at which accuracy falls to a level."""

import math

import pytest

from invariscope.core.errors import MagnitudeError, SettingError
from invariscope.transformations.find_magnitude import find_magnitude
from invariscope.transformations.gaussian_blur import GaussianBlur
from invariscope.transformations.jpeg import Jpeg
from invariscope.transformations.pixelate import Pixelate
from invariscope.transformations.rotation import Rotation
from invariscope.transformations.scale import Zoom


def test_the_papers_steps_stop_at_the_first_that_reaches_the_level():
    seen = []

    def accuracy(value):
        seen.append(value)
        return 0.9 * math.exp(-value)

    found = find_magnitude(accuracy, GaussianBlur(), accuracy=0.1, size=(32, 32), step=0.5)
    # 0.9 e^−v = 0.1 at v = ln 9 = 2.197
    assert found.magnitude == 2.5
    assert found.bracket == (2.0, 2.5)
    assert seen == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert found.accuracy == accuracy(2.5)
    assert found.reached
    assert "at 2.5 (pixels); at 2 it is 0.122" in found.message


def test_bisection_comes_as_near_as_asked():
    found = find_magnitude(lambda v: 0.9 * math.exp(-v), GaussianBlur(), accuracy=0.1, size=(32, 32), tolerance=1e-6)
    assert found.magnitude == pytest.approx(math.log(9), abs=1e-6)
    assert found.bracket[0] < math.log(9) <= found.bracket[1]
    assert len(found.tried) < 40
    assert len({value for value, _ in found.tried}) == len(found.tried)


def test_towards_chooses_the_side():
    found = find_magnitude(lambda v: 1 - abs(v) / 100, Rotation(), accuracy=0.5, towards=-180.0, tolerance=0.01)
    assert found.magnitude == pytest.approx(-50, abs=0.01)
    small = find_magnitude(lambda v: v, Zoom(), accuracy=0.5, towards=0.25, tolerance=1e-4)
    assert small.magnitude == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("step", [None, 7.0])
def test_it_says_when_the_level_is_not_reached(step):
    found = find_magnitude(lambda v: 0.6 - 0.1 * math.sin(v / 40), Rotation(), accuracy=0.1, step=step)
    assert not found.reached
    assert math.isnan(found.magnitude)
    assert math.isnan(found.accuracy)
    assert found.tried[-1][0] == 180.0
    assert "does not fall to 0.1 between 0 and 180 (degrees)" in found.message
    assert "the lowest is 0.5" in found.message


def test_an_accuracy_that_is_low_already_is_said():
    found = find_magnitude(lambda v: 0.05, Rotation(), accuracy=0.1)
    assert (found.magnitude, found.reached, len(found.tried)) == (0.0, True, 1)
    assert "without any change" in found.message


def test_whole_magnitudes_stay_whole():
    found = find_magnitude(lambda v: 1 / v, Pixelate(), accuracy=0.2, size=(32, 32))
    assert (found.magnitude, found.bracket) == (5.0, (4.0, 5.0))
    downwards = find_magnitude(lambda v: v / 100, Jpeg(), accuracy=0.333)
    assert (downwards.magnitude, downwards.bracket) == (33.0, (34.0, 33.0))


def test_unknown_accuracies_never_reach_a_level():
    found = find_magnitude(lambda v: math.nan, Rotation())
    assert not found.reached


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"accuracy": 1.5}, "a share from 0 to 1; got 1.5"),
        ({"step": 0.0}, "the step of the search must be positive; got 0"),
        ({"tolerance": -1.0}, "the tolerance of the search must be positive; got -1"),
        ({"size": None}, "gaussian-blur has no end without an image size"),
        ({"towards": 0.0}, "the search ends where it begins"),
    ],
)
def test_settings_that_cannot_be_used_are_said(settings, message):
    with pytest.raises(SettingError, match=message):
        find_magnitude(lambda v: 1.0, GaussianBlur(), **{"size": (32, 32), **settings})


def test_an_end_beyond_the_limits_is_an_error():
    with pytest.raises(MagnitudeError, match=r"from 0 to 8 \(pixels\) for images of 32 by 32 pixels; got 9"):
        find_magnitude(lambda v: 1.0, GaussianBlur(), size=(32, 32), towards=9.0)
