"""An interrupted run goes on where it was, and ends with the bytes of one that was not interrupted."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from run_world import GRIDS, N_IMAGES, QUICK, Counts, Stops, contents, measured, small_network, some_images

import invariscope as inv
from invariscope.core.errors import RunError

PASSES = 1 + 3 + 1 + 1  # clean; rotation twice and its noise floor; noise; inversion


slow = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run; tests copy it before they touch it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    measured(folder)
    return folder


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """A run that was interrupted in its second transformation; tests copy it before they touch it."""
    folder = tmp_path_factory.mktemp("part") / "run"
    with pytest.raises(KeyboardInterrupt):
        measured(folder, progress=Stops(int(4.5 * N_IMAGES)))
    return folder


@pytest.fixture(scope="module")
def whole(finished):
    return contents(finished)


@pytest.mark.parametrize("passes", [0, 4.5, *(pytest.param(passes, marks=slow) for passes in (1, 3.5, 4, 5, 5.9))])
def test_an_interrupted_run_goes_on_and_ends_the_same(passes, tmp_path, whole, finished):
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "run", progress=Stops(int(passes * N_IMAGES)))
    assert not (tmp_path / "run" / "run.json").exists()
    with pytest.raises(RunError, match=r"unfinished run.*--resume"):
        inv.Run(tmp_path / "run")
    counts = Counts()
    run = measured(tmp_path / "run", resume=True, progress=counts)
    assert contents(tmp_path / "run") == whole
    assert run.info["clean_accuracy"] == inv.Run(finished).info["clean_accuracy"]
    # Rotation takes two strengths and its noise floor: what was finished before is not measured again.
    kept = {True: 0, passes >= 4: 3, passes >= 5: 4}[True]
    assert counts.done == counts.total == (PASSES - kept) * N_IMAGES


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from run_world import Stops, measured
measured({out!r}, progress=Stops({after}, kill=True), memory="1kB")
"""


def test_a_killed_process_leaves_a_run_that_goes_on(tmp_path, whole):
    """Killed in the middle of the second transformation, with the responses in temporary files."""
    out = tmp_path / "run"
    script = SCRIPT.format(here=str(Path(__file__).parent), out=str(out), after=int(4.5 * N_IMAGES))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (out / ".parts" / "rotation").is_dir()
    assert list((out / ".parts").glob(".responses-*"))
    assert not (out / "run.json").exists()
    measured(out, resume=True)
    assert contents(out) == whole


@pytest.mark.parametrize("write", [10, 25, *(pytest.param(write, marks=slow) for write in (0, 4, 19, 30))])
def test_a_stop_at_any_write_leaves_a_run_that_goes_on(write, tmp_path, whole, monkeypatch):
    """A run of three transformations writes 24 tables of parts, then 7 whole ones."""
    original, calls = pd.DataFrame.to_parquet, []

    def stopping(self, *arguments, **settings):
        calls.append(1)
        if len(calls) == write + 1:
            Path(arguments[0]).write_bytes(b"half")
            raise KeyboardInterrupt
        return original(self, *arguments, **settings)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", stopping)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()
    monkeypatch.undo()
    measured(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == whole


def test_responses_in_temporary_files_give_the_same_bytes(tmp_path, whole):
    measured(tmp_path / "run", memory="1kB")
    assert contents(tmp_path / "run") == whole


def test_a_finished_run_is_returned_as_it_is(tmp_path, finished):
    shutil.copytree(finished, tmp_path / "run")
    first = inv.Run(tmp_path / "run")
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    counts = Counts()
    again = measured(tmp_path / "run", resume=True, progress=counts)
    assert counts.total == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == stamps
    assert again.info == first.info


def test_more_memory_may_go_on_with_less(tmp_path, finished):
    shutil.copytree(finished, tmp_path / "run")
    counts = Counts()
    measured(tmp_path / "run", resume=True, memory="3GiB", progress=counts)
    assert counts.total == 0


OTHERS = [
    {"tau": 0.2},
    {"seed": 4},
    {"layers": ["1"]},
    {"transformations": {"rotation": [-90, 21], "gaussian-noise": [0.1], "inversion": [1]}},
    {"transformations": {"rotation": [-90, 20]}},
    {"negative": "abs"},
    {"limit": 10},
    {"group_classes": ["red"]},
    {"class_names": ["red", "blue", "green"]},
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
def test_a_run_with_other_settings_is_not_gone_on_with(other, tmp_path, unfinished):
    shutil.copytree(unfinished, tmp_path / "run")
    before = contents(tmp_path / "run", ())
    with pytest.raises(RunError, match=r"an unfinished run with other settings.*--overwrite.*--out"):
        measured(tmp_path / "run", resume=True, **other)
    assert contents(tmp_path / "run", ()) == before


def test_another_network_or_other_images_are_not_gone_on_with(tmp_path, finished):
    shutil.copytree(finished, tmp_path / "run")
    settings = {"transformations": GRIDS, "out": tmp_path / "run", **QUICK}
    other = small_network()
    other[0].bias.data += 1e-3
    for network, images in ((other, some_images()), (small_network(), some_images(seed=1))):
        with pytest.raises(RunError, match=r"a finished run with other settings, images or weights"):
            inv.measure(network, images, resume=True, **settings)


def test_a_directory_with_a_run_is_refused_unless_told(tmp_path, finished):
    shutil.copytree(finished, tmp_path / "run")
    before = contents(tmp_path / "run", ())
    with pytest.raises(RunError, match=r"holds a finished run; say --resume.*--overwrite.*--out"):
        measured(tmp_path / "run")
    assert contents(tmp_path / "run", ()) == before


def test_overwriting_keeps_what_no_run_wrote(tmp_path, finished, whole):
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    (out / "notes.txt").write_text("mine")
    (out / "mine").mkdir()
    (out / "mine" / "units.parquet").write_text("mine too")
    (out / "report.html").write_text("the old report")
    (out / "figures").mkdir()
    measured(out, overwrite=True, transformations={"inversion": [0.5]}, layers=["1"], units="positions")
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "mine" / "units.parquet").read_text() == "mine too"
    assert not (out / "report.html").exists()
    assert not (out / "figures").exists()
    assert not (out / "units.parquet").exists()
    assert [path.name for path in (out / "units").iterdir()] == ["000-1.parquet"]
    measured(out, overwrite=True)
    assert not (out / "units").exists()
    assert contents(out) == whole | {"notes.txt": b"mine", "mine/units.parquet": b"mine too"}


def test_an_unfinished_run_may_be_overwritten(tmp_path, whole):
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "run", tau=0.5, progress=Stops(int(4.5 * N_IMAGES)))
    measured(tmp_path / "run", overwrite=True)
    assert contents(tmp_path / "run") == whole


def test_resuming_where_nothing_is_begins(tmp_path, whole):
    measured(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == whole


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(RunError, match=r"is a file, not a directory; choose another place with --out"):
        measured(tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}"])
def test_a_damaged_run_is_told(damage, tmp_path, finished):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text(damage)
    with pytest.raises(RunError, match=r"run.json .*--overwrite"):
        measured(tmp_path / "run", resume=True)


def test_a_damaged_table_is_told(tmp_path, finished):
    shutil.copytree(finished, tmp_path / "run")
    run = inv.Run(tmp_path / "run")
    (tmp_path / "run" / "units.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match=r"units.parquet is damaged: .*--overwrite"):
        _ = run.units
    with pytest.raises(RunError, match=r"is no run: it has no run.json"):
        inv.Run(tmp_path)


def test_a_temporary_run_goes_with_its_result(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = measured(transformations={"inversion": [1]})
    assert run.path.is_relative_to(tmp_path)
    assert len(run.units)
    del run
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        measured(progress=Stops(1))
    assert not list(tmp_path.iterdir())


def test_the_plan_says_what_decides_the_numbers(unfinished):
    plan = json.loads((unfinished / ".plan.json").read_text())["plan"]
    assert plan["settings"]["seed"] == 3
    assert "memory" not in plan["settings"]
    assert [grid for _, grid in plan["transformations"]] == [[-90, 0, 20], [0, 0.1], [0, 1]]
