"""A search for thresholds in its directory: tables, sentences, provenance, and a run that goes on where it stopped."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch

from invariscope.core.errors import ImageError, RunError, SettingError
from invariscope.images.images import Images
from invariscope.report.page import make_report
from invariscope.studies.thresholds import conduct_thresholds
from invariscope.studies.thresholds_figures import by_tolerance
from invariscope.tolerance.search import find_thresholds
from invariscope.tolerance.search_work import Search
from search_world import digits, readout, ridge

QUICK = {"resolution": ["rotation=2", "brightness=0.02"], "replicates": 20, "device": "cpu"}
NAMES = "rotation,brightness"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("thresholds") / "run"
    return conduct_thresholds(ridge(digits(300)), digits(40), out, transformations=NAMES, **QUICK)


def table(out, name):
    return pd.read_parquet(out / f"{name}.parquet")


def test_the_tables_are_those_of_the_search(made):
    found = find_thresholds(ridge(digits(300)), digits(40), NAMES, resolution=QUICK["resolution"], replicates=20)
    pd.testing.assert_frame_equal(table(made, "image_thresholds"), found.images, check_dtype=False)
    pd.testing.assert_frame_equal(table(made, "thresholds"), found.thresholds, check_dtype=False)
    pd.testing.assert_frame_equal(table(made, "medians"), found.medians, check_dtype=False)
    info = json.loads((made / "run.json").read_text())
    assert (info["passes"], info["dense_passes"]) == (found.passes, found.dense_passes)
    assert info["ratio"] == pytest.approx(found.passes / found.dense_passes)
    assert info["kind"] == "thresholds"
    assert info["images"]["n"] == 40
    assert info["configuration"]["transformations"] == {
        "rotation": "-90 to 180 by 2",
        "brightness": "-0.6 to 0.6 by 0.02",
    }
    assert not (made / ".parts").exists()


def test_the_columns_are_those_of_the_contract(made):
    columns = (
        "transformation class criterion level side threshold low high bracket_low bracket_high censored reentries n"
    )
    assert table(made, "thresholds").columns.tolist() == columns.split()
    columns = (
        "image name class transformation criterion level side threshold bracket_low bracket_high censored reentries"
    )
    assert table(made, "image_thresholds").columns.tolist() == [*columns.split(), "asked", "unit_of_measure"]


def test_what_is_drawn_is_the_share_of_images_that_have_not_fallen(made):
    kept, images = table(made, "kept"), table(made, "image_thresholds")
    rows = kept[(kept["transformation"] == "rotation") & (kept["quality"] == "prediction")]
    assert rows["magnitude"].is_monotonic_increasing
    assert rows.loc[rows["magnitude"] == 0, "value"].item() == 1
    flips = images.query("transformation == 'rotation' and criterion == 'first-flip' and side == '+'")
    for row in rows[rows["magnitude"] > 0].itertuples():
        fallen = flips["bracket_high"] <= row.magnitude
        assert row.value == pytest.approx(1 - fallen.mean())


def test_the_sentences_have_the_numbers_of_the_tables(made):
    told = [each["sentence"] for each in json.loads((made / "findings.json").read_text())]
    assert len(told) == 9
    medians = table(made, "medians").query("criterion == 'first-flip' and transformation == 'rotation'")
    median = medians.query("`class` == 'all' and side == '+'")["median"].item()
    assert f"half at {median:.3g}°" in told[0]
    order = by_tolerance(medians)
    assert f"of 10 classes {order[0]} (" in told[1]
    info = json.loads((made / "run.json").read_text())
    assert f"{info['passes']:,} forward passes" in told[-1]


def test_the_page_shows_every_figure(made):
    page = make_report(made).read_text(encoding="utf-8")
    assert "is not drawn, because" not in page
    assert page.count("<svg") >= 3
    for words in ("How many images keep their answer", "Where answers give way under rotation", "Forward passes"):
        assert words in page


def test_a_search_that_was_interrupted_goes_on(tmp_path, made, monkeypatch):
    searched, search = [], Search.__call__

    def stopping(self, sides):
        if len(searched) == 1:
            raise KeyboardInterrupt
        searched.append(sides[0].family.name)
        return search(self, sides)

    network, images = ridge(digits(300)), digits(40)
    monkeypatch.setattr(Search, "__call__", stopping)
    with pytest.raises(KeyboardInterrupt):
        conduct_thresholds(network, images, tmp_path / "run", transformations=NAMES, **QUICK)
    monkeypatch.undo()
    with pytest.raises(RunError, match="--resume"):
        conduct_thresholds(network, images, tmp_path / "run", transformations=NAMES, **QUICK)
    with pytest.raises(RunError, match="other settings"):
        conduct_thresholds(network, images, tmp_path / "run", transformations="rotation", resume=True, device="cpu")
    out = conduct_thresholds(network, images, tmp_path / "run", transformations=NAMES, resume=True, **QUICK)
    assert searched == ["rotation"]
    for name in ("image_thresholds", "thresholds", "medians", "kept"):
        pd.testing.assert_frame_equal(table(out, name), table(made, name))
    assert json.loads((out / "run.json").read_text())["passes"] == json.loads((made / "run.json").read_text())["passes"]
    before = (out / "run.json").read_text()
    conduct_thresholds(network, images, out, transformations=NAMES, resume=True, **QUICK)
    assert (out / "run.json").read_text() == before


def test_images_without_labels(tmp_path):
    images = Images(torch.rand(6, 3, 8, 8))
    out = conduct_thresholds(
        readout([0.48, 0.52]),
        images,
        tmp_path / "run",
        transformations="brightness",
        **{**QUICK, "resolution": ["brightness=0.02"]},
    )
    info = json.loads((out / "run.json").read_text())
    assert info["clean_accuracy"] is None
    assert "no labels" in info["warnings"][0]
    assert "mean agreement" in " ".join(each["sentence"] for each in json.loads((out / "findings.json").read_text()))
    make_report(out)


def test_many_classes_are_shown_by_the_first_and_the_last(tmp_path):
    """Forty classes along the brightness: those in the middle of wide stretches give way last."""
    generator = np.random.default_rng(0)
    cuts = np.sort(generator.uniform(0.2, 0.8, 39)).astype(np.float32)
    ends = np.concatenate([[0.1], cuts, [0.9]])
    means = ((ends[1:] + ends[:-1]) / 2).astype(np.float32)
    pixels = torch.from_numpy(means)[:, None, None, None].expand(40, 1, 2, 2).contiguous()
    images = Images(pixels, list(range(40)), [f"c{place}" for place in range(40)])
    out = conduct_thresholds(
        readout(torch.from_numpy(cuts), gain=2000.0),
        images,
        tmp_path / "run",
        transformations="brightness",
        resolution=["brightness=0.001"],
        replicates=20,
        device="cpu",
    )
    shown = table(out, "shown").query("heading == 'Median image'")
    assert shown["row"].nunique() == 25
    width = np.diff(ends)[1:-1]
    assert f"c{1 + width.argmin()}" in shown["row"].tolist()
    assert math.isclose(table(out, "results")["n"].max(), 40)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"limit": 0}, SettingError, "limit takes 1 or more; got 0"),
        ({"replicates": 5}, SettingError, "replicates takes 20 or more"),
        ({"levels": []}, SettingError, "at least one level"),
        ({"criteria": ["accuracy"]}, ImageError, "criterion accuracy needs labels"),
    ],
)
def test_what_it_refuses_leaves_nothing(tmp_path, changes, error, message):
    images = Images(torch.rand(4, 3, 4, 4))
    with pytest.raises(error, match=message):
        conduct_thresholds(readout([0.5]), images, tmp_path / "run", **{"transformations": "brightness", **changes})
    assert not (tmp_path / "run").exists()
