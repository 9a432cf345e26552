"""Runs side by side: known shifts are found exactly, and nothing is found where nothing is."""

import json

import numpy as np
import pytest
from compare_world import CLASSES, GRID, STEP, Hidden, case, images, measured, row, table

import invariscope as inv
from invariscope.checks.compare import compare_runs
from invariscope.report.page import make_report


@pytest.mark.parametrize("criterion", ["accuracy", "agreement", "first-flip"])
def test_a_shift_by_one_step_is_found_exactly(compared, criterion):
    """Every dark image flips one step earlier, every bright one a step later: so do all thresholds."""
    rows = table(compared)
    for side, of, sign in (("+", "dark", -1), ("-", "bright", 1)):
        for level in (0.9, 0.5):
            found = row(rows, **case(criterion, level, side, of))
            assert found["difference"] == pytest.approx(sign * STEP, abs=1e-9)
            outward = 1 if side == "+" else -1
            assert found["b"] - found["a"] == pytest.approx(outward * sign * STEP, abs=1e-9)
            # As every image moves by the same, so does every draw of them.
            assert [found["low"], found["high"]] == pytest.approx([sign * STEP] * 2, abs=1e-9)
            assert (found["regression"], found["improvement"]) == (sign < 0, sign > 0)
            assert found["relative"] == pytest.approx(found["difference"] / abs(found["a"]))
            assert (found["basis"], found["grid"], found["n"]) == ("paired", "same", 30)
    whole = row(rows, **case(criterion, 0.9, "+", "all"))
    assert whole["difference"] == pytest.approx(-STEP, abs=1e-9)
    assert whole["regression"]


def test_thresholds_are_those_of_the_runs(compared, runs):
    """Read again from single images, they are the numbers that each run wrote."""
    rows = table(compared)
    keys = ["transformation", "class", "criterion", "level", "side"]
    for column, name in (("a", "before"), ("b", "after")):
        own = inv.Run(runs[name]).thresholds.set_index(keys)["threshold"]
        found = rows.set_index(keys)[column]
        assert set(found.index) == set(own.index)
        assert found.to_numpy() == pytest.approx(own.loc[found.index].to_numpy(), abs=1e-6, nan_ok=True)


def test_what_neither_run_reaches_is_not_tested(compared):
    found = row(table(compared), **case(level=0.5, side="+", of="all"))
    assert np.isnan([found["a"], found["b"], found["difference"], found["p"], found["p_adjusted"]]).all()
    assert not found["regression"]
    assert found["a_beyond"] == pytest.approx(GRID[-1])
    said = json.loads((compared / "findings.json").read_text())
    assert any("could not be tested" in each["sentence"] for each in said)


def test_other_way_round_is_the_opposite(compared, runs, tmp_path):
    other = table(compare_runs([runs["after"], runs["before"]], tmp_path / "out"))
    rows = table(compared)
    keys = ["transformation", "class", "criterion", "level", "side"]
    assert other[keys].equals(rows[keys])
    for mine, theirs, sign in (("a", "b", 1), ("difference", "difference", -1), ("low", "high", -1), ("p", "p", 1)):
        assert sign * other[mine].to_numpy() == pytest.approx(rows[theirs].to_numpy(), abs=1e-9, nan_ok=True)
    assert other["regression"].equals(rows["improvement"].rename("regression"))
    curves, back = table(compared, "curves"), table(tmp_path / "out", "curves")
    for mine, theirs, sign in (("difference", "difference", -1), ("low", "high", -1), ("p_adjusted", "p_adjusted", 1)):
        assert sign * back[mine].to_numpy() == pytest.approx(curves[theirs].to_numpy(), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_against_itself_shows_nothing(runs, tmp_path, seed):
    out = compare_runs([runs["before"], runs["before"]], tmp_path / "out", seed=seed)
    rows, curves = table(out), table(out, "curves")
    assert not rows[["regression", "improvement"]].any(axis=None)
    known = rows["difference"].notna()
    assert (rows.loc[known, ["difference", "low", "high"]] == 0).all(axis=None)
    assert (rows.loc[rows["p"].notna(), "p"] == 1).all()
    assert (curves["p"] == 1).all()
    assert not curves[["regression", "improvement"]].any(axis=None)


def test_curves_count_images(compared):
    """Within the band between both bounds dark images are lost, one step's worth at a time."""
    curves = table(compared, "curves")
    pixels = images()
    means = pixels.fit(inv.Recipe(channels=0)).pixels.numpy().mean((1, 2, 3))
    dark = pixels.labels == 1
    for magnitude in GRID:
        found = row(curves, magnitude=magnitude, **{"class": "dark"})
        right = [(means[dark] + np.float32(magnitude)).clip(0, 1) <= bound for bound in (0.5, 0.5 - STEP)]
        assert [found["a"], found["b"]] == pytest.approx([right[0].mean(), right[1].mean()])
        lost = int((right[0] & ~right[1]).sum())
        assert found["difference"] == pytest.approx(-lost / 30)
        # All that changes gets worse: twice the chance of so many heads in a row.
        assert found["p"] == pytest.approx(min(1, 2 * 0.5**lost))
        assert found["low"] <= found["difference"] <= found["high"]
    clean = curves[curves["magnitude"] == 0]
    assert clean["p_adjusted"].isna().all()


def test_the_same_comparison_has_the_same_bytes(compared, runs, tmp_path):
    again = compare_runs([runs["before"], runs["after"]], tmp_path / "out")
    for name in ("compare.parquet", "curves.parquet", "moved.parquet", "findings.json", "figures.json"):
        assert (again / name).read_bytes() == (compared / name).read_bytes(), name
    stamps = {path: path.stat().st_mtime_ns for path in again.iterdir()}
    assert compare_runs([runs["before"], runs["after"]], again, resume=True) == again
    assert {path: path.stat().st_mtime_ns for path in again.iterdir()} == stamps


def test_a_threshold_that_leaves_the_grid_is_bounded(runs, tmp_path):
    """With a bound 20 steps lower no bright image is ever lost: at least as far as the grid goes."""
    far = measured(tmp_path / "far", 20)
    out = compare_runs([runs["before"], far.path], tmp_path / "out")
    found = row(table(out), **case("agreement", 0.5, "-", "bright"))
    assert np.isnan(found["b"])
    assert np.isnan(found["difference"])
    reach = abs(GRID[0]) - abs(found["a"])
    assert found["at_least"] == pytest.approx(reach)
    assert found["b_beyond"] == pytest.approx(GRID[0])
    assert np.isnan(found["high"])
    assert 0 < found["low"] <= reach
    assert found["improvement"]
    back = row(
        table(compare_runs([far.path, runs["before"]], tmp_path / "back")), **case("agreement", 0.5, "-", "bright")
    )
    assert back["regression"]
    assert back["at_most"] == pytest.approx(-reach)
    sentences = [each["sentence"] for each in json.loads((tmp_path / "back" / "findings.json").read_text())]
    assert any("instead of beyond" in sentence and "or further" in sentence for sentence in sentences)


def test_only_what_matters_is_called_worse(runs, tmp_path):
    out = compare_runs([runs["before"], runs["after"]], tmp_path / "out", least=0.9)
    assert not table(out)[["regression", "improvement"]].any(axis=None)
    relative = table(out)["relative"].abs()
    some = compare_runs([runs["before"], runs["after"]], tmp_path / "some", least=0.15)
    moved = table(some)["regression"] | table(some)["improvement"]
    assert moved.any()
    assert (relative[moved] > 0.15).all()


def test_the_correction_spans_all_runs(compared, runs, tmp_path):
    three = table(compare_runs([runs["before"], runs["after"], runs["before"]], tmp_path / "out", replicates=2000))
    two = table(compare_runs([runs["before"], runs["after"]], tmp_path / "two", replicates=2000))
    first = three[three["run"] == "after"].reset_index(drop=True)
    assert first["p"].equals(two["p"])
    whole = (two["class"] == "all") & (two["p"] < 0.01)
    assert (first["p_adjusted"][whole] > two["p_adjusted"][whole]).all()
    generous = table(compare_runs([runs["before"], runs["after"]], tmp_path / "bh", replicates=2000, correction="bh"))
    assert (generous["p_adjusted"].dropna() <= two["p_adjusted"].dropna() + 1e-12).all()
    assert not three.loc[three["run"] != "after", "regression"].any()
    said = json.loads((tmp_path / "out" / "findings.json").read_text())
    worse = [each["sentence"] for each in said if each["claim"] == "What got worse"]
    assert worse
    assert all(sentence.startswith("after: ") for sentence in worse)


def test_layers_and_units_of_one_architecture(tmp_path):
    some = {"layers": "relu,output", "negative": "rectify"}
    one = measured(tmp_path / "one", network=Hidden(), **some)
    other = measured(tmp_path / "other", network=Hidden(steps=2), **some)
    out = compare_runs([one.path, other.path], tmp_path / "out")
    layers, units = table(out, "layers"), table(out, "units")
    assert set(layers["layer"]) == {"relu", "output"}
    for found in layers.to_dict("records"):
        own = [
            row(
                run.layers,
                layer=found["layer"],
                magnitude=found["magnitude"],
                measure="invariance",
                group="all",
            )
            for run in (one, other)
        ]
        assert [found["a"], found["b"]] == pytest.approx([each["mean"] for each in own])
        assert found["difference"] == pytest.approx(own[1]["mean"] - own[0]["mean"])
        assert found["low"] <= found["difference"] <= found["high"]
    assert (units["difference"].abs().diff().dropna() <= 1e-7).all()
    biggest = units.iloc[0]
    keys = ["layer", "unit", "transformation"]
    means = [
        run.units[(run.units[keys] == biggest[keys]).all(axis=1) & (run.units["group"] == "all")]["invariance"].mean()
        for run in (one, other)
    ]
    assert biggest["difference"] == pytest.approx(means[1] - means[0], abs=1e-6)
    assert any(
        each["claim"].startswith("Invariance of 2 layers") for each in json.loads((out / "findings.json").read_text())
    )


def test_the_page_says_what_got_worse_first(compared):
    text = make_report(compared).read_text()
    assert "What changed from before to after?" in text
    order = [
        text.index(words)
        for words in (">Got worse<", "<h2>Thresholds that moved", ">What got worse", ">What got better")
    ]
    assert order == sorted(order)
    assert "is not drawn" not in text
    assert "does not hold" not in text
    assert all(f"({side}), by class: {of}" in text for side, of in (("+", CLASSES[1]), ("−", CLASSES[0])))


def test_whatever_moved_is_drawn(compared):
    """Softmax of a read-out moves too, and is drawn though its thresholds are not drawn otherwise."""
    rows, drawn = table(compared), table(compared, "moved")
    whole = rows[rows["class"] == "all"]
    moved = whole[whole["regression"] | whole["improvement"]]
    assert (drawn["verdict"] != "no evidence").sum() == len(moved)
    assert (drawn["verdict"] == "worse").sum() == whole["regression"].sum()
    worst = drawn[drawn["verdict"] == "worse"].iloc[0]
    assert worst["change"] < 0
    assert worst["case"].startswith("+ ")
