"""Weak scaling of grids: n jobs for each worker, in one worker process and in several; start-up is excluded.

python benchmarks/scaling.py [--jobs 12] [--steps 150] [--workers 2] [--repeats 3]
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

from common import ratio, write

from invariscope.grids.job import Job
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables


def jobs_of(count: int, steps: int) -> list[Job]:
    return [Job("scaling_work:train", {"seed": seed, "steps": steps}) for seed in range(count)]


def seconds(workers: int, jobs: int, steps: int) -> float:
    """From the moment when all workers are there to the end of the last job."""
    waits = [Job("scaling_work:wait", {"place": place, "workers": workers}) for place in range(workers)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_grid([*waits, *jobs_of(workers * jobs, steps)], folder, f"processes:{workers}").check()
        end = max(float(file.read_text()) for file in folder.glob("end-*.txt"))
        return end - float((folder / "start.txt").read_text())


def digest(jobs: list[Job], engine: str) -> str:
    """Of the merged table, as it is written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_grid(jobs, folder, engine).check()
        file = folder / "merged.parquet"
        read_tables(jobs, folder)["losses"].to_parquet(file, index=False)
        return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=12, help="for each worker")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    one, many = "processes:1", f"processes:{options.workers}"
    taken: dict[str, list[float]] = {one: [], many: []}
    for _ in range(options.repeats):
        taken[one].append(seconds(1, options.jobs, options.steps))
        taken[many].append(seconds(options.workers, options.jobs, options.steps))
    few = jobs_of(4, 20)
    hashes = {engine: digest(few, engine) for engine in ("serial", one, many)}
    write(
        "scaling",
        {
            "jobs for each worker": options.jobs,
            "steps": options.steps,
            "workers": options.workers,
            "seconds": taken,
            # As many jobs for each worker should take as long: 1 is ideal.
            "of ideal": ratio(taken, one, many),
            "merged results byte-equal": len(set(hashes.values())) == 1,
        },
    )


if __name__ == "__main__":
    main()
