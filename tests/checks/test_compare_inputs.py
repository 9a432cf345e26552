"""Which runs can be compared and how: other images, grids, settings and kinds of runs, and what is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from compare_world import GRID, STEP, Hidden, case, images, measured, row, table

from invariscope.checks.compare import compare_runs
from invariscope.core.errors import RunError, SettingError
from invariscope.report.page import make_report
from invariscope.runs.responses import measure_responses


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


def test_bounds_from_intervals_alone(runs, tmp_path):
    """A threshold beyond a short grid says nothing against one further out, and much against one further in."""
    short = measured(tmp_path / "short", 0, grids={"brightness": [GRID[7], GRID[11]]})
    far = measured(tmp_path / "far", 20)
    for path in (short.path, far.path):
        (path / "outcomes.parquet").unlink()
    silent = row(table(compare_runs([short.path, runs["before"]], tmp_path / "silent")), **case())
    assert (silent["basis"], silent["p"], silent["regression"], silent["improvement"]) == ("unpaired", 1, False, False)
    assert silent["at_most"] == pytest.approx(silent["b"] - GRID[11])
    assert np.isnan([silent["difference"], silent["low"], silent["at_least"]]).all()
    told = row(
        table(compare_runs([runs["before"], far.path], tmp_path / "told")), **case("agreement", 0.5, "-", "bright")
    )
    assert told["at_least"] == pytest.approx(abs(GRID[0]) - abs(told["a"]))
    assert 0 < told["low"] < told["at_least"]
    assert told["improvement"]


def test_images_that_one_run_could_not_read_are_left_out(compared, runs, tmp_path):
    shutil.copytree(runs["after"], tmp_path / "after")
    outcomes = pd.read_parquet(tmp_path / "after" / "outcomes.parquet")
    outcomes[~outcomes["image"].isin([0, 7, 30])].to_parquet(tmp_path / "after" / "outcomes.parquet", index=False)
    rows = table(compare_runs([runs["before"], tmp_path / "after"], tmp_path / "out"))
    assert rows["n"].max() == 57
    assert set(rows["basis"]) == {"paired"}
    assert row(rows, **case())["difference"] == pytest.approx(-STEP, abs=1e-9)
    assert not rows["a"].equals(table(compared)["a"])


def test_different_images_are_compared_by_intervals(runs, tmp_path):
    other = measured(tmp_path / "other", 0, pictures=images(seed=5))
    out = compare_runs([runs["before"], other.path], tmp_path / "out")
    assert set(table(out)["basis"]) == {"unpaired"}
    assert any("different images" in warning for warning in json.loads((out / "run.json").read_text())["warnings"])


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
