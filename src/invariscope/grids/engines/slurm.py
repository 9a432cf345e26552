"""Jobs on a cluster with SLURM: workers are submitted, and taken back at the end."""

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from invariscope.core.errors import RunError, SettingError
from invariscope.grids.dask_driver import OnDask
from invariscope.grids.engines.base import ENGINES, Tell, number
from invariscope.grids.engines.dask_cluster import need_dask
from invariscope.grids.perform import Attempt

# Seconds after which workers whose jobs have ended are submitted anew.
ANEW = 30.0


@ENGINES.add("slurm")
@dataclass
class Slurm(OnDask):
    """A Dask scheduler in this process, and workers that SLURM starts, one in each of its jobs.

    Args:
        jobs: how many workers.
        options: what sbatch is told: partition, cores, memory, walltime, account, gres, and any other of its long
            options by its name.

    Example:
        >>> slurm = Slurm.parse("partition=gpu,jobs=8,gres=gpu:1")
        >>> slurm.jobs, slurm.options["gres"], slurm.gpus
        (8, 'gpu:1', True)
    """

    form = "slurm:partition=…,jobs=…"
    patience: float = float("inf")
    jobs: int = 1
    options: dict[str, str] = field(default_factory=dict)
    _cluster: Any = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Slurm":
        """Names and values: partition=gpu,jobs=8,cores=4,memory=16GB,walltime=04:00:00,gres=gpu:1."""
        options: dict[str, str] = {}
        for part in text.split(","):
            name, sign, value = part.strip().partition("=")
            if not (name and sign and value) or name in options:
                raise SettingError(
                    f"the engine is given as {cls.form} with names and values, each once, as in "
                    f"slurm:partition=gpu,jobs=8,walltime=04:00:00,gres=gpu:1; got {part!r}."
                )
            options[name] = value
        if "jobs" not in options:
            raise SettingError(f"the engine {cls.form} needs the number of workers, as in slurm:partition=gpu,jobs=8.")
        number(options.get("cores", "1"), "slurm:cores=N")
        return cls(jobs=number(options.pop("jobs"), "slurm:jobs=N"), options=options)

    @property
    def workers(self) -> int:
        """How many jobs are done at a time when SLURM has given all that was asked for."""
        return self.jobs

    @property
    def gpus(self) -> bool:
        """Whether the workers get a GPU."""
        return any(
            name.startswith("gpus") or "gpu" in value for name, value in self.options.items() if name != "partition"
        )

    def connect(self, attempts: list[Attempt]) -> Any:
        """Start a scheduler here and submit the workers."""
        need_dask()
        if shutil.which("sbatch") is None:
            raise RunError("there is no sbatch here; the engine slurm is for a machine that submits to SLURM.")
        if any(attempt.job.gpu for attempt in attempts) and not self.gpus:
            raise RunError("jobs want a GPU and the workers get none; add gres=gpu:1 to the engine.")
        from dask_jobqueue import SLURMCluster
        from distributed import Client

        given = dict(self.options)
        skip = [flag for name, flag in (("memory", "--mem="), ("walltime", "-t ")) if name not in given]
        known = {"queue": "partition", "account": "account", "walltime": "walltime", "interface": "interface"}
        named = {name: given.pop(option) for name, option in known.items() if option in given}
        self._cluster = SLURMCluster(
            cores=int(given.pop("cores", "1")),
            processes=1,
            memory=given.pop("memory", "1GB"),
            job_directives_skip=skip,
            job_extra_directives=[f"--{name}={value}" for name, value in given.items()],
            worker_extra_args=[
                "--nthreads",
                "1",
                "--memory-limit",
                "0",
                *(["--resources", "GPU=1"] if self.gpus else []),
            ],
            log_directory=str(attempts[0].folder / "log" / "slurm"),
            job_name="invariscope",
            scheduler_options={"dashboard": False, "dashboard_address": ":0", "allowed_failures": 20},
            **named,
        )
        try:
            self._ask()
        except RuntimeError as error:
            said = " ".join(str(error).rpartition("stderr:")[2].split())[:400]
            raise RunError(f"SLURM did not take our workers; it said: {said.rstrip('.')}.") from error
        return Client(self._cluster, set_as_default=False, name="invariscope")

    def _ask(self) -> None:
        """Submit as many workers as are missing; unlike the cluster's own `scale`, this tells when SLURM refuses."""
        from distributed import Status

        self._asked, cluster = time.monotonic(), self._cluster
        while len(cluster.worker_spec) < self.jobs:
            cluster.worker_spec.update(cluster.new_worker_spec())
        try:
            cluster.sync(cluster._correct_state)
        finally:
            for name, worker in list(cluster.workers.items()):
                if worker.job_id is None:
                    worker.status = Status.failed
                    del cluster.workers[name]

    def wait(self, tell: Tell) -> None:
        """As on any cluster; workers whose time was up are submitted anew."""
        super().wait(tell)
        if time.monotonic() - self._asked > ANEW:
            with suppress(RuntimeError):
                self._ask()

    def close(self) -> None:
        """Take the workers back from SLURM."""
        super().close()
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close(timeout=20)
            self._cluster = None
