"""Each kind of drawing from tables that one can count by hand: dots, lines, cells, words."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from drawing_reader import SVG, Drawing

from invariscope.report.drawings.base import PALETTE, colours_of
from invariscope.report.drawings.draw import draw_spec, faceted
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import measured
from invariscope.report.figures.grid import WIDTH
from invariscope.report.ink import Drawn


@pytest.fixture
def drawing(tmp_path):
    def make(table, results=None, **asked) -> Drawing:
        spec = Spec(**{"name": "it", "title": "It", "caption": "What it shows.", "x": "k"} | asked)
        drawn = draw_spec(spec, table, table if results is None else results)
        assert isinstance(drawn, Drawn), drawn
        return Drawing(drawn, tmp_path)

    return make


def two_lines(seeds=2) -> pd.DataFrame:
    rows = [
        {"k": k, "seed": seed, "quantity": name, "value": level + k / 100 + seed / 50, "n": 40}
        for k in (1, 10)
        for seed in range(seeds)
        for name, level in (("within", 0.8), ("across", 0.1))
    ]
    return pd.DataFrame(rows).astype({"seed": "Int64"})


def test_lines_have_a_dot_per_row_and_say_what_the_bars_are(drawing):
    made = drawing(two_lines(), kind="lines", colour="quantity", share=True, labels={"within": "seen classes"})
    assert made.dots == 8
    assert {"seen classes", "across", "1", "10", "0\u202f%", "100\u202f%"} <= set(made.words)
    assert "n: 2 seeds, each value from 40 images or units" in made.drawn.caption
    assert "95 % intervals over seeds" in made.drawn.caption
    assert "across: from 12\u202f% at 1 to 21\u202f% at 10" in made.drawn.alternative


def test_one_seed_has_the_intervals_of_the_table_and_none_are_invented(drawing):
    one = two_lines(seeds=1)
    assert "interval" not in drawing(one, kind="lines", colour="quantity").drawn.caption
    own = one.assign(low=one["value"] - 0.1, high=one["value"] + 0.1)
    made = drawing(own, kind="lines", colour="quantity")
    assert "as the table has them" in made.drawn.caption
    assert "n: 1 seed," in made.drawn.caption
    assert len(made.groups("LineCollection") + made.groups("line2d")) > len(
        drawing(one, kind="lines", colour="quantity").groups("line2d")
    )


def test_unknown_values_are_left_out_and_said(drawing):
    table = two_lines()
    table.loc[0, "value"] = math.nan
    made = drawing(table, kind="lines", colour="quantity")
    assert made.dots == 7
    assert "1 value is not known and left out." in made.drawn.caption


def test_a_place_without_any_value_parts_the_line(drawing):
    table = pd.DataFrame({"k": [1, 2, 3], "seed": [0, 0, 0], "value": [0.1, math.nan, 0.3]})
    made = drawing(table, kind="lines")
    paths = [path.get("d") for group in made.groups("line2d") for path in group.iter(f"{SVG}path")]
    assert any(path.count("M") == 2 for path in paths if path)


def test_a_logarithmic_axis_is_one(drawing):
    table = pd.DataFrame({"k": [1, 10, 100], "seed": [0, 0, 0], "value": [0.1, 0.2, 0.3]})
    made = drawing(table, kind="lines", log_x=True)
    places = [float(use.get("x")) for group in made.groups("PathCollection") for use in group.iter(f"{SVG}use")]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.1)


def test_names_along_the_axis_are_written(drawing):
    table = pd.DataFrame({"k": ["conv1", "conv2"], "seed": [0, 0], "value": [1.0, 2.0]})
    assert {"conv1", "conv2"} <= set(drawing(table, kind="lines").words)


def test_a_level_is_drawn_and_told(drawing):
    assert "dashed line is at 1.7 %" in drawing(two_lines(), kind="lines", share=True, reference=1 / 60).drawn.caption


def test_twelve_panels_have_their_titles_and_shared_ticks(drawing):
    names = [f"a rather long name of transformation {i}" for i in range(12)]
    table = pd.concat([two_lines().assign(name=name) for name in names])
    made = drawing(table, kind="lines", colour="quantity", panel="name", share=True)
    assert made.dots == 12 * 8
    joined = " ".join(made.words)
    assert all(f"transformation {i}" in joined or f"{i}" in joined for i in range(12))
    assert made.words.count("100\u202f%") == 3
    assert made.words.count("10") == 4
    assert made.size[0] == WIDTH


def test_nothing_stands_outside_the_sheet(drawing):
    names = [f"category number {i} with a very long name indeed" for i in range(13)]
    table = pd.DataFrame([{"k": x, "row": y, "seed": 0, "value": 0.5} for x in names for y in names])
    for asked in ({"kind": "heat", "y": "row", "share": True}, {"kind": "bars"}, {"kind": "lines"}):
        made = drawing(table, **asked)
        for text in made.root.iter(f"{SVG}text"):
            style = text.get("style", "") + text.get("text-anchor", "")
            place = re.search(r"translate\((-?[\d.]+) (-?[\d.]+)\)", text.get("transform", "")) or re.search(
                r"^(-?[\d.]+) (-?[\d.]+)$", f"{text.get('x')} {text.get('y')}"
            )
            assert place, ElementTree.tostring(text)
            x, y = float(place[1]), float(place[2])
            assert -1 <= x <= made.size[0] + 1, (asked, "".join(text.itertext()), style)
            assert -1 <= y <= made.size[1] + 1


def test_violins_have_a_median_and_quartiles_each(drawing):
    random = np.random.Generator(np.random.PCG64(0))
    table = pd.DataFrame(
        [
            {"k": k, "group": group, "unit": unit, "seed": 0, "invariance": random.uniform()}
            for k in (1, 2, 3)
            for group in ("seen", "unseen")
            for unit in range(20)
        ]
    )
    table.loc[0, "invariance"] = math.nan
    made = drawing(table, kind="violins", y="invariance", colour="group")
    assert len(made.groups("FillBetweenPolyCollection")) == 6
    assert "n: 19 to 20 units per violin, 1 seed. 1 value is not known" in made.drawn.caption
    assert "median" in made.drawn.alternative


def test_few_or_equal_values_are_dots_and_not_a_shape(drawing):
    table = pd.DataFrame({"k": [1, 1, 2, 2, 2, 2, 2], "v": [0.1, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5]})
    made = drawing(table, kind="violins", y="v")
    assert not made.groups("FillBetweenPolyCollection")
    assert made.dots == 2


def test_a_heat_map_writes_the_mean_over_seeds_into_each_cell(drawing):
    table = pd.DataFrame(
        [
            {"tested": x, "trained": y, "seed": seed, "value": (0.97 if x == y else 0.2) + seed / 100}
            for x in "ab"
            for y in "ab"
            for seed in (0, 2)
        ]
    )
    table.loc[(table.tested == "b") & (table.trained == "a"), "value"] = math.nan
    made = drawing(table, kind="heat", x="tested", y="trained", share=True)
    assert made.words.count("98") == 2
    assert made.words.count("21") == 1
    assert made.words.count("·") == 1
    assert "·  no value" in made.words
    assert "2 values are not known" in made.drawn.caption


def test_a_scatter_has_a_dot_per_row_and_the_correlation_of_the_results(drawing):
    table = pd.DataFrame({"i": [0.1, 0.2, 0.3, math.nan], "across": [0.1, 0.4, 0.6, 0.7], "name": ["a", "a", "b", "b"]})
    results = pd.DataFrame(
        [
            {"quantity": "r", "name": "a", "value": 0.93, "low": 0.8, "high": 0.98, "seed": None},
            {"quantity": "r", "name": "all together", "value": 0.5, "low": math.nan, "high": math.nan, "seed": None},
            {"quantity": "rank", "name": "all together", "value": 0.4, "low": math.nan, "high": math.nan, "seed": None},
            {"quantity": "r", "name": "c", "value": 0.4, "low": math.nan, "high": math.nan, "seed": None},
            {"quantity": "within", "name": "c", "value": 0.5, "low": math.nan, "high": math.nan, "seed": 0},
        ]
    )
    asked = {"kind": "scatter", "x": "i", "y": "across", "colour": "name", "share": True, "correlation": "r"}
    made = drawing(table, results, **asked)
    assert made.dots == 3
    assert "a, r = 0.93 [0.8, 0.98]" in made.words
    assert "b" in made.words
    assert "1 row without both values is left out" in made.drawn.caption
    assert made.drawn.caption.endswith("All together: r = 0.5.")


def test_many_dots_are_thinned_and_that_is_said(drawing):
    values = np.linspace(0, 1, 4000)
    made = drawing(pd.DataFrame({"k": values, "value": values}), kind="scatter")
    assert 1000 < made.dots <= 1500
    assert "Every 3th" not in made.drawn.caption
    assert "One dot in 3 is drawn" in made.drawn.caption


def test_bars_begin_at_zero(drawing):
    table = pd.DataFrame(
        [{"k": k, "seed": s, "value": v + s / 100} for k, v in (("a", -0.2), ("b", 0.3)) for s in (0, 1)]
    )
    made = drawing(table, kind="bars", share=True)
    assert made.dots == 4
    assert "0\u202f%" in made.words
    assert {"a", "b"} <= set(made.words)
    assert "Thin lines are 95 % intervals over seeds" in made.drawn.caption
    assert measured([0.0, 0.3, 0.4, 0.42], share=False, span=None).low < 0


def test_more_values_than_colours_become_panels(drawing):
    table = pd.concat([two_lines().assign(name=f"n{i}") for i in range(9)])
    spec = Spec(kind="lines", name="a", title="A", x="k", colour="name")
    assert faceted(spec, table).panel == "name"
    made = drawing(table, kind="lines", colour="name")
    assert made.dots == 9 * 8
    assert {f"n{i}" for i in range(9)} <= set(made.words)


def test_numbers_as_colours_are_shades_and_what_is_left_out_is_said(drawing):
    table = pd.concat([two_lines().assign(epoch=epoch) for epoch in range(9)])
    spec = Spec(kind="lines", name="a", title="A", x="k", colour="epoch")
    colours = colours_of(spec, table)
    assert list(colours.marks) == [0, 2, 3, 5, 6, 8]
    assert len({mark.colour for mark in colours.marks.values()}) == len(PALETTE)
    assert "6 of 9 are drawn" in drawing(table, kind="lines", colour="epoch").drawn.caption


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"x": "nothing"}, "no column 'nothing'"), ({"where": {"quantity": "never"}}, "no row")],
)
def test_what_cannot_be_drawn_says_why(asked, words):
    spec = Spec(**{"kind": "lines", "name": "a", "title": "A", "x": "k"} | asked)
    assert words in draw_spec(spec, two_lines(), two_lines())
