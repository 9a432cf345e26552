"""What lies in a run directory: files, columns, and the words that describe them."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from run_world import GRIDS, N_IMAGES, QUICK, measured, small_network, some_images

import invariscope as inv

COLUMNS = {
    "verdicts": """transformation magnitude group tolerated invariant_share specialized_share neither_share
        ablation_invariant ablation_specialized low high""",
    "curves": """transformation magnitude unit_of_measure class n accuracy accuracy_low accuracy_high agreement
        softmax_true""",
    "softmax": "transformation magnitude class predicted softmax",
    "predictions": "transformation magnitude class predicted n",
    "outcomes": "image transformation magnitude class predicted correct softmax_true",
    "thresholds": """transformation class criterion level side threshold low high bracket_low bracket_high censored
        reentries n""",
    "units": """layer unit transformation magnitude group n_images n_active invariance specialization tau null
        noise_floor clean_variance correlation goodfellow_global goodfellow_local goodfellow_local_unconditioned
        transformation_variance sample_variance normalized_variance negative""",
    "layers": """layer transformation magnitude group measure n_units n_dead mean low high q25 median q75 null
        noise_floor""",
}
KEYS = {
    *("version", "command", "configuration", "seeds", "network", "images", "device", "seconds", "warnings"),
    *("clean_accuracy", "started", "environment", "sites", "last_hidden_site", "transformations"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("run") / "run", group_classes=["red"])


@pytest.mark.parametrize("name", COLUMNS)
def test_every_table_has_its_columns(run, name):
    table = pd.read_parquet(run.path / f"{name}.parquet")
    assert set(COLUMNS[name].split()) <= set(table)
    assert len(table)
    pd.testing.assert_frame_equal(getattr(run, name), table)
    assert set(table["transformation"]) == set(GRIDS)
    assert list(dict.fromkeys(table["transformation"])) == list(GRIDS)


@pytest.mark.parametrize("name", ["curves", "thresholds", "predictions"])
def test_all_classes_together_come_first(run, name):
    table = getattr(run, name)
    keys = [key for key in ("transformation", "magnitude") if key in table]
    for _, rows in table.groupby(keys):
        assert list(dict.fromkeys(rows["class"])) == ["all", "red", "green", "blue"]


def test_there_is_a_row_for_every_strength(run):
    expected = {(name, float(value)) for name, grid in GRIDS.items() for value in [*grid, 0]}
    assert set(zip(run.curves["transformation"], run.curves["magnitude"], strict=True)) == expected
    without_identity = {(name, value) for name, value in expected if value != 0}
    per_strength = run.units.dropna(subset="magnitude")
    assert set(zip(per_strength["transformation"], per_strength["magnitude"], strict=True)) == without_identity
    assert set(zip(run.verdicts["transformation"], run.verdicts["magnitude"], strict=True)) == without_identity
    counts = per_strength.groupby(["transformation", "magnitude", "group", "layer"]).size()
    assert set(counts.xs("1", level="layer")) == {6}
    assert set(counts.xs("5", level="layer")) == {8}
    assert set(counts.xs("output", level="layer")) == {3}


def test_groups_and_their_sizes(run):
    assert dict(run.units.groupby("group")["n_images"].unique().map(list)) == {"all": [20], "seen": [7], "unseen": [13]}
    assert list(dict.fromkeys(run.units["group"])) == ["all", "seen", "unseen"]
    assert set(run.verdicts["group"]) == {"all", "seen", "unseen"}


def test_variances_stand_on_rows_over_the_whole_grid(run):
    names = ["transformation_variance", "sample_variance", "normalized_variance"]
    per_strength, whole = run.units.dropna(subset="magnitude"), run.units[run.units["magnitude"].isna()]
    assert per_strength[names].isna().all(axis=None)
    assert whole[names[:2]].notna().all(axis=None)
    others = ["invariance", "specialization", "null", "noise_floor", "clean_variance", "correlation", "n_active"]
    assert whole[others].isna().all(axis=None)


def test_only_what_interpolates_has_a_noise_floor(run):
    per_strength = run.units[~run.units["negative"]].dropna(subset=["magnitude", "invariance"])
    assert per_strength[per_strength["transformation"] == "rotation"]["noise_floor"].notna().all()
    assert per_strength[per_strength["transformation"] != "rotation"]["noise_floor"].isna().all()
    rows = run.layers[run.layers["measure"] == "invariance"].dropna(subset=["magnitude", "mean"])
    assert (rows["low"] <= rows["high"]).all()


def test_layers_summarise_units(run):
    units = run.units[(run.units["layer"] == "1") & (run.units["group"] == "seen")].query("magnitude == 20")
    rows = run.layers[(run.layers["layer"] == "1") & (run.layers["group"] == "seen")].query("magnitude == 20")
    for measure in ("invariance", "specialization", "correlation", "clean_variance"):
        [row] = rows[rows["measure"] == measure].to_dict("records")
        assert row["mean"] == pytest.approx(units[measure].mean(), rel=1e-5)
        assert row["median"] == pytest.approx(units[measure].median(), rel=1e-5)
        assert [row["q25"], row["q75"]] == pytest.approx(units[measure].quantile([0.25, 0.75]).tolist(), rel=1e-5)
        assert row["n_units"] == 6


def test_units_are_what_the_network_answers(run):
    """The whole way again by hand: forward passes, maxima over positions, the public functions."""
    network, images = small_network().eval(), some_images()
    pixels = torch.from_numpy(images.fit(inv.Recipe(channels=0)).pixels.numpy())
    with torch.no_grad():
        hidden = [network[:2](one).amax((2, 3)) for one in (pixels, inv.Inversion()(pixels, 1.0))]
    rows = run.units.query("layer == '1' and transformation == 'inversion' and magnitude == 1 and group == 'all'")
    assert rows["invariance"].to_numpy() == pytest.approx(inv.invariance_coefficient(*hidden).numpy(), abs=1e-5)
    assert rows["specialization"].to_numpy() == pytest.approx(inv.specialization(*hidden).numpy(), abs=1e-5)
    assert rows["clean_variance"].to_numpy() == pytest.approx(hidden[0].var(0).numpy(), rel=1e-3)
    with torch.no_grad():
        right = (network(inv.Inversion()(pixels, 1.0)).argmax(1).numpy() == images.labels).mean()
    row = run.curves.query("transformation == 'inversion' and magnitude == 1 and `class` == 'all'")
    assert row["accuracy"].item() == pytest.approx(right)


def test_the_record_says_what_was_done(run):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    info = json.loads((run.path / "run.json").read_text(), parse_constant=refuse)
    assert set(info) >= KEYS
    assert info == run.info
    assert info["version"] == inv.__version__
    assert {"spec", "fingerprint", "classes", "recipe", "parameters", "outputs"} <= set(info["network"])
    assert info["network"]["classes"] == ["red", "green", "blue"]
    assert info["network"]["parameters"] == sum(p.numel() for p in small_network().parameters())
    assert {"spec", "fingerprint", "n", "skipped", "classes", "size"} <= set(info["images"])
    assert (info["images"]["n"], info["images"]["skipped"], info["images"]["size"]) == (N_IMAGES, 0, [12, 12])
    assert info["configuration"]["transformations"]["rotation"] == [-90, 0, 20]
    assert info["configuration"]["group_classes"] == ["red"]
    assert info["seeds"] == {"seed": 3}
    assert info["device"] == "cpu"
    assert info["last_hidden_site"] == "5"
    assert [site["name"] for site in info["sites"]] == ["1", "5", "output"]
    assert {"unit_of_measure", "identity", "magnitudes", "summary"} <= set(info["transformations"]["rotation"])


def test_the_readme_names_every_file(run):
    text = (run.path / "README.txt").read_text()
    written = {path.name for path in run.path.iterdir()} - {"README.txt"}
    assert written == {"run.json", "examples", *(f"{name}.parquet" for name in COLUMNS)}
    assert all(name in text for name in written)
    assert "20 measured, 0 skipped" in text
    assert "pandas.read_parquet" in text


def test_pictures_and_their_index(run):
    index = json.loads((run.path / "examples" / "index.json").read_text())
    files = {entry[key] for entry in index for key in ("file", "file_transformed") if key in entry}
    assert files == {path.name for path in (run.path / "examples").glob("*.png")}
    strengths = [entry for entry in index if entry["kind"] == "strength"]
    shown = {(entry["transformation"], entry["magnitude"]) for entry in strengths}
    assert shown == set(zip(run.curves["transformation"], run.curves["magnitude"], strict=True))
    driving = [entry for entry in index if entry["kind"] == "driving"]
    assert {entry["role"] for entry in driving} == {"most-invariant", "least-invariant"}
    assert {entry["layer"] for entry in driving} == {"5"}
    assert all(entry["class"] in ("red", "green", "blue") for entry in index)
    best, worst = (
        np.mean([entry["invariance"] for entry in driving if entry["role"] == role])
        for role in ("most-invariant", "least-invariant")
    )
    assert best >= worst
    with Image.open(run.path / "examples" / driving[0]["file"]) as picture:
        assert picture.mode == "RGB"


def test_driving_responses_are_the_units_largest(run):
    index = json.loads((run.path / "examples" / "index.json").read_text())
    network, pixels = small_network().eval(), some_images().fit(inv.Recipe(channels=0)).pixels
    with torch.no_grad():
        responses = network[:6](torch.from_numpy(pixels.numpy()))
    for entry in index:
        if entry["kind"] == "driving":
            response = responses[entry["image"], entry["unit"]].item()
            assert entry["clean_response"] == pytest.approx(response, abs=1e-6)
            rank = (responses[:, entry["unit"]] > response + 1e-6).sum().item()
            assert rank <= entry["rank"]


def test_positions_have_a_file_per_layer(tmp_path):
    run = measured(tmp_path / "run", layers=["1", "5"], units="positions", transformations={"rotation": [90]})
    assert sorted(path.name for path in (run.path / "units").iterdir()) == ["000-1.parquet", "001-5.parquet"]
    assert not (run.path / "units.parquet").exists()
    units = run.units.query("layer == '1' and magnitude == 90")
    assert units["unit"].tolist() == list(range(6 * 10 * 10))
    with torch.no_grad():
        network, pixels = (
            small_network().eval(),
            torch.from_numpy(some_images().fit(inv.Recipe(channels=0)).pixels.numpy()),
        )
        clean, moved = (network[:2](one).flatten(1) for one in (pixels, pixels.rot90(1, (2, 3))))
    assert units["invariance"].to_numpy() == pytest.approx(
        inv.invariance_coefficient(clean, moved).numpy(), abs=1e-5, nan_ok=True
    )
    assert len(run.curves)
    assert run.verdicts.empty


def test_positions_of_all_layers_must_be_named():
    with pytest.raises(inv.InvariscopeError, match=r"layers must be named"):
        measured(units="positions")


def test_the_same_settings_in_words(run):
    """Names and magnitudes as the command line has them are the mapping of the call."""
    words = measured(
        transformations="rotation,gaussian-noise,inversion",
        magnitudes=["rotation=-90,20", "gaussian-noise=0.1", "inversion=1"],
        group_classes=["red"],
    )
    pd.testing.assert_frame_equal(words.units, run.units)


def test_the_default_grid_is_measured_where_none_is_given():
    run = inv.measure(small_network(), some_images(), transformations=["inversion", inv.Rotation()], **QUICK)
    expected = {"inversion": inv.Inversion().default_grid(12, 12), "rotation": inv.Rotation().default_grid(12, 12)}
    for name, grid in expected.items():
        assert sorted(run.curves.loc[run.curves["transformation"] == name, "magnitude"].unique()) == sorted(grid)
