"""Grids here and in processes: what is kept, tried again, given up, and that it is the same everywhere."""

import subprocess
import sys
from pathlib import Path

import pytest
from grid_work import square
from grid_world import ENVIRONMENT, Recorder, hashes, squares, until

from invariscope.core.errors import RunError, SettingError, StorageError, UnknownNameError
from invariscope.grids.engines.base import make_engine
from invariscope.grids.engines.processes import Processes, ended, visible_gpus
from invariscope.grids.job import Job
from invariscope.grids.run import run_grid
from invariscope.grids.store import finished, read_tables


def count(folder: Path, name: str) -> int:
    return len(list(folder.glob(f"{name}-*")))


def test_by_hand_and_never_twice(tmp_path):
    watch = Recorder()
    outcome = run_grid(squares(3), tmp_path, "serial", progress=watch, what="squares")
    assert (outcome.done, outcome.found, outcome.failed) == (3, 0, [])
    outcome.check()
    tables = read_tables(squares(3), tmp_path)
    assert tables["squares"].square.tolist() == [0, 1, 4]
    assert tables["halves"].half.tolist() == [0, 0, 0.5, -0.5, 1, -1]
    assert watch.of("start") == [("squares", 3)]
    assert [job.label for (job,) in watch.of("started")] == ["square 0", "square 1", "square 2"]
    assert [job.label for job, seconds in watch.of("finished") if 0 <= seconds < 10] == [
        "square 0",
        "square 1",
        "square 2",
    ]
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "jobs").rglob("*")}
    again = Recorder()
    outcome = run_grid([*squares(4), *squares(4)], tmp_path, "serial", progress=again)
    assert (outcome.done, outcome.found) == (1, 3)
    assert again.of("found") == [(3,)]
    assert [job.label for (job,) in again.of("started")] == ["square 3"]
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_processes_write_the_same_bytes_and_a_killed_worker_costs_one_attempt(tmp_path):
    marks = str(tmp_path)
    jobs = [*squares(20), *squares(2, "square_once_dying", marks=marks), *squares(2, pause=0.3)]
    watch = Recorder()
    outcome = run_grid(jobs, tmp_path / "processes", "processes:2", progress=watch)
    assert (outcome.done, outcome.failed) == (24, [])
    assert sorted(job.label for job, *_ in watch.of("failed")) == ["square_once_dying 0", "square_once_dying 1"]
    assert all("SIGKILL" in reason and again for _, reason, again in watch.of("failed"))
    run_grid(jobs, tmp_path / "serial", "serial")
    assert hashes(tmp_path / "processes") == hashes(tmp_path / "serial")
    assert len(hashes(tmp_path / "serial")) == 24 * 3


def test_what_always_fails_is_named_and_the_rest_goes_on(tmp_path):
    """A job that raises, one that kills its worker, one that leaves, one without a table: each alone is blamed."""
    marks = str(tmp_path)
    bad = [Job(f"grid_work:{work}", {"x": 7, "marks": marks}, label=work) for work in ("failing", "deadly", "leaving")]
    bad.append(Job("grid_work:no_table", {}, label="no table"))
    good = squares(6)
    outcome = run_grid([*bad, *good], tmp_path / "grid", "processes:2", retries=1)
    assert (outcome.done, outcome.found) == (6, 0)
    assert all(finished(job, tmp_path / "grid") for job in good)
    assert [failure.job.label for failure in outcome.failed] == ["failing", "deadly", "leaving", "no table"]
    assert [failure.attempts for failure in outcome.failed] == [2, 2, 2, 1]
    assert (count(tmp_path, "failing"), count(tmp_path, "deadly")) == (2, 2)
    texts = [failure.file.read_text() for failure in outcome.failed]
    assert "ValueError: no square of 7" in texts[0]
    assert ", in failing" in texts[0]
    assert "killed by SIGKILL, as happens when memory runs out" in texts[1]
    assert "SystemExit: enough" in texts[2]
    assert "must return tables" in texts[3]
    with pytest.raises(
        RunError, match=r"4 of 10 jobs failed; the first is failing, tried 2 times: ValueError: no sq"
    ) as e:
        outcome.check()
    assert str(outcome.failed[0].file) in str(e.value)


def test_a_job_that_succeeds_later_leaves_no_trace_of_its_failure(tmp_path):
    jobs = [Job("grid_work:failing_once", {"x": 2, "marks": str(tmp_path)})]
    assert run_grid(jobs, tmp_path / "grid", "serial", retries=0).failed
    note = tmp_path / "grid" / "failures" / f"{jobs[0].key}.txt"
    assert note.is_file()
    assert run_grid(jobs, tmp_path / "grid", "serial", retries=0).done == 1
    assert not note.exists()


def test_a_retry_is_enough(tmp_path):
    watch = Recorder()
    jobs = [Job("grid_work:failing_once", {"x": 2, "marks": str(tmp_path)})]
    assert run_grid(jobs, tmp_path / "grid", "serial", progress=watch).done == 1
    assert [(reason, again) for _, reason, again in watch.of("failed")] == [("ValueError: not yet", True)]


@pytest.mark.parametrize("engine", ["serial", "processes:2"])
def test_a_full_disk_stops_the_grid_and_keeps_what_is_finished(tmp_path, engine):
    marks = {"marks": str(tmp_path)}
    jobs = [*squares(2), *squares(2, "on_a_full_disk", **marks), *squares(9, pause=0.5)[2:]]
    with pytest.raises(StorageError, match=r"is full, said on_a_full_disk \d .*Free some space and repeat"):
        run_grid(jobs, tmp_path / "grid", engine)
    kept = [job for job in jobs if finished(job, tmp_path / "grid")]
    assert 1 <= len(kept) < len(jobs)
    (tmp_path / "freed").touch()
    outcome = run_grid(jobs[:4], tmp_path / "grid", "serial")
    assert outcome.found == len([job for job in jobs[:4] if job in kept])
    assert outcome.failed == []


def test_a_table_that_the_system_cuts_off_is_nowhere(tmp_path):
    jobs = [*squares(3), *squares(1, "of_limited_size", marks=str(tmp_path))]
    outcome = run_grid(jobs, tmp_path / "grid", "processes:1", retries=1)
    assert [failure.job.label for failure in outcome.failed] == ["of_limited_size 0"]
    assert count(tmp_path, "limited") == 2
    assert "File too large" in outcome.failed[0].reason
    assert not list((tmp_path / "grid").rglob(f"*{jobs[-1].key}*/*"))
    assert sum(finished(job, tmp_path / "grid") for job in jobs) >= 2
    (tmp_path / "freed").touch()
    assert run_grid(jobs, tmp_path / "grid", "processes:1").failed == []


DRIVER = """
import sys
from pathlib import Path
from grid_world import squares
from invariscope.grids.run import run_grid

if __name__ == "__main__":
    run_grid(squares(8, pause=0.25), Path(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("engine", ["serial", "processes:2"])
def test_a_killed_driver_leaves_nobody_behind_and_its_work_is_gone_on_with(tmp_path, engine):
    (tmp_path / "driver.py").write_text(DRIVER)
    grid, jobs = tmp_path / "grid", squares(8, pause=0.25)
    driver = subprocess.Popen([sys.executable, tmp_path / "driver.py", grid, engine], env=ENVIRONMENT)
    until(lambda: sum(finished(job, grid) for job in jobs) >= 2)
    children = children_of(driver.pid)
    assert len(children) >= (2 if engine == "processes:2" else 0)
    driver.kill()
    driver.wait()
    until(lambda: not any(alive(child) for child in children), 60)
    found = sum(finished(job, grid) for job in jobs)
    assert 2 <= found < 8
    watch = Recorder()
    outcome = run_grid(jobs, grid, engine, progress=watch)
    assert (outcome.done, outcome.found) == (8 - found, found)
    assert len(watch.of("started")) == 8 - found
    assert not list((grid / "jobs").glob(".*"))


def children_of(pid: int) -> list[int]:
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return [child for child, parent in parents.items() if parent == pid]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("engine", ["serial", "processes:1"])
def test_steps_of_a_running_job_are_told(tmp_path, engine):
    watch = Recorder()
    run_grid([Job("grid_work:stepping", {"x": 3})], tmp_path, engine, progress=watch)
    steps = [(done, total) for _, done, total in watch.of("stepped")]
    assert steps[0] == (0, 3)
    assert (2, 3) in steps


def test_plain_progress_counts_jobs(tmp_path):
    class Count:
        total = done = 0

        def start(self, what, total):
            self.total = total

        def advance(self, steps=1):
            self.done += steps

    run_grid(squares(2), tmp_path, "serial")
    run_grid(squares(3), tmp_path, "serial", progress=(count := Count()))
    assert (count.total, count.done) == (3, 3)


@pytest.mark.parametrize("engine", ["serial", "processes:1"])
def test_one_thread(tmp_path, engine):
    jobs = [Job("grid_work:threads", {})]
    run_grid(jobs, tmp_path, engine)
    assert read_tables(jobs, tmp_path)["threads"].iloc[0].tolist() == [1, 1]


def test_gpus_are_given_in_turn(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    assert visible_gpus() == ["3", "5"]
    jobs = [Job("grid_work:who", {"x": x}, gpu=True) for x in range(2)]
    engine = Processes(2)
    run_grid(jobs, tmp_path, engine)
    assert set(read_tables(jobs, tmp_path)["who"].gpu) <= {"3", "5"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert visible_gpus() == []


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told(tmp_path):
    (tmp_path / "driver.py").write_text(DRIVER.replace('if __name__ == "__main__"', "if True"))
    command = [sys.executable, tmp_path / "driver.py", tmp_path / "grid", "processes:2"]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert "RunError: a worker process could not start, it ended by itself with the exit code 1" in result.stderr
    assert 'needs if __name__ == "__main__"' in result.stderr


def test_how_processes_end():
    assert ended(-9) == "was killed by SIGKILL, as happens when memory runs out"
    assert ended(-11) == "was killed by SIGSEGV"
    assert ended(3) == "ended by itself with the exit code 3"


@pytest.mark.parametrize(
    ("engine", "error", "words"),
    [
        ("processos:2", UnknownNameError, "Did you mean 'processes'"),
        ("processes", SettingError, "processes:N with a number of 1 or more; got ''"),
        ("processes:0", SettingError, "got '0'"),
        ("processes:two", SettingError, "got 'two'"),
        ("serial:2", SettingError, "takes nothing behind its name"),
        ("dask://node7", SettingError, "dask://HOST:PORT"),
        ("dask:node7:8786", SettingError, "dask://HOST:PORT"),
        ("dask-file:", SettingError, "got no path"),
        ("slurm:partition=gpu", SettingError, "needs the number of workers"),
        ("slurm:jobs", SettingError, "got 'jobs'"),
        ("slurm:jobs=0", SettingError, "got '0'"),
        ("slurm:jobs=2,jobs=3", SettingError, "each once"),
    ],
)
def test_engines_that_cannot_be(engine, error, words):
    with pytest.raises(error) as raised:
        make_engine(engine)
    assert words in str(raised.value)


def test_retries_cannot_be_negative(tmp_path):
    with pytest.raises(SettingError, match="0 or more; got -1"):
        run_grid([], tmp_path, "serial", retries=-1)


def test_the_work_of_these_tests():
    assert square({"x": 3}, Path())["squares"].square.tolist() == [9]


def test_refused_settings_are_not_tried_again(tmp_path):
    job = Job("grid_work:refuse", {"k": 99})
    (failure,) = run_grid([job], tmp_path, "serial", retries=5).failed
    assert failure.attempts == 1
    assert failure.reason.endswith("k is too large; got 99.")
