"""Pages of simulated runs, each made once."""

import pytest
from example_run import SMALL, make_example, make_paradigm
from page_reader import read_page

from invariscope.report.page import make_report


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run with labels, tolerance and units, and its report."""
    path = make_example(tmp_path_factory.mktemp("run"), **SMALL)
    make_report(path)
    return path


@pytest.fixture(scope="session")
def page(run):
    return read_page(run / "report.html")


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A paradigm with two parts, one without labels, and its report."""
    path = tmp_path_factory.mktemp("demo")
    make_example(path / "one", **SMALL | {"transformations": ("rotation",)})
    make_example(path / "two", **SMALL | {"transformations": ("inversion",), "labels": False})
    make_paradigm(path, [("First network", "one"), ("Second network", "two")])
    make_report(path)
    return path
