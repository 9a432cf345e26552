"""Work for grids in tests: importable in worker processes, on Dask workers and in drivers that are killed."""

import os
import resource
import signal
import time
from pathlib import Path

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.files import whole


def square(settings, folder):
    """A table that a person can check, after a pause."""
    time.sleep(settings.get("pause", 0))
    x = settings["x"]
    return {
        "squares": pd.DataFrame({"square": [x**2], "text": ["é"]}),
        "halves": pd.DataFrame({"half": [x / 2, -x / 2]}),
    }


def square_once_dying(settings, folder):
    """The worker is killed by SIGKILL in the middle of its first attempt, and by nothing later."""
    first = Path(settings["marks"]) / f"died-{settings['x']}"
    if not first.exists():
        first.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(settings, folder)


def deadly(settings, folder):
    """The worker dies each time, a little later than it began."""
    mark(settings, "deadly")
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def mark(settings, name):
    """Leave a file, so that a test can count attempts."""
    folder = Path(settings["marks"])
    (folder / f"{name}-{os.getpid()}-{time.monotonic_ns()}").touch()


def failing(settings, folder):
    mark(settings, "failing")
    raise ValueError(f"no square of {settings['x']}")


def failing_once(settings, folder):
    if not list(Path(settings["marks"]).glob("failing-*")):
        mark(settings, "failing")
        raise ValueError("not yet")
    return square(settings, folder)


def leaving(settings, folder):
    raise SystemExit("enough")


def on_a_full_disk(settings, folder):
    if not (Path(settings["marks"]) / "freed").exists():
        with whole(folder / "networks" / f"{settings['x']}.parquet") as draft:
            # The system's own device that is always full.
            draft.symlink_to("/dev/full")
            pd.DataFrame({"number": range(1000)}).to_parquet(draft)
    return square(settings, folder)


def of_limited_size(settings, folder):
    """The process may write no file above a kilobyte: the system stops it in the middle of its tables."""
    if not (Path(settings["marks"]) / "freed").exists():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        return {"long": pd.DataFrame({"number": [hash((settings["x"], i)) for i in range(4000)]})}
    finally:
        mark(settings, "limited")


def no_table(settings, folder):
    return {"squares": [1, 2]}


def stepping(settings, folder):
    from invariscope.grids.relay import current_progress

    progress = current_progress()
    progress.start("steps", settings["x"])
    for _ in range(settings["x"]):
        progress.advance()
        time.sleep(0.6)
    return square(settings, folder)


def threads(settings, folder):
    import torch
    from threadpoolctl import threadpool_info

    most = max(library["num_threads"] for library in threadpool_info())
    return {"threads": pd.DataFrame({"torch": [torch.get_num_threads()], "most": [most]})}


def who(settings, folder):
    """Which GPU the process may use."""
    return {"who": pd.DataFrame({"gpu": [os.environ.get("CUDA_VISIBLE_DEVICES", "")]})}


def refuse(settings, folder):
    raise SettingError(f"k is too large; got {settings['k']}.")
