"""Pictures on a page: where they stand, in which form, and that only those of the run are shown."""

import re

import numpy as np
import pandas as pd
import pytest
from example_study import make_study, tables_of
from page_reader import read_page
from PIL import Image

from invariscope.findings.figures import Gallery
from invariscope.report.embedded import lightened
from invariscope.report.page import make_report


@pytest.fixture
def pictures(tmp_path) -> pd.DataFrame:
    rows = []
    (tmp_path / "pictures").mkdir()
    random = np.random.Generator(np.random.PCG64(0))
    for row in ("cat", "dog"):
        for magnitude in (0, 30, 60):
            name = f"pictures/{row}-{magnitude}.png"
            Image.fromarray(random.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(tmp_path / name)
            rows.append({"magnitude": magnitude, "image": row, "file": name, "said": f"{row} {magnitude}"})
    return pd.DataFrame(rows)


GALLERY = Gallery(name="it", title="It", caption="", x="magnitude", y="image", note="said")


def test_small_pictures_keep_their_pixels_and_are_enlarged_in_whole_steps(draw_figure, pictures):
    made = draw_figure(GALLERY, pictures)
    assert len(made.pictures) == 6
    for wide, high, transform in made.pictures:
        assert (wide, high) == (16, 16)
        assert re.match(r"matrix\(4 0 0 4 \d+ \d+\)", transform), transform
    assert {"cat", "dog", "0", "30", "60", "cat 0", "dog 60"} <= set(made.words)
    assert "6 pictures in 2 rows" in made.drawn.alternative


def test_pictures_stand_in_rows_and_columns_below_their_headings(draw_figure, pictures):
    made = draw_figure(GALLERY, pictures)
    places = [tuple(map(float, re.findall(r"-?[\d.]+", transform)[4:])) for _, _, transform in made.pictures]
    assert len({x for x, _ in places}) == 3
    assert len({y for _, y in places}) == 2
    left = min(x for x, _ in places)
    assert abs(made.place("0")[0] - (left + 32)) < 8
    assert made.place("cat 0")[1] > min(y for _, y in places) + 64
    assert made.place("cat 0")[1] < max(y for _, y in places)


def test_notes_break_where_they_say_and_places_without_a_row_are_no_missing_pictures(draw_figure, pictures):
    pictures["said"] = [f"{magnitude}°\ncat 98\u202f%" for magnitude in pictures["magnitude"]]
    made = draw_figure(GALLERY, pictures.iloc[:-1])
    assert {"30°", "cat 98\u202f%"} <= set(made.words)
    assert made.place("cat 98\u202f%")[1] > made.place("0°")[1]
    assert "not there" not in made.drawn.caption
    assert "·" in made.words
    assert "0 0°, cat 98\u202f%" in made.drawn.alternative


def test_large_pictures_are_made_smaller_and_zoom_enlarges(draw_figure, pictures, tmp_path):
    Image.new("RGB", (300, 200), (10, 200, 30)).save(tmp_path / "large.png")
    made = draw_figure(GALLERY, pd.DataFrame({"magnitude": [0], "image": ["a"], "file": ["large.png"], "said": [None]}))
    assert max(max(wide, high) for wide, high, _ in made.pictures) <= 200
    zoomed = draw_figure(Gallery(name="it", title="It", caption="", x="magnitude", y="image", zoom=8), pictures)
    assert all(transform.startswith("matrix(8 0 0 8") for _, _, transform in zoomed.pictures)


@pytest.mark.parametrize("name", ["../outside.png", "/etc/hostname", "nothing.png", "broken.png"])
def test_what_is_no_picture_of_the_run_is_not_shown(draw_figure, pictures, tmp_path, name):
    Image.new("RGB", (4, 4)).save(tmp_path.parent / "outside.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    pictures.loc[0, "file"] = name
    made = draw_figure(GALLERY, pictures)
    assert len(made.pictures) == 5
    assert "1 picture is not there." in made.drawn.caption


def test_the_page_holds_pictures_in_a_small_form(tmp_path, pictures):
    random = np.random.Generator(np.random.PCG64(1))
    noise = np.repeat(np.repeat(random.integers(0, 255, (30, 30, 3), dtype=np.uint8), 5, 0), 5, 1)
    Image.fromarray(np.asarray(Image.fromarray(noise).rotate(7))).save(tmp_path / "photo.png")
    table = pd.DataFrame({"magnitude": [0], "image": ["a"], "file": ["photo.png"], "said": ["x"]})
    figures = [GALLERY.plain(), {**GALLERY.plain(), "name": "small", "table": "pictures"}]
    tables = {**tables_of(("inversion",), 1), "results": table, "pictures": pictures}
    page = make_report(make_study(tmp_path, figures=figures, tables=tables))
    text = page.read_text()
    assert text.count("data:image/jpeg") == 1
    assert text.count("data:image/webp") + text.count("data:image/png") == 6
    assert "pixelated" in text
    assert read_page(page).all("svg")


def test_what_is_no_png_is_left_as_it_is():
    text = '<image href="data:image/png;base64,nothing"/>'
    assert lightened(text) == text
