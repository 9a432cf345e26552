"""What the benchmarks share: seconds, spread, and the machine they were taken on."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def alternate(works: dict[str, Callable[[], object]], repeats: int, warm_up: int = 1) -> dict[str, list[float]]:
    """CPU seconds of each work, taken in turn so that a drifting machine harms all alike.

    Process time, not wall time: on a shared machine the latter measures the neighbours.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(warm_up + repeats):
        for name, work in works.items():
            start = time.process_time()
            work()
            if turn >= warm_up:
                seconds[name].append(time.process_time() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], top: str, bottom: str) -> dict[str, float]:
    """Median, smallest and largest ratio of two works, turn by turn."""
    turns = [a / b for a, b in zip(seconds[top], seconds[bottom], strict=True)]
    return {"median": statistics.median(turns), "min": min(turns), "max": max(turns)}


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    name = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        models = [line.split(":")[1].strip() for line in cpus.read_text().splitlines() if line.startswith("model name")]
        name = models[0] if models else name
    return {
        "cpu": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def write(name: str, result: dict[str, Any]) -> None:
    """Keep a benchmark's result beside the scripts."""
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"machine": machine(), **result}, indent=1) + "\n")
    print(json.dumps(result, indent=1))
