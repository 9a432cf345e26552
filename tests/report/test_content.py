"""What the page says: the answers within a minute, and what becomes of them when a part of the run is missing."""

import numpy as np
import pandas as pd
import pytest
from example_run import SMALL, make_example
from page_reader import read_page

from invariscope.report.answers import answer_all
from invariscope.report.page import make_report
from invariscope.report.read import read_run
from invariscope.report.sections import build

ONE = SMALL | {"transformations": ("rotation",)}


@pytest.fixture(scope="module")
def section(run, tmp_path_factory):
    return build(read_run(run), tmp_path_factory.mktemp("figures"))


def text_of(path, **settings):
    return read_page(make_report(make_example(path, **ONE | settings))).text


def test_a_reader_finds_the_four_answers(run, page, section):
    cards = {card.question: card for card in section.cards}
    assert list(cards) == ["Largest safe rotation", "Worst class", "Becomes invariant", "Is it invariance?"]
    thresholds = pd.read_parquet(run / "thresholds.parquet").query(
        "transformation == 'rotation' and criterion == 'accuracy' and level == 0.9 and `class` == 'all'"
    )
    low, high = (thresholds.set_index("side").threshold[side] for side in "-+")
    assert cards["Largest safe rotation"].answer == f"−{-low:.0f}° to +{high:.0f}°"
    assert cards["Worst class"].answer in SMALL["classes"]
    assert all(card.answer in page.text for card in section.cards)


def test_the_first_table_has_a_row_per_transformation(run, section):
    assert [row["name"] for row in section.verdicts] == ["rotation", "horizontal-flip", "hue", "gaussian-blur"]
    verdicts = pd.read_parquet(run / "verdicts.parquet")
    for row, answer in zip(section.verdicts, answer_all(read_run(run)), strict=True):
        there = verdicts[(verdicts.transformation == answer.name) & (verdicts.magnitude == answer.magnitude)].iloc[0]
        assert row["verdict"] == there.verdict
        assert row["shares"] == pytest.approx([there.invariant_share, there.specialized_share, there.neither_share])


def test_the_sections_stand_in_the_order_in_which_they_are_read(page):
    heads = ["Verdicts", "Tolerance curves", "Example images", "Thresholds by class", "Layers and units"]
    heads += ["What drives the units", "What this cannot tell", "All numbers", "Provenance"]
    source = page.source[page.source.index("<main") :]
    places = [source.index(f">{head}</h2>") for head in heads]
    assert places == sorted(places)


def test_sample_sizes_units_and_provenance_are_stated(page):
    for words in ("n = 60 images per point", "n = 20 images per class", "degrees", "9f2c", "77ab", "τ = 0.1"):
        assert words in page.text
    assert "invariscope measure builtin:cifar-resnet20 test.parquet" in page.text


def test_warnings_of_the_run_are_shown(tmp_path):
    assert "3 images were skipped" in text_of(tmp_path, warnings=["3 images were skipped"], units=False)


def test_without_labels_it_speaks_of_agreement(tmp_path):
    text = text_of(tmp_path, labels=False)
    assert "keeps at least 90 % of clean agreement" in text
    assert "compared with its own answers" in text
    assert "Wilson" not in text
    assert "accuracy" not in text[: text.index("All numbers", text.index("What this cannot tell"))].replace(
        "Accuracy at magnitude", ""
    )


def test_with_one_class_there_is_no_worst_one(tmp_path):
    text = text_of(tmp_path, classes=("cat",))
    assert "The worst class is" not in text
    assert "Worst classcat" not in text
    assert "Largest safe rotation" in text
    assert not (tmp_path / "figures" / "classes.svg").exists()


def test_tolerance_alone_makes_a_page_without_layers(tmp_path):
    text = text_of(tmp_path, units=False)
    assert "Largest safe rotation" in text
    assert "Layers and units" not in text
    assert "Is it invariance?" not in text
    assert not (tmp_path / "figures" / "depth.svg").exists()


def test_recorded_responses_alone_make_a_page_without_tolerance(tmp_path):
    text = text_of(tmp_path, tolerance=False)
    assert "Layers and units" in text
    assert "Tolerance curves" not in text
    assert "Largest safe rotation" not in text


def test_a_run_of_nothing_still_says_where_it_comes_from(tmp_path):
    text = text_of(tmp_path, tolerance=False, units=False)
    assert "Provenance" in text
    assert "Verdicts" not in text


def test_what_never_falls_is_said_to_be_all_that_was_measured(tmp_path):
    make_example(tmp_path, **ONE | {"units": False})
    table = pd.read_parquet(tmp_path / "thresholds.parquet")
    table[["threshold", "low", "high", "bracket_low", "bracket_high"]] = np.nan
    table["censored"] = True
    table.to_parquet(tmp_path / "thresholds.parquet")
    text = read_page(make_report(tmp_path)).text
    assert "under every rotation that was measured (−180° to +180°)" in text
    assert "all that was measured" in text
    assert "never reached" in text


def test_an_interval_that_leaves_the_grid_says_so(tmp_path):
    make_example(tmp_path, **ONE | {"units": False})
    table = pd.read_parquet(tmp_path / "thresholds.parquet")
    row = (table["class"] == "all") & (table.criterion == "accuracy") & (table.level == 0.9) & (table.side == "+")
    table.loc[row, ["threshold", "low", "high", "reentries"]] = [60.0, 35.0, np.nan, 1]
    table.to_parquet(tmp_path / "thresholds.parquet")
    text = read_page(make_report(tmp_path)).text
    assert "[35, beyond 180]" in text
    assert "recovers further out" in text


def test_positions_as_units_are_read_from_one_file_per_layer(tmp_path):
    make_example(tmp_path, **ONE)
    units = pd.read_parquet(tmp_path / "units.parquet")
    (tmp_path / "units.parquet").unlink()
    (tmp_path / "units").mkdir()
    for layer, rows in units.groupby("layer"):
        rows.to_parquet(tmp_path / "units" / f"{layer}.parquet")
    chosen = read_run(tmp_path).units([("rotation", 15.0)])
    assert len(chosen) == len(units[units.magnitude == 15.0])
    assert read_run(tmp_path).units([]).empty


def test_parts_are_whole_sections_below_the_paradigm(demo):
    page = read_page(demo / "report.html")
    assert page.text.index("Seen and unseen classes") < page.text.index("Largest safe rotation")
    heads = [attributes["id"] for attributes in page.all("header")]
    assert heads == ["top", "part1-top", "part2-top"]
    assert "First network" in page.text
    assert (demo / "figures" / "part2-layers-inversion.svg").is_file()
    assert (demo / "figures" / "paradigm.png").is_file()


def test_parts_may_be_named_by_their_folder(demo, tmp_path):
    (tmp_path / "run.json").write_text('{"parts": ["glyphs"]}')
    make_example(tmp_path / "glyphs", **ONE | {"units": False})
    assert [part.title for part in read_run(tmp_path).parts] == ["Glyphs: full measurement"]


def test_classes_with_a_handful_of_images_are_not_ranked(tmp_path):
    text = text_of(tmp_path, n_per_class=4, units=False)
    assert "Worst classcannot be toldat most 4 images per class" in text
    assert "The worst class is" not in text
    assert not (tmp_path / "figures" / "classes.svg").exists()
