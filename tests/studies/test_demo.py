import json
from pathlib import Path

import pandas as pd
import pytest

from invariscope.core.errors import RunError
from invariscope.runs.run import Run
from invariscope.studies.across_category import AcrossCategory
from invariscope.studies.demo import run_demo


def small(out: Path, seed: int = 0, **options: object) -> Path:
    study = AcrossCategory(images="builtin:glyphs?per_class=2", k=(1, 54), seeds=(seed,), epochs=1)
    return run_demo(out, seed=seed, study=study, transformations=["inversion", "horizontal-flip"], **options)


def stamps(out: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in out.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small(tmp_path_factory.mktemp("runs") / "demo", command="invariscope demo", workers=1)


def test_the_demo_leaves_a_table_and_two_runs(demo):
    info = json.loads((demo / "run.json").read_text())
    assert info["parts"] == ["glyphs", "digits"]
    assert (info["kind"], info["command"], info["seeds"]) == ("demo", "invariscope demo", {"seed": 0})
    assert not (demo / ".plan.json").exists()
    table = pd.read_parquet(demo / "paradigm.parquet")
    assert list(zip(table.transformation, table.k, strict=True)) == [
        (name, k) for k in (1, 54) for name in ("inversion", "rotation")
    ]
    for name in table.network:
        assert (demo / "networks" / f"{name}.safetensors").is_file()


def test_the_glyphs_are_measured_by_group_on_the_network_that_saw_most(demo):
    run, table = Run(demo / "glyphs"), pd.read_parquet(demo / "paradigm.parquet")
    assert run.info["network"]["spec"].endswith(f"{table.network[2]}.safetensors")
    assert set(run.units.group) == {"all", "seen", "unseen"}
    assert len(run.info["configuration"]["group_classes"]) == 54
    assert set(run.curves.transformation) == {"inversion", "horizontal-flip"}
    assert run.info["clean_accuracy"] == pytest.approx(table.clean[2])


def test_the_full_measurement_agrees_with_the_study(demo):
    table, run = pd.read_parquet(demo / "paradigm.parquet"), Run(demo / "glyphs")
    row = table.iloc[2]
    units = run.units.query("transformation == 'inversion' and magnitude == 1 and layer == @row.layer")
    for group in ("all", "seen", "unseen"):
        mine = units[units.group == group].invariance.mean()
        assert row[f"invariance_{group}"] == pytest.approx(mine, abs=1e-5)


def test_the_digits_are_measured_on_a_network_that_saw_nothing_transformed(demo):
    run = Run(demo / "digits")
    assert run.info["images"]["n"] == 500
    assert run.info["network"]["outputs"] == 10
    assert run.info["clean_accuracy"] > 0.9
    assert set(run.units.group) == {"all"}


def test_a_finished_demo_is_left_as_it_is(demo):
    before = stamps(demo)
    small(demo)
    assert stamps(demo) == before


def test_another_seed_needs_another_place(demo):
    with pytest.raises(RunError, match="say --overwrite"):
        small(demo, seed=1)


def test_an_interrupted_demo_goes_on(demo, monkeypatch, tmp_path):
    import shutil

    out = tmp_path / "demo"
    shutil.copytree(demo, out)
    key = json.loads((out / "run.json").read_text())["key"]
    (out / "run.json").unlink()
    (out / ".plan.json").write_text(json.dumps({"key": key}))
    shutil.rmtree(out / "digits")
    kept = {file: stamp for file, stamp in stamps(out).items() if "networks" in file.parts or "glyphs" in file.parts}
    small(out, workers=1)
    after = stamps(out)
    assert {file: after[file] for file in kept} == kept
    for name in ("units", "curves", "verdicts"):
        once, again = (pd.read_parquet(place / "digits" / f"{name}.parquet") for place in (demo, out))
        pd.testing.assert_frame_equal(once, again, check_exact=True)
