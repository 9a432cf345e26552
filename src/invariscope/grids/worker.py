"""What runs in a worker process of this machine."""

import os
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

from invariscope.grids.perform import Trouble, perform
from invariscope.grids.relay import Steps, set_current
from invariscope.grids.threads import one_thread_from_now_on

READY = "ready"


def serve(pipe: Connection, gpu: str | None) -> None:
    """Do what comes through the pipe until it is closed, or until the parent is gone.

    Args:
        pipe: attempts come in; steps, errors and ends go out.
        gpu: the only CUDA device that this process sees, or None for all.
    """
    # Ctrl-C reaches the whole group: a worker then ends at once and without a traceback; its parent speaks.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    # Standard output is the parent's, for its result.
    sys.stdout = sys.stderr
    threading.Thread(target=_end_with_parent, daemon=True).start()
    lock = threading.Lock()

    def send(kind: str, told: Any) -> None:
        with lock:
            pipe.send((kind, told))

    send(READY, None)
    while True:
        try:
            attempt = pipe.recv()
        except EOFError:
            return
        set_current(Steps(lambda done, total: send("steps", (done, total))))
        one_thread_from_now_on()
        try:
            perform(attempt)
        except (Exception, SystemExit) as error:
            send("end", Trouble.of(error))
        else:
            send("end", None)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
