"""The engine slurm against stand-ins for sbatch and scancel, which start and kill the submitted scripts here."""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from grid_world import HERE, Recorder, hashes, squares, until

from invariscope.core.errors import RunError, SettingError
from invariscope.grids.engines.base import make_engine
from invariscope.grids.job import Job
from invariscope.grids.run import run_grid

SBATCH = """#!/bin/sh
[ -z "$REFUSE" ] || { echo "sbatch: error: invalid partition specified" >&2; exit 1; }
cp "$1" "$STAND_IN/$$.script"
setsid sh "$STAND_IN/$$.script" >"$STAND_IN/$$.out" 2>&1 &
cp "$1" "$STAND_IN/$!.sh"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
for job in "$@"; do kill -9 -"$job" 2>/dev/null; touch "$STAND_IN/$job.cancelled"; done
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A folder with a script for every submitted job, by its process; what still runs at the end is killed."""
    programs, folder = tmp_path / "bin", tmp_path / "slurm"
    folder.mkdir()
    programs.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield folder
    for script in folder.glob("*.sh"):
        with suppress(ProcessLookupError):
            os.killpg(int(script.stem), signal.SIGKILL)


def test_a_grid_on_slurm_is_the_serial_one_and_its_jobs_are_taken_back(stand_in, tmp_path):
    jobs = [Job("grid_work:square", {"x": 9}, gpu=True), *squares(3)]
    engine = "slurm:partition=long,jobs=1,gres=gpu:1,walltime=02:00:00,constraint=a100"
    watch = Recorder()
    outcome = run_grid(jobs, tmp_path / "grid", engine, progress=watch)
    assert (outcome.done, outcome.failed) == (4, [])
    run_grid(jobs, tmp_path / "serial", "serial")
    assert hashes(tmp_path / "grid") == hashes(tmp_path / "serial")
    (script,) = stand_in.glob("*.sh")
    assert (stand_in / f"{script.stem}.cancelled").exists()
    text = script.read_text()
    for words in ("-p long", "--gres=gpu:1", "--constraint=a100", "-t 02:00:00", "--cpus-per-task=1", "/log/slurm"):
        assert f"#SBATCH {words}" in text or words in text
    assert "--mem" not in text.partition(sys.executable)[0]
    command = text.splitlines()[-1]
    assert command.endswith("--nthreads 1 --memory-limit 0 --resources GPU=1")
    assert watch.of("started")[0][0].gpu


@pytest.mark.slow
def test_a_job_that_slurm_takes_away_is_submitted_anew(stand_in, tmp_path, monkeypatch):
    """Its whole process group dies, as at the end of its time; another takes its place, and nothing is lost."""
    monkeypatch.setattr("invariscope.grids.engines.slurm.ANEW", 2.0)
    watch, jobs = Recorder(), squares(16, pause=0.5)

    def kill() -> None:
        until(lambda: len(watch.of("finished")) >= 4)
        os.killpg(min(int(script.stem) for script in stand_in.glob("*.sh")), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = run_grid(jobs, tmp_path / "grid", "slurm:jobs=1", progress=watch)
    killer.join()
    assert (outcome.done, outcome.failed) == (16, [])
    assert len(list(stand_in.glob("*.sh"))) >= 2


def test_slurm_refuses(stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("REFUSE", "1")
    with pytest.raises(
        RunError, match=r"SLURM did not take our workers; it said: sbatch: error: invalid partition specified\. 0 of"
    ):
        run_grid(squares(2), tmp_path / "grid", "slurm:partition=nowhere,jobs=2")


def test_gpu_jobs_without_a_gpu(stand_in, tmp_path):
    with pytest.raises(RunError, match="jobs want a GPU and the workers get none; add gres=gpu:1"):
        run_grid([Job("grid_work:square", {"x": 9}, gpu=True)], tmp_path / "grid", "slurm:partition=gpu,jobs=2")


def test_what_is_asked_of_slurm():
    engine = make_engine("slurm:jobs=8, cores=4,gpus-per-node=1,exclude=n1")
    assert (engine.workers, engine.gpus, engine.options["exclude"]) == (8, True, "n1")
    assert not make_engine("slurm:partition=gpu,jobs=8").gpus
    with pytest.raises(SettingError, match="cores"):
        make_engine("slurm:jobs=8,cores=many")


def test_no_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(RunError, match="no sbatch here"):
        run_grid(squares(1), tmp_path / "grid", "slurm:jobs=1")
