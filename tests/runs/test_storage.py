"""A full disk: one sentence, nothing half written, and the run goes on once there is room."""

import errno
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from run_world import contents, measured

import invariscope as inv
from invariscope.cli.main import main
from invariscope.core.errors import InvariscopeError, StorageError
from invariscope.responses import matrix


def is_one_sentence(text):
    return "\n" not in text and text.rstrip().endswith(".") and len(text) < 400


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    measured(folder)
    return contents(folder)


def drafts(folder):
    return [path for path in folder.rglob(".*") if path.name not in (".parts", ".plan.json")]


@pytest.mark.parametrize("write", [0, 12, *(pytest.param(write, marks=pytest.mark.slow) for write in (5, 8, 25, 30))])
def test_a_disk_that_fills_at_any_write_loses_nothing(write, tmp_path, whole, monkeypatch):
    original, calls = pd.DataFrame.to_parquet, []

    def full(self, path, **settings):
        calls.append(1)
        if len(calls) > write:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, path, **settings)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(StorageError, match=r"could not be written: the disk is full.*--resume") as told:
        measured(tmp_path / "run")
    assert is_one_sentence(str(told.value))
    assert not drafts(tmp_path)
    # Before the first part is finished there is nothing to keep.
    assert (tmp_path / "run").exists() == (write >= 8)
    monkeypatch.undo()
    measured(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == whole


@pytest.fixture
def small_disk(tmp_path):
    """A function that makes a disk of some kilobytes, where the machine lets us."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def make(kilobytes):
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no small disk can be mounted here")
        return folder

    yield make
    subprocess.run(["umount", str(folder)], capture_output=True)


def grow(folder, kilobytes):
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(folder)], check=True, capture_output=True)


@pytest.mark.parametrize("kilobytes", [60, *(pytest.param(size, marks=pytest.mark.slow) for size in (4, 120, 200))])
def test_a_disk_that_is_really_full(kilobytes, small_disk, whole):
    disk = small_disk(kilobytes)
    with pytest.raises(StorageError, match=r"could not be written: the disk is full") as told:
        measured(disk / "run")
    assert is_one_sentence(str(told.value))
    assert not (disk / "run" / "run.json").exists()
    assert not drafts(disk)
    grow(disk, 20_000)
    measured(disk / "run", resume=True)
    assert contents(disk / "run") == whole


def test_responses_that_do_not_fit_on_the_disk_are_told(small_disk):
    """Writing to a mapped file on a full disk would end the process by a signal."""
    disk = small_disk(8)
    with pytest.raises(StorageError, match=r"responses of all units take .* GB more than .* can hold.*--memory"):
        measured(disk / "run", memory="1kB")
    assert not (disk / "run").exists()


def test_the_room_is_there_before_it_is_used(tmp_path, monkeypatch):
    def full(file, offset, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(matrix.os, "posix_fallocate", full)
    with pytest.raises(StorageError, match=r"no space left"):
        measured(tmp_path / "run", memory="1kB")
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()


def test_the_command_says_so_in_one_sentence(small_disk, tmp_path, capsys):
    disk = small_disk(60)
    np.savez(tmp_path / "images.npz", images=np.random.default_rng(0).random((8, 3, 16, 16)))
    tokens = ["measure", "builtin:cnn?size=16", str(tmp_path / "images.npz"), "--transformations", "rotation,inversion"]
    assert main([*tokens, "--replicates", "20", "--out", str(disk / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("invariscope: ")]
    assert len(lines) == 1
    assert "the disk is full" in lines[0]
    assert "Traceback" not in err


def test_a_folder_that_may_not_be_written_is_told(tmp_path, monkeypatch):
    from pathlib import Path

    original = Path.mkdir

    def refused(self, *arguments, **settings):
        if "locked" in self.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return original(self, *arguments, **settings)

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(InvariscopeError, match=r"may not be written to; choose another with --out"):
        measured(tmp_path / "locked" / "run")


def test_a_report_needs_no_room_in_the_run_directory(tmp_path, small_disk):
    run = measured(tmp_path / "run", transformations={"inversion": [1]})
    disk = small_disk(20)
    with pytest.raises(StorageError):
        inv.Run(run.path).report(disk / "report.html")
    assert not (disk / "report.html").exists()
