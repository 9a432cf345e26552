"""What the tests of measures share."""

import pytest

import measure_world


@pytest.fixture(params=[0, 1, 2])
def pair(request):
    return measure_world.awkward_pair(seed=request.param)
