"""Jobs in several processes of this machine; a process that dies takes nothing with it but its own job's attempt."""

import os
import signal
from collections import deque
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from typing import Any

from invariscope.core.errors import RunError
from invariscope.grids.engines.base import (
    ENGINES,
    Engine,
    Failed,
    Finished,
    Started,
    Stepped,
    Tell,
    number,
)
from invariscope.grids.perform import Attempt, Trouble
from invariscope.grids.worker import READY, serve


@ENGINES.add("processes")
class Processes(Engine):
    """Worker processes of one thread each.

    Args:
        workers: how many. Where there are GPUs, worker i sees the GPU i modulo their number, and no other.

    Example:
        >>> Processes.parse("4").workers
        4
    """

    form = "processes:N"

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._waiting: deque[Attempt] = deque()
        self._slots: list[_Slot] = []

    @classmethod
    def parse(cls, text: str) -> "Processes":
        """The number of workers."""
        return cls(number(text, cls.form))

    def open(self, attempts: list[Attempt]) -> None:
        """Start the workers that there are jobs for."""
        gpus = visible_gpus() if any(attempt.job.gpu for attempt in attempts) else []
        for place in range(min(self.workers, len(attempts))):
            self._slots.append(_Slot(gpus[place % len(gpus)] if gpus else None))

    def submit(self, attempt: Attempt) -> None:
        """Put it behind the others."""
        self._waiting.append(attempt)

    def wait(self, tell: Tell) -> None:
        """Give jobs to free workers, and tell what the busy ones say."""
        for slot in self._slots:
            if slot.ready and slot.attempt is None and self._waiting:
                self._give(slot, tell)
        said = connection.wait([end for slot in self._slots for end in (slot.pipe, slot.process.sentinel)], timeout=1)
        for slot in self._slots:
            # What a worker said before it died counts: its job may be finished.
            if slot.pipe in said:
                self._hear(slot, tell)
            elif slot.process.sentinel in said:
                self._bury(slot, tell)

    def _give(self, slot: "_Slot", tell: Tell) -> None:
        attempt = self._waiting.popleft()
        try:
            slot.pipe.send(attempt)
        except OSError:
            self._waiting.appendleft(attempt)
            return
        slot.attempt = attempt
        tell(Started(attempt))

    def _hear(self, slot: "_Slot", tell: Tell) -> None:
        try:
            kind, told = slot.pipe.recv()
        except (EOFError, OSError):
            self._bury(slot, tell)
            return
        attempt = slot.attempt
        if kind == READY:
            slot.ready = True
        elif attempt is not None and kind == "steps":
            tell(Stepped(attempt, *told))
        elif attempt is not None:
            slot.attempt = None
            tell(Finished(attempt) if told is None else Failed(attempt, told))

    def _bury(self, slot: "_Slot", tell: Tell) -> None:
        """Only the job that the dead worker had is blamed, and only this worker is started anew."""
        slot.process.join(timeout=5)
        slot.process.kill()
        slot.process.join()
        slot.pipe.close()
        how = ended(slot.process.exitcode)
        if not slot.ready:
            raise RunError(
                f"a worker process could not start, it {how}; see what it printed. A script that calls this needs "
                'if __name__ == "__main__".'
            )
        attempt = slot.attempt
        slot.start()
        if attempt is not None:
            tell(Failed(attempt, Trouble(f"its worker process {how}")))

    def close(self) -> None:
        """Kill the workers: what they finished is kept, and what they began would be done again."""
        for slot in self._slots:
            slot.process.kill()
        for slot in self._slots:
            slot.process.join()
            slot.pipe.close()
        self._slots.clear()
        self._waiting.clear()


class _Slot:
    """A place for one worker process, which is started anew when it dies."""

    def __init__(self, gpu: str | None) -> None:
        self.gpu = gpu
        self.start()

    def start(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=serve, args=(theirs, self.gpu), name="invariscope-worker")
        self.process.start()
        # Theirs alone then: when the process dies, our end hears it.
        theirs.close()
        self.ready = False
        self.attempt: Attempt | None = None


def ended(code: int | None) -> str:
    """How a process ended, in words.

    Example:
        >>> ended(-9), ended(3)
        ('was killed by SIGKILL, as happens when memory runs out', 'ended by itself with the exit code 3')
    """
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name}" + (", as happens when memory runs out" if name == "SIGKILL" else "")
    return f"ended by itself with the exit code {code}"


def visible_gpus() -> list[str]:
    """The CUDA devices that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    said: Any = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is not None:
        return [name.strip() for name in said.split(",") if name.strip() not in ("", "-1")]
    import torch

    return [str(device) for device in range(torch.cuda.device_count())]
