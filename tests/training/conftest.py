import pytest
from training_world import bars, tiny

from invariscope.training.sets import Sets, make_sets


@pytest.fixture(scope="session")
def sets() -> Sets:
    return make_sets(bars(30, seed=1), bars(10, seed=2), tiny().recipe)
