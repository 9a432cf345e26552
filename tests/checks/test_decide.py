import math

import numpy as np
import pytest

from invariscope.checks.decide import decide, images_by_width, images_for_share
from invariscope.statistics.proportions import wilson


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.8, 0.9, "passes"),
        (0.8 - 1e-12, 0.9, "passes"),
        (0.79, 0.9, "undecided"),
        (0.7, 0.8, "undecided"),
        (0.7, 0.79, "fails"),
        (0.8, math.nan, "passes"),
        (math.nan, 0.7, "fails"),
        (math.nan, math.nan, "undecided"),
        (0.9, math.inf, "passes"),
        (0.1, math.inf, "undecided"),
    ],
)
def test_the_interval_decides(low, high, verdict):
    assert decide(low, high, 0.8) == verdict


@pytest.mark.parametrize(
    ("share", "required"), [(0.84, 0.8), (0.8, 0.84), (0.5, 0.6), (0.99, 0.9), (0.02, 0.3), (1, 0.9)]
)
def test_images_for_a_share_are_the_first_that_decide(share, required):
    sizes = np.arange(1, 5000)
    low, high = wilson(share * sizes, sizes)
    decided = (low >= required) | (high < required)
    assert images_for_share(share, required) == sizes[decided.argmax()]
    assert decided[int(images_for_share(share, required)) - 1 :].all()


def test_a_share_that_equals_the_level_is_never_decided():
    assert math.isnan(images_for_share(0.8, 0.8))
    assert math.isnan(images_for_share(1.0, 1.0))
    assert math.isnan(images_for_share(math.nan, 0.8))


def test_images_by_width_scale_with_the_square():
    # From above: half of the width must go, so four times as many.
    assert images_by_width(0.85, 0.75, 0.99, 100, 0.8) == 400
    # From below the other end counts, and must stay clear of the level.
    assert images_by_width(0.75, 0.1, 0.85, 100, 0.8) == 401
    for unknown in [(0.8, 0.7, 0.9), (math.nan, 0.7, 0.9), (0.9, math.nan, 1.0), (0.7, 0.6, math.inf)]:
        assert math.isnan(images_by_width(*unknown, 100, 0.8))
