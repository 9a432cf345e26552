import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from invariscope.core.errors import RunError, SettingError
from invariscope.core.progress import Silent
from invariscope.grids.pool import run_jobs
from invariscope.grids.relay import current_progress
from invariscope.grids.threads import one_thread


class Count:
    def __init__(self) -> None:
        self.starts, self.done = [], 0

    def start(self, what: str, total: int) -> None:
        self.starts.append((what, total))
        self.done = 0

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def threads_and_sum(shared: torch.Tensor, job: int) -> tuple[int, float]:
    return torch.get_num_threads(), (shared * job).sum().item()


def keep_or_die(folder: str, job: int) -> int:
    if job == 2:
        os._exit(9)
    (Path(folder) / str(job)).touch()
    return job


def refuse(shared: None, job: int) -> int:
    raise SettingError(f"job {job} is not possible")


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_give_the_serial_results_in_order_and_progress_counts_them(workers):
    count = Count()
    results = run_jobs(threads_and_sum, torch.arange(5.0), [3, 1, 2], workers, count, "things")
    assert results == [(1, 30.0), (1, 10.0), (1, 20.0)]
    assert (count.starts, count.done) == ([("things", 3)], 3)


def test_a_worker_that_dies_is_told_and_what_is_finished_stays(tmp_path):
    with pytest.raises(RunError, match=r"a worker process ended after \d of 4 things.*repeat the call"):
        run_jobs(keep_or_die, str(tmp_path), [0, 1, 2, 3], workers=2, what="things")
    assert (tmp_path / "0").exists()


def test_bad_input_in_a_job_is_the_same_sentence():
    with pytest.raises(SettingError, match="job 7 is not possible"):
        run_jobs(refuse, None, [7, 7], workers=1)


def test_threads_are_put_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_no_workers():
    with pytest.raises(SettingError, match="1 or more processes; got 0"):
        run_jobs(threads_and_sum, torch.zeros(1), [1], workers=0)


def report_steps(shared: None, job: int) -> int:
    progress = current_progress()
    progress.start("steps", job)
    for _ in range(job):
        progress.advance()
    return job


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_adds_up_the_steps_of_the_jobs(workers):
    count = Count()
    run_jobs(report_steps, None, [5, 7], workers=workers, progress=count, steps=True)
    assert count.starts[-1] == ("steps", 12)
    assert count.done == 12


def test_jobs_elsewhere_report_to_nobody():
    assert isinstance(current_progress(), Silent)


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told_so_and_does_not_hang(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import torch\nfrom invariscope.grids.pool import run_jobs\n"
        "print(run_jobs(pow, torch.ones(1_000_000), [1, 2], workers=2))\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 1
    assert "RunError: a worker process ended after 0 of 2 jobs" in ended.stderr
    assert '__name__ == "__main__"' in ended.stderr
