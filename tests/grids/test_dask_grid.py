"""Grids on a real Dask cluster on this machine: schedulers, workers and drivers that are killed."""

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext

import pytest
from grid_world import ENVIRONMENT, Cluster, Recorder, hashes, squares, until

from invariscope.core.errors import RunError, SettingError
from invariscope.grids.engines import dask_cluster
from invariscope.grids.engines.dask_cluster import DaskAddress
from invariscope.grids.job import Job
from invariscope.grids.run import run_grid
from invariscope.grids.store import finished


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory):
    """A scheduler and two workers; tests put back what they kill."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.worker()
    cluster.worker("--resources", "GPU=1")
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


def test_the_same_bytes_as_serial_and_gpu_jobs_where_a_gpu_is(shared_cluster, tmp_path):
    jobs = [
        *squares(6),
        Job("grid_work:square", {"x": 8}, "on a GPU", gpu=True),
        Job("grid_work:square", {"x": 9}, gpu=True),
    ]
    level, watch = logging.getLogger("distributed").level, Recorder()
    outcome = run_grid(jobs, tmp_path / "dask", shared_cluster.engine, progress=watch)
    assert (outcome.done, outcome.found, outcome.failed) == (8, 0, [])
    assert len(watch.of("started")) == len(watch.of("finished")) == 8
    run_grid(jobs, tmp_path / "serial", "serial")
    assert hashes(tmp_path / "dask") == hashes(tmp_path / "serial")
    assert sorted(path.name for path in (tmp_path / "dask").iterdir()) == ["jobs", "log"]
    assert logging.getLogger("distributed").level == level
    again = run_grid([*jobs, *squares(7)], tmp_path / "dask", f"dask-file:{shared_cluster.file}")
    assert (again.done, again.found) == (1, 8)


def test_what_raises_is_named_and_steps_are_told(shared_cluster, tmp_path):
    watch = Recorder()
    bad = Job("grid_work:failing", {"x": 7, "marks": str(tmp_path)}, label="bad")
    jobs = [bad, *squares(2), Job("grid_work:stepping", {"x": 3})]
    outcome = run_grid(jobs, tmp_path / "grid", shared_cluster.engine, retries=1, progress=watch)
    assert outcome.done == 3
    assert [(failure.job, failure.attempts) for failure in outcome.failed] == [(bad, 2)]
    assert ", in failing" in outcome.failed[0].file.read_text()
    assert len(list(tmp_path.glob("failing-*"))) == 2
    assert (0, 3) in [(done, total) for _, done, total in watch.of("stepped")]


def test_a_worker_that_does_not_see_the_folder(shared_cluster, tmp_path, monkeypatch):
    """The file that workers look for is in another place, as it would be for one on a machine without the disk."""
    monkeypatch.setattr("invariscope.grids.dask_driver.whole", lambda path: nullcontext(tmp_path / "elsewhere"))
    engine = DaskAddress(probing=0.3, address=shared_cluster.address)
    with pytest.raises(RunError, match=r"the Dask worker on \S+ does not see .*give a folder that all machines share"):
        run_grid(squares(1), tmp_path / "grid", engine)


def test_killed_workers_cost_an_attempt_of_their_own_job_only(cluster, tmp_path):
    """24 jobs, a worker killed half-way, one job that always kills its worker: byte-equal to serial."""
    first = cluster.worker("--resources", "GPU=1")
    cluster.worker(nanny=True)
    deadly = Job("grid_work:deadly", {"x": 1, "marks": str(tmp_path)}, label="deadly")
    jobs, watch, grid = squares(24, pause=0.1), Recorder(), tmp_path / "dask"
    killer = threading.Thread(
        target=lambda: (until(lambda: len(watch.of("finished")) >= 8), os.kill(first.pid, signal.SIGKILL))
    )
    killer.start()
    outcome = run_grid([*jobs[:10], deadly, *jobs[10:]], grid, cluster.engine, retries=1, progress=watch)
    killer.join()
    assert outcome.done == 24
    assert [(failure.job.label, failure.attempts) for failure in outcome.failed] == [("deadly", 2)]
    assert "its Dask worker at" in outcome.failed[0].reason
    assert all(again for job, _, again in watch.of("failed") if job != deadly)
    assert len([job for job, *_ in watch.of("failed") if job != deadly]) <= 1
    run_grid(jobs, tmp_path / "serial", "serial")
    assert hashes(grid) == hashes(tmp_path / "serial")


def test_a_killed_scheduler_is_one_sentence_and_nothing_finished_is_lost(cluster, tmp_path):
    cluster.worker()
    jobs, watch, grid = squares(12, pause=0.2), Recorder(), tmp_path / "grid"
    killer = threading.Thread(
        target=lambda: (
            until(lambda: len(watch.of("finished")) >= 3),
            os.kill(cluster.scheduler.pid, signal.SIGKILL),
        )
    )
    killer.start()
    with pytest.raises(
        RunError, match=r"connection to the Dask scheduler is lost\. \d+ of 12 squares are finished and kept"
    ):
        run_grid(jobs, grid, cluster.engine, progress=watch, what="squares")
    killer.join()
    kept = sum(finished(job, grid) for job in jobs)
    assert 3 <= kept < 12
    outcome = run_grid(jobs, grid, "serial")
    assert outcome.found >= kept
    assert outcome.done + outcome.found == 12


DRIVER = """
import sys
from pathlib import Path
from grid_world import squares
from invariscope.grids.run import run_grid

if __name__ == "__main__":
    run_grid(squares(10, pause=0.3), Path(sys.argv[1]), sys.argv[2])
"""


def test_a_killed_driver_leaves_the_cluster_usable(shared_cluster, tmp_path):
    (tmp_path / "driver.py").write_text(DRIVER)
    grid, jobs = tmp_path / "grid", squares(10, pause=0.3)
    driver = subprocess.Popen([sys.executable, tmp_path / "driver.py", grid, shared_cluster.engine], env=ENVIRONMENT)
    until(lambda: sum(finished(job, grid) for job in jobs) >= 2)
    driver.kill()
    driver.wait()
    found = sum(finished(job, grid) for job in jobs)
    assert 2 <= found < 10
    watch = Recorder()
    outcome = run_grid(jobs, grid, shared_cluster.engine, progress=watch)
    assert outcome.found >= found
    assert outcome.done == 10 - outcome.found
    assert not list((grid / "jobs").glob(".*"))


def test_nobody_can_do_what_is_left(cluster, tmp_path):
    watch = Recorder()
    with pytest.raises(RunError, match=r"there is no worker; waited for 1 s\. 0 of 1 jobs are finished"):
        run_grid(squares(1), tmp_path / "grid", DaskAddress(1.0, address=cluster.address), progress=watch)
    assert watch.of("note") == [("there is no worker; 1 job waits.",)]
    cluster.worker()
    jobs = [*squares(2), Job("grid_work:square", {"x": 5}, gpu=True)]
    run_grid(jobs[:1], tmp_path / "grid", cluster.engine)
    with pytest.raises(RunError, match="no worker offers a GPU; start some with --resources GPU=1; waited"):
        run_grid(jobs, tmp_path / "grid", DaskAddress(1.0, address=cluster.address))
    assert [finished(job, tmp_path / "grid") for job in jobs] == [True, True, False]


def test_no_scheduler_and_no_dask(tmp_path, monkeypatch):
    with pytest.raises(SettingError, match=r"scheduler file nowhere\.json is not there"):
        run_grid(squares(1), tmp_path, "dask-file:nowhere.json")
    monkeypatch.setattr(dask_cluster, "CONNECTING", 0.5)
    with pytest.raises(RunError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1; start one with"):
        run_grid(squares(1), tmp_path, "dask://127.0.0.1:1")
    monkeypatch.setattr(dask_cluster, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"needs Dask, which is not installed.*pip install 'invariscope\[dist\]'"):
        run_grid(squares(1), tmp_path, "dask://127.0.0.1:1")
    assert list(tmp_path.iterdir()) == []
