"""Jobs on a Dask cluster: one for each free worker, placed from here, so that a death is blamed on its job only."""

import logging
import time
import uuid
from abc import abstractmethod
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from invariscope.core.errors import RunError
from invariscope.core.files import whole
from invariscope.core.words import count
from invariscope.grids.dask_worker import BlindError, Order, UndoneError, obey
from invariscope.grids.engines.base import Engine, Failed, Finished, Said, Started, Stepped, Tell
from invariscope.grids.perform import Attempt, Trouble


@dataclass
class _Placed:
    """An attempt on its worker."""

    attempt: Attempt
    address: str
    life: str
    future: Any = None
    began: bool = False


@dataclass
class OnDask(Engine):
    """What all engines on Dask share; they differ in how they come to a client.

    The scheduler never holds a queue of ours: a job is sent to a worker that is free, and to no other. Of a worker that
    dies only the job that it had is blamed, and no limit of the scheduler on suspicious tasks can be reached.

    Args:
        patience: seconds to wait for a worker that can do what is left, when nothing else runs.
        probing: seconds until a worker must have seen a file in the grid's folder.
    """

    patience: float = 60.0
    probing: float = 10.0
    _client: Any = field(default=None, repr=False)

    @abstractmethod
    def connect(self, attempts: list[Attempt]) -> Any:
        """A client of the cluster.

        Raises:
            RunError: there is none.
        """

    def open(self, attempts: list[Attempt]) -> None:
        """Connect, and lay out a file that every worker must see."""
        self._waiting: deque[Attempt] = deque()
        self._placed: dict[str, _Placed] = {}
        self._workers: dict[str, Any] = {}
        self._heard: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._spared: dict[str, int] = {}
        self._next_look, self._told = 0.0, ""
        self._helpless_since: float | None = None
        self._topic = f"invariscope-{uuid.uuid4().hex}"
        self._probe = attempts[0].folder / f".probe-{uuid.uuid4().hex[:8]}"
        self._logger = logging.getLogger("distributed")
        self._level = self._logger.level
        # What it says of lost connections and dead workers, we say in one sentence.
        self._logger.setLevel(logging.CRITICAL)
        self._client = self.connect(attempts)
        # A scheduler that is gone is not waited for: all it knew of our jobs is gone with it.
        self._client._timeout = 3
        with whole(self._probe) as draft:
            draft.write_text("Workers look for this file, to know whether they share the folder.\n")
        self._client.subscribe_topic(self._topic, lambda event: self._heard.put(("told", event[1])))

    def submit(self, attempt: Attempt) -> None:
        """Put it behind the others."""
        self._waiting.append(attempt)

    def wait(self, tell: Tell) -> None:
        """Give jobs to free workers, and tell what is heard of the busy ones."""
        if self._client.status != "running":
            raise RunError("the connection to the Dask scheduler is lost.")
        if time.monotonic() >= self._next_look:
            self._look(tell)
            self._next_look = time.monotonic() + max(1.0, len(self._workers) / 50)
        self._give(tell)
        with suppress(Empty):
            kind, what = self._heard.get(timeout=0.5)
            self._hear_steps(what, tell) if kind == "told" else self._hear_end(what, tell)

    def _give(self, tell: Tell) -> None:
        busy = {placed.address for placed in self._placed.values()}
        free = [address for address in self._workers if address not in busy]
        # Workers with a GPU last, and to them first what needs it.
        for address in sorted(free, key=self._gpus):
            fits = [attempt for attempt in self._waiting if self._gpus(address) >= attempt.job.gpu]
            if fits:
                attempt = next((attempt for attempt in fits if attempt.job.gpu), fits[0])
                self._waiting.remove(attempt)
                self._place(attempt, address)
                tell(Started(attempt))

    def _place(self, attempt: Attempt, address: str) -> None:
        token = f"invariscope-{attempt.job.key}-{uuid.uuid4().hex[:8]}"
        order = Order(attempt, self._topic, token, self._probe, self.probing, str(Path.cwd()))
        placed = self._placed[token] = _Placed(attempt, address, self._workers[address]["local_directory"])
        placed.future = self._client.submit(
            obey,
            order,
            key=token,
            workers=[address],
            resources={"GPU": 1} if attempt.job.gpu else None,
            pure=False,
            retries=0,
        )
        placed.future.add_done_callback(lambda _: self._heard.put(("end", token)))

    def _hear_steps(self, told: Any, tell: Tell) -> None:
        token, what, done, total = told
        placed = self._placed.get(token)
        if placed is not None:
            placed.began = True
            if what == "steps":
                tell(Stepped(placed.attempt, done, total))

    def _hear_end(self, token: str, tell: Tell) -> None:
        placed = self._placed.pop(token, None)
        if placed is None:
            return
        status = placed.future.status
        if status == "finished":
            tell(Finished(placed.attempt))
            return
        if status != "error":
            raise RunError("the connection to the Dask scheduler is lost.")
        error = placed.future.exception(timeout=30)
        if isinstance(error, UndoneError):
            tell(Failed(placed.attempt, error.args[0]))
        elif isinstance(error, BlindError):
            raise RunError(
                f"the Dask worker on {error.args[0]} does not see {placed.attempt.folder}; give a folder that all "
                "machines share under the same path."
            )
        elif type(error).__name__ == "KilledWorker":
            self._bury(placed, tell)
        else:
            raise RunError(
                f"the Dask cluster cannot run our jobs ({type(error).__name__}: {error}); scheduler and workers need "
                "the same Python with the same invariscope."
            )

    def _look(self, tell: Tell) -> None:
        """See which workers there are; of those that went, tell what became of their jobs."""
        try:
            workers = self._client.scheduler_info()["workers"]
        except Exception as error:
            raise RunError("the connection to the Dask scheduler is lost.") from error
        for token, placed in list(self._placed.items()):
            worker = workers.get(placed.address)
            if worker is None or worker["local_directory"] != placed.life:
                del self._placed[token]
                with suppress(Exception):
                    placed.future.cancel()
                self._bury(placed, tell)
        self._workers = {address: worker for address, worker in workers.items() if worker["status"] == "running"}
        self._watch_over(tell)

    def _bury(self, placed: _Placed, tell: Tell) -> None:
        attempt, spared = placed.attempt, self._spared.get(placed.attempt.job.key, 0)
        if not placed.began and spared < 3:
            # The worker was gone before the job began, as far as we heard: nobody is to blame.
            self._spared[attempt.job.key] = spared + 1
            self._waiting.appendleft(attempt)
            return
        tell(Failed(attempt, Trouble(f"its Dask worker at {placed.address} died or was taken away")))

    def _watch_over(self, tell: Tell) -> None:
        """Say what is waited for, and give up when nothing runs and no worker can do what is left."""
        able = {attempt.job.gpu: self._able(attempt.job.gpu) for attempt in self._waiting}
        lacking = [gpu for gpu, workers in able.items() if not workers]
        want = "no worker offers a GPU; start some with --resources GPU=1" if any(lacking) else "there is no worker"
        n = len(self._workers)
        there = f"{n} Dask {'worker is' if n == 1 else 'workers are'} there."
        told = f"{want}; {count(len(self._waiting), 'job waits', 'jobs wait')}." if lacking else there
        if told.split(";")[0] != self._told:
            self._told = told.split(";")[0]
            tell(Said(told))
        if not lacking or self._placed or any(able.values()):
            self._helpless_since = None
            return
        self._helpless_since = self._helpless_since or time.monotonic()
        if time.monotonic() - self._helpless_since > self.patience:
            raise RunError(f"{want}; waited for {self.patience:.0f} s.")

    def _able(self, gpu: bool) -> list[str]:
        return [address for address in self._workers if self._gpus(address) >= gpu]

    def _gpus(self, address: str) -> float:
        return float(self._workers[address]["resources"].get("GPU", 0))

    def close(self) -> None:
        """Take back what waits and leave the cluster as it was; a job that runs now may still keep its results."""
        if self._client is not None:
            with suppress(Exception):
                for placed in self._placed.values():
                    placed.future.cancel()
            if self._client.status != "running":
                logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
            with suppress(Exception):
                self._client.close(timeout=2)
            self._client = None
        if hasattr(self, "_probe"):
            self._probe.unlink(missing_ok=True)
            self._logger.setLevel(self._level)
