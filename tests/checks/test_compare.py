"""Runs side by side: known shifts are found, nothing is found where nothing is, and what cannot be compared is told."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from compare_world import CLASSES, GRID, STEP, Hidden, images, measured

import invariscope as inv
from invariscope.checks.compare import compare_runs
from invariscope.core.errors import RunError, SettingError
from invariscope.report.page import make_report
from invariscope.runs.responses import measure_responses


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two read-outs on the same images: the second's bound is one step lower."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: measured(folder / name, steps).path for name, steps in (("before", 0), ("after", 1))}


@pytest.fixture(scope="module")
def compared(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared") / "out"
    return compare_runs([runs["before"], runs["after"]], out)


def table(out, name="compare"):
    return pd.read_parquet(out / f"{name}.parquet")


def row(rows, **where):
    for column, value in where.items():
        rows = rows[rows[column] == value]
    [found] = rows.to_dict("records")
    return found


def case(criterion="accuracy", level=0.5, side="+", of="dark"):
    return {"criterion": criterion, "level": level, "side": side, "class": of}


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


def test_without_outcomes_the_runs_own_intervals_are_wider(compared, runs, tmp_path):
    for name in runs:
        shutil.copytree(runs[name], tmp_path / name)
        (tmp_path / name / "outcomes.parquet").unlink()
    out = compare_runs([tmp_path / "before", tmp_path / "after"], tmp_path / "out")
    keys = ["transformation", "class", "criterion", "level", "side"]
    loose, tight = (each.set_index(keys) for each in (table(out), table(compared)))
    assert set(loose["basis"]) == {"unpaired"}
    assert loose["difference"].to_numpy() == pytest.approx(
        tight.loc[loose.index, "difference"].to_numpy(), abs=1e-6, nan_ok=True
    )
    known = tight["difference"].notna()
    widths = [(each["high"] - each["low"])[known] for each in (loose.loc[tight.index], tight)]
    there = widths[0].notna()
    assert there.sum() > 10
    assert (widths[0][there] > widths[1][there] - 1e-9).all()
    assert (widths[0][there] > 1.5 * widths[1][there]).mean() > 0.8
    info = json.loads((out / "run.json").read_text())
    assert any("kept no outcomes" in warning for warning in info["warnings"])
    assert any("unpaired" in limit for limit in info["limits"])


def test_different_images_are_compared_by_intervals(runs, tmp_path):
    other = measured(tmp_path / "other", 0, pictures=images(seed=5))
    out = compare_runs([runs["before"], other.path], tmp_path / "out")
    assert set(table(out)["basis"]) == {"unpaired"}
    assert any("different images" in warning for warning in json.loads((out / "run.json").read_text())["warnings"])


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


def test_grids_that_differ_are_compared_where_they_meet(runs, tmp_path):
    coarse = measured(tmp_path / "coarse", 1, grids={"brightness": GRID[::2]})
    rows = table(compare_runs([runs["before"], coarse.path], tmp_path / "out"))
    assert set(rows["grid"]) == {"shared"}
    both = measured(tmp_path / "reference", 0, grids={"brightness": GRID[::2]})
    same = table(compare_runs([both.path, coarse.path], tmp_path / "same"))
    assert rows["difference"].to_numpy() == pytest.approx(same["difference"].to_numpy(), abs=1e-9, nan_ok=True)
    few = measured(tmp_path / "few", 1, grids={"brightness": [-0.4, -0.2, GRID[14], 0.2, 0.3, 0.4]})
    own = table(compare_runs([runs["before"], few.path], tmp_path / "own"))
    assert set(own["grid"]) == {"own"}
    assert "different grids" in (tmp_path / "own" / "run.json").read_text()


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


def test_another_architecture_has_no_layers_in_common(runs, tmp_path):
    other = measured(tmp_path / "other", network=Hidden())
    out = compare_runs([runs["before"], other.path], tmp_path / "out")
    assert not (out / "layers.parquet").exists()
    assert len(table(out))


def test_without_labels_agreement_is_compared(tmp_path):
    a, b = (measured(tmp_path / f"{n}", n, pictures=images(labelled=False)).path for n in (0, 1))
    out = compare_runs([a, b], tmp_path / "out")
    rows, curves = table(out), table(out, "curves")
    assert set(rows["criterion"]) == {"agreement", "first-flip"}
    assert set(rows["class"]) == {"all"}
    assert set(rows["basis"]) == {"paired"}
    assert set(curves["quality"]) == {"agreement"}
    assert row(rows, criterion="agreement", level=0.9, side="+")["difference"] == pytest.approx(-STEP, abs=1e-9)
    make_report(out)


def test_recorded_responses_are_compared_by_their_layer(tmp_path):
    draw = np.random.default_rng(0)
    clean = draw.uniform(0.5, 1, (30, 3))
    for name, kept in (("a", 0.8), ("b", 0.5)):
        measure_responses(clean, clean * [1, kept, 1], out=tmp_path / name, replicates=20)
    out = compare_runs([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not (out / "compare.parquet").exists()
    assert table(out, "units").iloc[0][["layer", "unit"]].tolist() == ["recorded", 1]
    assert (table(out, "layers")["difference"] < 0).all()
    assert make_report(out).exists()


def test_settings_that_differ_are_told(runs, tmp_path):
    other = measured(tmp_path / "other", 1, seed=4, tau=0.2, grids={"brightness": GRID, "contrast": [0.5]})
    out = compare_runs([runs["before"], other.path], tmp_path / "out")
    told = " ".join(json.loads((out / "run.json").read_text())["warnings"])
    assert "tau is 0.1 in before and 0.2 in other" in told
    assert "seed is 0 in before and 4 in other" in told
    assert "Only other has contrast" in told
    # Another order of the images is no other set of them.
    assert set(table(out)["basis"]) == {"paired"}
    assert row(table(out), **case())["difference"] == pytest.approx(-STEP, abs=1e-9)


def test_what_cannot_be_compared_is_told(runs, tmp_path):
    before = runs["before"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=r"empty is no run"):
        compare_runs([before, tmp_path / "empty"], tmp_path / "out")
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / ".plan.json").write_text("{}")
    with pytest.raises(RunError, match=r"unfinished run.*--resume"):
        compare_runs([before, tmp_path / "unfinished"], tmp_path / "out")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "run.json").write_text(json.dumps({"kind": "study"}))
    with pytest.raises(RunError, match=r"a run of `study`; compare takes runs of `measure`"):
        compare_runs([before, tmp_path / "study"], tmp_path / "out")
    with pytest.raises(SettingError, match=r"two runs or more.*got 1"):
        compare_runs([before], tmp_path / "out")
    for settings, words in (
        ({"correction": "none"}, r"holm, bh; got 'none'"),
        ({"least": -0.1}, r"0 or more; got -0.1"),
        ({"replicates": 5}, r"100 or more; got 5"),
    ):
        with pytest.raises(SettingError, match=words):
            compare_runs([before, before], tmp_path / "out", **settings)
    other = measured(tmp_path / "other", network=Hidden(), grids={"contrast": [0.5]})
    with pytest.raises(RunError, match=r"nothing in common.*brightness and contrast"):
        compare_runs([before, other.path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_is_told(runs, tmp_path):
    shutil.copytree(runs["after"], tmp_path / "after")
    (tmp_path / "after" / "outcomes.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(RunError, match=r"outcomes.parquet is damaged.*--overwrite"):
        compare_runs([runs["before"], tmp_path / "after"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_finished_comparison_is_not_overwritten(compared, runs):
    with pytest.raises(RunError, match=r"--resume.*--overwrite"):
        compare_runs([runs["before"], runs["after"]], compared)
    with pytest.raises(RunError, match=r"other settings"):
        compare_runs([runs["before"], runs["after"]], compared, resume=True, least=0.2)


def test_the_page_says_what_got_worse_first(compared):
    text = make_report(compared).read_text()
    assert "What changed from before to after?" in text
    order = [
        text.index(words)
        for words in (">Got worse<", "<h2>Thresholds that moved", ">What got worse", ">What got better")
    ]
    assert order == sorted(order)
    assert "is not drawn" not in text
    assert all(f"({side}), by class: {of}" in text for side, of in (("+", CLASSES[1]), ("−", CLASSES[0])))
