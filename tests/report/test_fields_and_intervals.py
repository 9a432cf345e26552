"""Ribbons, planes and rows of intervals from tables that one can check by hand."""

import itertools
import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from drawing_reader import SVG
from example_study import LINES

from invariscope.core.errors import RunError
from invariscope.findings.figures import Field, Gallery, Intervals, Lines
from invariscope.report.drawings.draw import draw_spec
from invariscope.report.drawings.forest import arrange_rows
from invariscope.report.drawings.plane import edges, runs
from invariscope.report.drawings.spec import Spec, read_specs
from invariscope.report.figures.grid import WIDTH
from invariscope.report.ink import LIGHT


def path_points(group) -> list[tuple[float, float]]:
    text = " ".join(path.get("d") for path in group.iter(f"{SVG}path"))
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", text)]


# Ribbons


def curve() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "m": [0.0, 1.0, 2.0],
            "value": [0.8, 0.4, 0.2],
            "low": [0.7, 0.3, math.nan],
            "high": [0.9, 0.5, math.nan],
            "seed": pd.array([None] * 3, dtype="Int64"),
            "n": 50,
        }
    )


def test_a_ribbon_goes_from_low_to_high_and_has_no_dots(draw_figure):
    made = draw_figure(Lines(name="it", title="It", caption="", x="m", band=True, share=True, span=(0, 1)), curve())
    assert made.dots == 0
    (ribbon,) = made.groups("FillBetweenPolyCollection")
    points = path_points(ribbon)
    zero, one = (made.place(word)[1] for word in ("0\u202f%", "100\u202f%"))

    def height(share: float) -> float:
        return zero + share * (one - zero)

    # Words stand a little below their ticks, by the same for both; ends of the ribbon differ by their shares alone.
    ys = sorted({round(y, 1) for _, y in points})
    assert ys[-1] - ys[0] == pytest.approx(height(0.3) - height(0.9), abs=0.3)
    assert len({x for x, _ in points}) == 2
    assert "Ribbons are 95 % intervals as the table has them" in made.drawn.caption
    assert "from 80\u202f% at 0 to 20\u202f% at 2" in made.drawn.alternative


def test_a_ribbon_over_seeds_is_the_t_interval_of_the_means(draw_figure):
    table = pd.concat([curve().assign(seed=seed, value=curve().value + seed / 10) for seed in range(3)])
    made = draw_figure(Lines(name="it", title="It", caption="", x="m", band=True), table)
    assert "n: 3 seeds" in made.drawn.caption
    assert "Ribbons are 95 % intervals over seeds (t)" in made.drawn.caption


# Planes


def plane(**more) -> pd.DataFrame:
    # value = 1 − x²/4 − y² on an uneven grid; the level 0.5 is reached at x = ±√2 and y = ±√½.
    xs, ys = np.linspace(-2, 2, 41), np.concatenate([np.linspace(-1, 0, 21), np.linspace(0.1, 1, 10)])
    rows = [{"x": x, "y": y, "value": 1 - x * x / 4 - y * y, "n": 200, **more} for x in xs for y in ys]
    return pd.DataFrame(rows)


FIELD = Field(name="it", title="It", caption="", x="x", y="y", levels=(0.5,), span=(0, 1), origin=(0.0, 0.0))


def test_a_contour_runs_where_the_level_is_reached(draw_figure):
    made = draw_figure(FIELD, plane())
    (lines,) = made.groups("QuadContourSet") or made.groups("ContourSet")
    points = path_points(lines)
    axis = {word: x for word, x, _ in made.places if word in ("−2", "2")}
    scale = (axis["2"] - axis["−2"]) / 4
    middle = (axis["2"] + axis["−2"]) / 2
    widest = max(abs(x - middle) for x, _ in points) / scale
    assert widest == pytest.approx(math.sqrt(2), abs=0.03)
    assert "0.5" in made.words
    assert "Lines join the places where it is 0.5" in made.drawn.caption
    assert "The cross is where nothing is changed." in made.drawn.caption


def test_the_share_of_the_plane_that_reaches_the_level_is_told(draw_figure):
    table = pd.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "value": [0.9, 0.9, 0.9, 0.1]})
    said = draw_figure(FIELD, table).drawn.alternative
    assert "0.5 or more on 75\u202f% of the plane" in said
    assert "from 0.1 at 1, 1 to 0.9 at 0, 0" in said


def test_cells_of_one_colour_are_one_shape_and_unknown_ones_are_none(draw_figure):
    table = pd.DataFrame({"x": [0, 1, 2, 3], "y": 0, "value": [0.1, 0.15, math.nan, 0.9]})
    made = draw_figure(FIELD, table)
    (cells,) = made.groups("PolyCollection")
    assert len(list(cells.iter(f"{SVG}path"))) == 2
    assert "no value" in made.words
    assert "1 value is not known and left out" in made.drawn.caption


def test_cells_end_halfway_between_their_centres():
    assert edges([0.0, 0.1, 0.5]).tolist() == pytest.approx([-0.05, 0.05, 0.3, 0.7])
    assert runs([None, "a", "b", "b", None, "b"]) == [(1, 2, "a"), (2, 4, "b"), (5, 6, "b")]


def test_a_cell_is_the_mean_over_seeds(draw_figure):
    table = pd.DataFrame({"x": [0, 0, 1, 1], "y": 0, "value": [0.2, 0.4, 0.9, 0.9], "seed": [0, 1, 0, 1]})
    assert "from 0.3 at 0, 0 to 0.9 at 1, 0" in draw_figure(FIELD, table).drawn.alternative


def test_words_instead_of_numbers_make_no_plane(tmp_path):
    table = pd.DataFrame({"x": ["a"], "y": ["b"], "value": [1.0]})
    said = draw_spec(Spec(kind="field", name="a", title="A", x="x", y="y"), table, table)
    assert said == "x and y are no numbers"


def test_panels_share_scale_and_axes(draw_figure):
    table = pd.concat([plane(name="one"), plane(name="two").assign(value=0.1)])
    made = draw_figure(Field(name="it", title="It", caption="", x="x", y="y", panel="name", levels=(0.5,)), table)
    assert {"one", "two"} <= set(made.words)
    assert made.words.count("−2") == 2  # below both panels; the left axis is written once


# Intervals


def measured() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "what": ["rotation", "blur", "noise", "zoom"],
            "value": [10.0, 20.0, math.nan, 30.0],
            "low": [8.0, 15.0, math.nan, 25.0],
            "high": [12.0, 25.0, math.nan, math.nan],
            "required": [5.0, 22.0, 1.0, math.nan],
            "verdict": ["passes", "undecided", None, "fails"],
            "n": 100,
        }
    )


ROWS = Intervals(name="it", title="It", caption="", x="value", y="what", colour="verdict", mark="required")


def test_rows_stand_in_the_order_of_the_table_with_dots_whiskers_and_marks(draw_figure):
    made = draw_figure(ROWS, measured())
    ys = [made.place(word)[1] for word in ("Rotation", "blur", "noise", "Zoom")]
    assert ys == sorted(ys)
    assert len({round(b - a, 2) for a, b in itertools.pairwise(ys)}) == 1
    assert made.dots == 3
    ticks = {word: made.place(word)[0] for word in ("10", "20", "30")}
    unit = (ticks["30"] - ticks["10"]) / 20
    lines = [path_points(group) for group in made.groups("line2d")]
    whiskers = [sorted(x for x, _ in line) for line in lines if len(line) == 2 and line[0][1] == line[1][1]]
    found = sorted(((a - ticks["10"]) / unit + 10, (b - ticks["10"]) / unit + 10) for a, b in whiskers)
    # An interval that is open above has its known half.
    assert found == [pytest.approx(ends, abs=0.05) for ends in ((8, 12), (15, 25), (25, 30))]
    strokes = [line[0][0] for line in lines if len(line) == 2 and line[0][0] == line[1][0] and line[0][1] != line[1][1]]
    required = sorted((x - ticks["10"]) / unit + 10 for x in strokes)
    for value in (1, 5, 22):
        assert any(abs(each - value) < 0.05 for each in required)
    assert "The upright stroke is what was required." in made.drawn.caption
    assert "Rotation: passes 10 (8 to 12), required 5" in made.drawn.alternative


def test_a_verdict_has_its_colour_on_every_page(draw_figure):
    made = draw_figure(ROWS, measured())
    colours = {use.get("style", "") for group in made.groups("PathCollection") for use in group.iter(f"{SVG}use")}
    assert any(LIGHT["green"] in style for style in colours)
    assert any(LIGHT["red"] in style for style in colours)


def test_several_colours_in_a_row_stand_below_one_another(draw_figure):
    table = pd.concat([measured().assign(network=name) for name in ("one", "two")])
    made = draw_figure(Intervals(name="it", title="It", caption="", x="value", y="what", colour="network"), table)
    places = [
        (float(use.get("x")), float(use.get("y")))
        for group in made.groups("PathCollection")
        for use in group.iter(f"{SVG}use")
    ]
    assert len(places) == len(set(places)) == 6
    assert {"one", "two"} <= set(made.words)


def test_panels_with_the_same_rows_stand_side_by_side_and_others_below_one_another(draw_figure):
    asked = Intervals(name="it", title="It", caption="", x="value", y="what", panel="part")
    same = pd.concat([measured().assign(part=name) for name in ("one", "two")])
    made = draw_figure(asked, same)
    assert made.place("one")[1] == made.place("two")[1]
    assert made.words.count("blur") == 1
    other = pd.concat([measured().assign(part="one"), measured().assign(part="two", what=list("abcd"))])
    made = draw_figure(asked, other)
    assert made.place("one")[0] == made.place("two")[0]
    assert made.place("one")[1] < made.place("blur")[1] < made.place("two")[1] < made.place("a")[1]


def test_groups_have_headings_once(draw_figure):
    table = measured().assign(section=["geometry", "detail", "detail", "geometry"])
    made = draw_figure(Intervals(name="it", title="It", caption="", x="value", y="what", group="section"), table)
    assert made.words.count("geometry") == made.words.count("detail") == 1
    assert made.place("geometry")[1] < made.place("Rotation")[1] < made.place("Zoom")[1] < made.place("detail")[1]


def test_a_thousand_rows_are_not_all_drawn(draw_figure):
    table = pd.DataFrame({"what": [f"class {i}" for i in range(1000)], "value": np.arange(1000.0)})
    made = draw_figure(Intervals(name="it", title="It", caption="", x="value", y="what"), table)
    assert made.dots == 80
    assert "920 rows more stand in the table" in made.drawn.caption


def test_layout_of_rows_is_that_of_the_pixels():
    rows = [("one", "a"), ("one", "b"), ("two", "c")]
    layout = arrange_rows(["first"], [rows], [2], beside=False)
    (block,) = layout.blocks
    # Rows of two dots are 13 · 2 + 11 high; a heading takes 24.
    assert block.middles == (24 + 18.5, 24 + 37 + 18.5, 48 + 74 + 18.5)
    assert block.height == 48 + 3 * 37
    assert [heading for heading, _ in block.headings] == ["one", "two"]
    assert layout.left + layout.width <= WIDTH


# Damaged requests


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"band": "yes"}, 'band of figure 1 cannot be "yes"'),
        ({"levels": 0.5}, "levels of figure 1 cannot be 0.5"),
        ({"levels": [0.5, "high"]}, "levels of figure 1 cannot be"),
        ({"levels": [1.0] * 13}, "levels of figure 1 cannot be"),
        ({"origin": [0]}, "origin of figure 1 cannot be [0]"),
        ({"origin": [0, None]}, "origin of figure 1 cannot be"),
        ({"mark": 3}, "mark of figure 1 cannot be 3"),
        ({"group": ["a"]}, "group of figure 1 cannot be"),
        ({"file": 1}, "file of figure 1 cannot be 1"),
        ({"zoom": 0}, "zoom of figure 1 cannot be 0"),
        ({"zoom": True}, "zoom of figure 1 cannot be true"),
    ],
)
def test_a_damaged_request_is_told(tmp_path, asked, words):
    (tmp_path / "figures.json").write_text(json.dumps([LINES | asked]))
    with pytest.raises(RunError, match=re.escape(words)):
        read_specs(tmp_path / "figures.json")


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (Intervals(name="a", title="A", caption="", x="value", y="what", mark="nothing"), "no column 'nothing'"),
        (Intervals(name="a", title="A", caption="", x="value", y="what", group="nothing"), "no column 'nothing'"),
        (Gallery(name="a", title="A", caption="", x="what", y="verdict"), "no column 'file'"),
        (Gallery(name="a", title="A", caption="", x="what", y="verdict", file="low", note="none"), "no column 'none'"),
        (Field(name="a", title="A", caption="", x="low", y="high", value="nothing"), "no column 'nothing'"),
        (Intervals(name="a", title="A", caption="", x="never", y="what"), "no value is known"),
    ],
)
def test_what_cannot_be_drawn_says_why(tmp_path, figure, words):
    (tmp_path / "figures.json").write_text(json.dumps([figure.plain()]))
    table = measured().assign(never=math.nan)
    assert words in draw_spec(read_specs(tmp_path / "figures.json")[0], table, table, tmp_path)


def test_panels_may_have_axes_of_their_own_with_their_units(draw_figure):
    parts = [("rotation", "degrees", 90.0), ("blur", "pixels", 3.0)]
    table = pd.concat([curve().assign(t=name, unit=unit, m=[0, end / 2, end]) for name, unit, end in parts])
    made = draw_figure(
        Lines(name="it", title="It", caption="", x="m", panel="t", band=True, free_x=True, aside="unit"), table
    )
    assert {"degrees", "pixels", "Rotation", "blur", "90", "3", "1.5", "45"} <= set(made.words)
    assert made.place("90")[0] < made.place("3")[0]
    assert made.place("degrees")[1] > made.place("Rotation")[1]
    shared = draw_figure(Lines(name="it", title="It", caption="", x="m", panel="t", band=True), table)
    assert "degrees" not in shared.words
    assert shared.words.count("80") == 2
