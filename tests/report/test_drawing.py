"""Figures as files and as parts of the page, and the pictures in it."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from example_run import make_paradigm
from PIL import Image

from invariscope.report.ink import COLOURS, Drawn, inline, save, sheet, styled
from invariscope.report.page import make_report
from invariscope.report.pictures import embed, spread, unenlarged


@pytest.fixture
def svg(tmp_path):
    with styled():
        figure = sheet(200, 100)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.plot([0, 1], [0, 1], marker="o", color=COLOURS["blue"][0])
        axes.text(0.5, 0.5, "0.0625 #0067a6 <b> $x$", color=COLOURS["ink"][0])
        return save(Drawn("line", "A line", "", "A line", figure), tmp_path)


def test_files_keep_light_colours_and_the_page_follows_the_reader(svg):
    assert "stroke: #0067a6" in svg
    body = inline(svg, "p-")
    assert "stroke: var(--blue)" in body
    assert "fill: var(--ink)" in body


def test_text_is_text_and_stays_as_it_is(svg):
    assert ">0.0625 #0067a6 &lt;b&gt; $x$</text>" in inline(svg, "p-")


def test_a_part_of_the_page_has_no_addresses_and_names_of_its_own(svg):
    body = inline(svg, "first")
    assert "http" not in body
    assert "<style" not in body
    assert body.count("<g") == body.count("</g>")
    assert 'id="first-' in body
    assert inline(svg, "other").count('id="other-') == body.count('id="first-')
    assert len(body) < 0.5 * len(svg)


def test_every_light_colour_stands_for_one_name():
    light = [pair[0] for pair in COLOURS.values()]
    assert len(light) == len(set(light))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["ink", "muted", "green", "orange-ink", "red", "blue"])
@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_that_the_accessibility_guidelines_ask(name, mode):
    dark, bright = sorted(luminance(COLOURS[key][mode]) for key in (name, "paper"))
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def decoded(address):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB"))


def test_a_small_picture_is_embedded_at_its_own_size_without_loss(tmp_path):
    pixels = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((96, 64), Image.Resampling.NEAREST).save(tmp_path / "a.png")
    assert np.array_equal(decoded(embed(tmp_path / "a.png")), pixels)


def test_a_photograph_becomes_a_small_jpeg(tmp_path):
    y, x = np.mgrid[0:200, 0:300]
    pixels = np.stack([x * 0.8, y, (x + y) / 2], -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    address = embed(tmp_path / "a.png")
    assert address.startswith("data:image/jpeg;")
    assert max(decoded(address).shape) == 112


def test_a_picture_that_was_not_enlarged_stays():
    pixels = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    assert unenlarged(Image.fromarray(pixels)).size == (6, 6)


@pytest.mark.parametrize("identity", [-40, 0, 40])
def test_the_clean_picture_and_both_ends_are_always_shown(identity):
    magnitudes = list(range(-60, 70, 10))
    chosen = spread(magnitudes, identity, 7)
    assert {-60, identity, 60} <= set(chosen)
    assert chosen == sorted(chosen)
    assert len(chosen) == 7


def test_transformations_that_were_trained_at_once_are_counted_above_and_named_below(tmp_path):
    make_paradigm(tmp_path)
    table = pd.read_parquet(tmp_path / "paradigm.parquet")
    several = table[table["transformation"] == table["transformation"][0]]
    several = several.assign(transformation="inversion+gaussian-blur+rotation")
    several.to_parquet(tmp_path / "paradigm.parquet", index=False)
    page = make_report(tmp_path).read_text(encoding="utf-8")
    assert "3 at once: mean invariance" in page
    assert "3 at once: inversion, Gaussian blur and rotation." in page
