"""What drawings are computed from: means, colours, ticks, and how words and panels find room."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from invariscope.report.drawings.base import colours_of
from invariscope.report.drawings.panels import arrange
from invariscope.report.drawings.scale import scale_of
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import at_categories, at_values, measured
from invariscope.report.drawings.type import broken, width_of
from invariscope.report.drawings.values import over_seeds
from invariscope.report.drawings.violins import density
from invariscope.report.figures.grid import WIDTH


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (8, 4), (12, 4)])
def test_panels_stand_in_even_rows_inside_the_sheet(n, columns):
    shape = arrange(n, 40, 190)
    assert shape.columns == columns
    assert shape.columns * shape.rows >= n
    assert shape.left + shape.columns * (shape.width + 26) - 26 <= WIDTH
    assert shape.width >= 190


def test_a_violin_is_widest_where_most_values_are():
    heights, widths = density(np.array([0.0] + [0.5] * 30 + [0.6, 1.0]))
    assert abs(heights[widths.argmax()] - 0.5) < 0.05


def test_a_scale_is_around_zero_where_values_have_both_signs():
    spec = Spec(kind="heat", name="a", title="A", x="x")
    scale = scale_of(spec, [-0.2, 0.1])
    assert (scale.low, scale.high) == (-0.2, 0.2)
    assert scale.colours(-0.2)[0] != scale.colours(0.2)[0]
    assert scale_of(spec, [3.0, 3.0]).colours(3.0)


def test_a_meaning_keeps_its_colour():
    rows = pd.DataFrame({"group": ["unseen", "seen", "other"]})
    marks = colours_of(Spec(kind="bars", name="a", title="A", x="x", colour="group"), rows).marks
    twin = colours_of(Spec(kind="bars", name="a", title="A", x="x", colour="group"), rows.iloc[::-1]).marks
    assert marks["seen"].colour == twin["seen"].colour != marks["unseen"].colour
    assert len({mark.colour for mark in marks.values()}) == 3


def test_the_mean_over_seeds_averages_within_a_seed_first():
    rows = pd.DataFrame({"seed": [0, 0, 1], "value": [0.0, 1.0, 0.7]})
    found = over_seeds(rows, "value")
    assert found.value == pytest.approx((0.5 + 0.7) / 2)
    assert found.high - found.value == pytest.approx(12.7062 * 0.1, rel=1e-4)
    assert found.seeds == 2


def test_an_interval_of_a_difference_is_shown_whole():
    rows = pd.DataFrame({"seed": [0, 1, 2], "value": [-0.6, -0.5, -0.7]})
    found = over_seeds(rows, "value")
    assert found.low < found.value < found.high < 0
    ticks = measured([found.low, found.high, 0.1], share=True, span=None)
    assert ticks.low < found.low
    assert ticks.high > 0.1
    assert measured([-0.02, 0.6], share=True, span=None).high > 1


def test_long_words_are_broken_and_cut_to_fit():
    for line in broken("a transformation with a name that goes on and on", 80, 10):
        assert width_of(line, 10) <= 80
    ticks = at_categories(
        [f"a long category name {i}" for i in range(12)], Spec(kind="bars", name="a", title="A", x="x"), 600
    )
    assert ticks.slant > 0
    assert ticks.room > 60


def test_ticks_at_values_do_not_run_into_each_other():
    spec = Spec(kind="lines", name="a", title="A", x="x")
    assert at_values([0, 1, 15, 30, 45, 54, 60], spec, 200).words == ("0", "15", "30", "45", "60")
    two = pd.DataFrame({"k": [1, 54]})
    assert [mark.text for mark in colours_of(replace(spec, colour="k"), two).key] == ["k = 1", "k = 54"]
    log = Spec(kind="lines", name="a", title="A", x="x", log_x=True)
    assert at_values([0.005, 0.01, 0.1, 0.4], log, 400).words == ("0.005", "0.01", "0.1", "0.4")
