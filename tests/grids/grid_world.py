"""What tests of grids share: jobs, what lies on disk, and a real Dask cluster in processes of its own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from invariscope.grids.job import Job

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": ""}


def squares(count: int, work: str = "square", **more) -> list[Job]:
    return [Job(f"grid_work:{work}", {"x": x, **more}, label=f"{work} {x}") for x in range(count)]


def hashes(folder: Path) -> dict[str, str]:
    """Every file of the finished jobs, hidden ones too."""
    files = sorted(path for path in (folder / "jobs").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


class Recorder:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def of(self, name: str) -> list[tuple]:
        return [told[1:] for told in self.told if told[0] == name]


def _remembering(name: str) -> Callable[..., None]:
    return lambda self, *args: self.told.append((name, *args))


for _name in ("start", "advance", "found", "started", "stepped", "finished", "failed", "note"):
    setattr(Recorder, _name, _remembering(_name))


class Cluster:
    """A Dask scheduler and workers, each a process of its own on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        self.file = folder / "scheduler.json"
        self.scheduler = self.start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file))
        until(self.file.is_file)
        self.address = json.loads(self.file.read_text())["address"]
        self.engine = self.address.replace("tcp:", "dask:")

    def start(self, what: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *options]
        environment = {**ENVIRONMENT, "DASK_DISTRIBUTED__DIAGNOSTICS__NVML": "False"}
        output = (self.folder / f"{what}-{len(self.processes)}.txt").open("w")
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        output.close()
        self.processes.append(process)
        return process

    def worker(self, *options: str, nanny: bool = False) -> subprocess.Popen:
        more = ["--nanny" if nanny else "--no-nanny", "--no-dashboard", "--death-timeout", "20"]
        return self.start("worker", self.address, "--nthreads", "1", "--memory-limit", "0", *more, *options)

    def close(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
