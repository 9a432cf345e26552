from collections.abc import Iterator

import pytest
from training_world import bars, tiny

from invariscope.grids.threads import one_thread
from invariscope.training.sets import Sets, make_sets


@pytest.fixture(scope="session")
def sets() -> Sets:
    return make_sets(bars(30, seed=1), bars(10, seed=2), tiny().recipe)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield
