"""What runs on a worker of a Dask cluster."""

import os
import platform
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from invariscope.grids.perform import Attempt, Trouble, perform
from invariscope.grids.relay import Steps, reporting
from invariscope.grids.threads import one_thread_from_now_on


class UndoneError(Exception):
    """An attempt failed; carries its `Trouble` to the driver."""


class BlindError(Exception):
    """The worker does not see the grid's folder; carries its host's name."""


@dataclass(frozen=True)
class Order:
    """What a worker needs to know of an attempt.

    Args:
        attempt: what to do.
        topic: where it tells how it gets on.
        token: how it calls the attempt there.
        probe: a file that must be seen, or the folder is not shared.
        probing: seconds until it must be seen.
        home: the driver's folder, where a person's own modules may lie.
    """

    attempt: Attempt
    topic: str
    token: str
    probe: Path
    probing: float
    home: str


def obey(order: Order) -> None:
    """Do one attempt. Its results go to the grid's folder, so that nothing travels through the scheduler.

    Args:
        order: what to do.

    Raises:
        BlindError: the folder is not seen from here.
        UndoneError: the job failed.
    """
    from distributed import get_worker

    worker = get_worker()
    if not _seen(order.probe, order.probing):
        raise BlindError(platform.node())
    if order.home not in sys.path:
        sys.path.append(order.home)
    worker.log_event(order.topic, [order.token, "started", os.getpid(), 0])
    one_thread_from_now_on()
    steps = Steps(lambda done, total: worker.log_event(order.topic, [order.token, "steps", done, total]), every=1.0)
    try:
        with reporting(steps):
            perform(order.attempt)
    except (Exception, SystemExit) as error:
        raise UndoneError(Trouble.of(error)) from None


def _seen(probe: Path, patience: float) -> bool:
    """A network's file system may show a new file late."""
    end = time.monotonic() + patience
    while not probe.is_file():
        if time.monotonic() > end:
            return False
        with suppress(OSError):
            any(probe.parent.iterdir())
        time.sleep(0.1)
    return True
