"""Pages of simulated runs, each made once, and drawings of tables."""

import json

import pandas as pd
import pytest
from drawing_reader import Drawing
from example_run import SMALL, make_example, make_paradigm
from page_reader import read_page

from invariscope.findings.figures import Figure
from invariscope.report.drawings.draw import draw_spec
from invariscope.report.drawings.spec import read_specs
from invariscope.report.ink import Drawn
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


@pytest.fixture
def draw_figure(tmp_path):
    """Draws what a study asks for, and sees that no word stands outside the sheet."""

    def make(figure: Figure, table: pd.DataFrame) -> Drawing:
        (tmp_path / "figures.json").write_text(json.dumps([figure.plain()]))
        drawn = draw_spec(read_specs(tmp_path / "figures.json")[0], table, table, tmp_path)
        assert isinstance(drawn, Drawn), drawn
        made = Drawing(drawn, tmp_path)
        for word, x, y in made.places:
            assert -1 <= x <= made.size[0] + 1, word
            assert -1 <= y <= made.size[1] + 1, word
        return made

    return make
