"""Recorded responses from arrays, files and tables."""

import numpy as np
import pandas as pd
import pytest
import torch

import invariscope as inv
from invariscope.core.errors import ShapeError
from invariscope.responses.recorded import from_arrays, from_table, load_recorded

QUICK = {"replicates": 20}


def some(stimuli=12, units=4, seed=0, repeats=None):
    shape = (stimuli, units) if repeats is None else (stimuli, repeats, units)
    draw = np.random.Generator(np.random.PCG64(seed))
    return draw.random(shape), draw.random(shape)


def table_of(clean, moved, name="rotation", magnitude=30.0):
    """One row per response, in a shuffled order, with clean rows at the identity."""
    rows = [
        {"stimulus": s, "unit": u, "transformation": name, "magnitude": at, "repeat": r, "response": block[s, r, u]}
        for at, block in ((0.0, clean), (magnitude, moved))
        for s, r, u in np.ndindex(block.shape)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=3)


def strengths(run):
    return run.units.dropna(subset="magnitude").reset_index(drop=True)


def test_the_public_function_stays_where_the_room_has_its_name():
    from invariscope.responses import recorded

    assert recorded.from_arrays is from_arrays
    assert inv.responses.__name__ == "measure_responses"


def test_units_are_those_of_the_public_functions():
    clean, moved = some()
    rows = strengths(inv.responses(clean, moved, **QUICK))
    assert rows["invariance"].to_numpy() == pytest.approx(inv.invariance_coefficient(clean, moved), abs=1e-6)
    assert rows["specialization"].to_numpy() == pytest.approx(inv.specialization(clean, moved), abs=1e-6)
    assert rows["correlation"].to_numpy() == pytest.approx(
        [np.corrcoef(clean[:, unit], moved[:, unit])[0, 1] for unit in range(4)], abs=1e-5
    )
    assert rows["clean_variance"].to_numpy() == pytest.approx(clean.var(0, ddof=1), rel=1e-5)
    assert rows["n_images"].tolist() == [12] * 4
    assert rows["noise_floor"].isna().all()


@pytest.mark.parametrize("kind", ["numpy", "torch", "npz", "float32"])
def test_every_way_in_is_the_same(kind, tmp_path):
    clean, moved = (values.astype(np.float32) for values in some())
    expected = inv.responses(clean.astype(np.float64), moved.astype(np.float64), **QUICK).units
    if kind == "npz":
        np.savez(tmp_path / "responses.npz", clean=clean, transformed=moved)
        run = inv.responses(tmp_path / "responses.npz", **QUICK)
    elif kind == "torch":
        run = inv.responses(torch.from_numpy(clean), torch.from_numpy(moved).requires_grad_(), **QUICK)
    else:
        run = inv.responses(clean if kind == "float32" else clean.astype(np.float64), moved, **QUICK)
    pd.testing.assert_frame_equal(run.units, expected)


def test_repeats_are_averaged():
    clean, moved = some(repeats=5)
    expected = inv.responses(clean.mean(1), moved.mean(1), **QUICK)
    run = inv.responses(clean, moved, **QUICK)
    pd.testing.assert_frame_equal(run.units, expected.units)
    assert any("5 or more repeats per stimulus were averaged" in warning for warning in run.info["warnings"])
    assert not expected.info["warnings"]


@pytest.mark.parametrize("suffix", ["parquet", "pq"])
def test_a_table_is_the_arrays_in_rows(suffix, tmp_path):
    clean, moved = some(repeats=3)
    file = tmp_path / f"responses.{suffix}"
    table_of(clean, moved).to_parquet(file)
    expected = inv.responses(clean, moved, transformation="rotation", magnitude=30.0, **QUICK)
    for run in (inv.responses(file, **QUICK), inv.responses(table_of(clean, moved), **QUICK)):
        pd.testing.assert_frame_equal(run.units, expected.units, rtol=1e-5, atol=1e-6)
        assert run.info["transformations"]["rotation"]["unit_of_measure"] == "degrees"


def test_a_table_of_several_strengths():
    clean, moved = some(repeats=2)
    more = some(repeats=2, seed=5)[0]
    zoomed = table_of(clean, more, "zoom", 2.0)
    zoomed = zoomed[zoomed["magnitude"] != 0]
    table = pd.concat([table_of(clean, moved), table_of(clean, more, "rotation", 60.0), zoomed])
    run = inv.responses(table, **QUICK)
    rows = strengths(run)
    assert set(zip(rows["transformation"], rows["magnitude"], strict=True)) == {
        ("rotation", 30),
        ("rotation", 60),
        ("zoom", 2),
    }
    sweep = np.stack([clean.mean(1), moved.mean(1), more.mean(1)])
    over = run.units[run.units["magnitude"].isna() & (run.units["transformation"] == "rotation")]
    assert over["transformation_variance"].to_numpy() == pytest.approx(sweep.std(0, ddof=1).mean(0), rel=1e-5)
    assert over["sample_variance"].to_numpy() == pytest.approx(sweep.std(1, ddof=1).mean(0), rel=1e-5)


def test_clean_rows_may_be_named_instead():
    clean, moved = some(repeats=1)
    table = table_of(clean, moved)
    first = table["magnitude"] == 0
    table.loc[first, "transformation"], table.loc[first, "magnitude"] = "clean", np.nan
    expected = inv.responses(table_of(clean, moved), **QUICK)
    pd.testing.assert_frame_equal(inv.responses(table, **QUICK).units, expected.units)


def test_transformations_whose_names_are_alike_are_kept_apart():
    clean, moved = some(repeats=1)
    table = pd.concat([table_of(clean, moved, "a b", 1.0), table_of(clean, clean, "a/b", 1.0)])
    rows = strengths(inv.responses(table, **QUICK)).groupby("transformation")["invariance"].mean()
    assert rows["a/b"] == pytest.approx(1)
    assert rows["a b"] < 0.9


def test_a_name_and_a_magnitude_in_the_file(tmp_path):
    clean, moved = some()
    np.savez(tmp_path / "some.npz", clean=clean, transformed=moved, transformation="rotation", magnitude=45)
    rows = strengths(inv.responses(tmp_path / "some.npz", **QUICK))
    assert set(rows["transformation"]) == {"rotation"}
    assert set(rows["magnitude"]) == {45.0}


def test_the_verdict_has_shares_and_no_tolerance():
    clean = some(40, 6)[0]
    moved = clean.copy()
    moved[:, 4:] = 0
    run = inv.responses(clean, moved, **QUICK)
    [row] = run.verdicts.to_dict("records")
    assert (row["invariant_share"], row["specialized_share"]) == (pytest.approx(4 / 6), pytest.approx(2 / 6))
    assert pd.isna(row["tolerated"])
    assert np.isnan(row["relative_accuracy"])
    assert run.curves.empty
    assert run.thresholds.empty
    assert run.info["kind"] == "responses"
    assert run.report().exists()


def test_negative_responses_are_told_or_treated():
    clean, moved = (values - 0.5 for values in some())
    run = inv.responses(clean, moved, **QUICK)
    assert strengths(run)["invariance"].isna().all()
    assert strengths(run)["correlation"].notna().all()
    assert any("--negative" in warning for warning in run.info["warnings"])
    treated = strengths(inv.responses(clean, moved, negative="abs", **QUICK))
    assert treated["invariance"].to_numpy() == pytest.approx(
        inv.invariance_coefficient(np.abs(clean), np.abs(moved)), abs=1e-6
    )


def test_a_run_of_responses_lies_where_it_is_told_and_is_not_written_twice(tmp_path):
    clean, moved = some()
    inv.responses(clean, moved, out=tmp_path / "run", **QUICK)
    with pytest.raises(inv.InvariscopeError, match="holds a finished run"):
        inv.responses(clean, moved, out=tmp_path / "run", **QUICK)
    with pytest.raises(inv.InvariscopeError, match="other settings"):
        inv.responses(moved, clean, out=tmp_path / "run", resume=True, **QUICK)
    again = inv.responses(clean, moved, out=tmp_path / "run", resume=True, **QUICK)
    assert {path.name for path in again.path.iterdir()} >= {"run.json", "README.txt", "units.parquet", "layers.parquet"}
    assert "units.parquet" in (again.path / "README.txt").read_text()


GOOD = np.ones((5, 3))


@pytest.mark.parametrize(
    ("clean", "moved", "words"),
    [
        (GOOD, np.ones((4, 3)), r"same stimuli and units; got \(5, 3\) and \(4, 3\)"),
        (GOOD, np.ones((5, 2)), "same stimuli and units"),
        (np.ones(5), GOOD, r"numbers of shape \(stimuli, units\)"),
        (np.ones((5, 2, 2, 3)), GOOD, r"numbers of shape"),
        (np.ones((0, 3)), np.ones((0, 3)), r"got float64 of shape \(0, 3\)"),
        (GOOD, np.full((5, 3), "a"), "numbers of shape"),
        (GOOD, np.where(np.eye(5, 3), np.nan, 1), "transformed responses hold 3 values that are missing or infinite"),
        (np.full((5, 3), np.inf), GOOD, "clean responses hold 15 values"),
        (np.full((5, 3), 1e300), GOOD, "clean responses hold 15 values"),
    ],
)
def test_arrays_that_do_not_fit(clean, moved, words):
    with pytest.raises(ShapeError, match=words):
        from_arrays(clean, moved)


def test_one_array_is_not_enough():
    with pytest.raises(ShapeError, match=r"two arrays \(clean and transformed\); got one array"):
        inv.responses(GOOD)


def good_table():
    return table_of(*some(3, 2, repeats=1))


def with_value(column, value):
    table = good_table().astype({column: object})
    table.iloc[0, table.columns.get_loc(column)] = value
    return table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (good_table().drop(columns="response"), "needs the column 'response'; it has stimulus, unit"),
        (good_table().query("magnitude == 0"), "has no transformed rows"),
        (good_table().query("magnitude != 0"), r"has no clean rows \(identity magnitude\)"),
        (good_table().iloc[1:], "1 values that are missing"),
        (with_value("response", "much"), r"the column 'response' .* finite numbers; 1 of 12 rows .* first 'much'"),
        (with_value("response", np.nan), "the column 'response' .* first nan"),
        (with_value("magnitude", "far"), "the column 'magnitude' .* first 'far'"),
        (with_value("magnitude", None), "the column 'magnitude'"),
        (with_value("unit", None), "the column 'unit' .* rows without a value"),
        (good_table().iloc[:0], "has no clean rows"),
    ],
)
def test_tables_that_do_not_fit(table, words):
    with pytest.raises(ShapeError, match=words):
        from_table(table)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.npz", None, "does not exist; give an .npz or .parquet file"),
        ("a.npz", b"nothing", "cannot be read as .npz"),
        ("a.npz", b"", "cannot be read as .npz"),
        ("a.npz", {"clean": GOOD}, r"no array called 'transformed'; it has clean"),
        ("a.npz", {"other": GOOD}, "no array called 'clean'; it has other"),
        ("a.npz", {"clean": np.array([object()]), "transformed": GOOD}, "cannot be read as .npz"),
        ("a.parquet", b"nothing", "cannot be read as parquet"),
        ("a.csv", b"1,2", r"come as .npz or .parquet; got a.csv"),
        ("a.npz", {"clean": GOOD, "transformed": GOOD, "magnitude": GOOD}, "magnitude"),
    ],
)
def test_files_that_do_not_fit(name, content, words, tmp_path):
    file = tmp_path / name
    if isinstance(content, dict):
        np.savez(file, **content)
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(ShapeError, match=words) as told:
        load_recorded(file)
    assert "\n" not in str(told.value)
