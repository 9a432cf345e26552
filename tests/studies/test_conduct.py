import json
from pathlib import Path

import pandas as pd
import pytest

from invariscope.core.errors import RunError
from invariscope.studies.across_category import AcrossCategory
from invariscope.studies.conduct import conduct_study

SMALL = AcrossCategory(images="builtin:glyphs?per_class=2", k=(1, 54), seeds=(0, 1), epochs=1)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "across"
    return conduct_study(SMALL, folder, scale="smoke", engine="serial", command="invariscope study across-category")


def test_the_directory_holds_what_the_contract_says(out):
    info = json.loads((out / "run.json").read_text())
    assert (info["kind"], info["study"], info["scale"], info["jobs"]) == ("study", "across-category", "smoke", 8)
    assert info["question"].startswith("Does a network that sees k classes transformed recognise")
    assert info["limits"]
    assert info["source"].startswith("Jang et al., figures 2b")
    results = pd.read_parquet(out / "results.parquet")
    assert {"seed", "quantity", "value", "low", "high", "n", "unit_of_measure", "source"} <= set(results.columns)
    assert len(pd.read_parquet(out / "networks.parquet")) == 8
    findings = json.loads((out / "findings.json").read_text())
    assert all(finding["verdict"] in ("holds", "does not hold", "undecided", "") for finding in findings)
    assert not (out / ".plan.json").exists()


def test_every_figure_names_tables_and_columns_that_are_there(out):
    figures = json.loads((out / "figures.json").read_text())
    assert len({figure["name"] for figure in figures}) == len(figures) == 5
    for figure in figures:
        table = pd.read_parquet(out / f"{figure['table']}.parquet")
        named = [figure["x"], figure["y"], figure["panel"], figure["colour"], *figure["where"]]
        assert set(filter(None, named)) <= set(table.columns)
        for column, values in figure["where"].items():
            assert set(values if isinstance(values, list) else [values]) <= set(table[column])


def test_a_finished_study_is_kept(out):
    with pytest.raises(RunError, match="holds a finished run"):
        conduct_study(SMALL, out, scale="smoke", engine="serial")
    before = (out / "run.json").stat().st_mtime_ns
    conduct_study(SMALL, out, scale="smoke", engine="serial", resume=True)
    assert (out / "run.json").stat().st_mtime_ns == before


def test_networks_of_an_earlier_study_are_taken(out, tmp_path):
    again = conduct_study(SMALL, tmp_path / "again", scale="smoke", engine="serial", networks=out / "networks")
    for file in sorted((out / "networks").iterdir()):
        assert (again / "networks" / file.name).read_bytes() == file.read_bytes()
    pd.testing.assert_frame_equal(
        pd.read_parquet(again / "results.parquet"), pd.read_parquet(out / "results.parquet"), check_exact=True
    )
    with pytest.raises(RunError, match="is no folder of networks"):
        conduct_study(SMALL, tmp_path / "third", engine="serial", networks=tmp_path / "nowhere")
    assert not (tmp_path / "third").exists()


def test_overwriting_leaves_nothing_of_the_old_study_and_all_of_a_persons_own(tmp_path):
    one = AcrossCategory(images="builtin:glyphs?per_class=2", k=(1,), seeds=(0,), epochs=1)
    (tmp_path / "own.parquet").write_bytes(b"mine")
    conduct_study(one, tmp_path, engine="serial")
    (tmp_path / "pictures").mkdir()
    old = {file.name for file in (tmp_path / "networks").iterdir()}
    other = AcrossCategory(images="builtin:glyphs?per_class=2", k=(2,), seeds=(0,), epochs=1)
    conduct_study(other, tmp_path, engine="serial", overwrite=True)
    assert not old & {file.name for file in (tmp_path / "networks").iterdir()}
    assert (tmp_path / "own.parquet").read_bytes() == b"mine"
    assert not (tmp_path / "pictures").exists()
    assert set(pd.read_parquet(tmp_path / "networks.parquet").k) == {2}


def test_bad_settings_leave_nothing(tmp_path):
    from invariscope.core.errors import SettingError

    with pytest.raises(SettingError, match="got k = 99"):
        conduct_study(AcrossCategory(k=(99,)), tmp_path / "bad", engine="serial")
    assert not (tmp_path / "bad").exists()


def test_an_engine_that_cannot_begin_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="there is no sbatch here"):
        conduct_study(SMALL, tmp_path / "none", engine="slurm:jobs=2")
    assert not (tmp_path / "none").exists()
