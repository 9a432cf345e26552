"""Two runs of read-outs whose bounds differ by one step, and their comparison."""

import pytest
from compare_world import measured

from invariscope.checks.compare import compare_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Two read-outs on the same images: the second's bound is one step lower."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: measured(folder / name, steps).path for name, steps in (("before", 0), ("after", 1))}


@pytest.fixture(scope="session")
def compared(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared") / "out"
    return compare_runs([runs["before"], runs["after"]], out)
