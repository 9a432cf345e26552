"""The main job on embedded data: networks that learn invariance on some classes, and two of them measured in full."""

import json
import platform
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import invariscope
from invariscope.core.files import whole
from invariscope.core.progress import Progress, Silent
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.runs.measure import measure
from invariscope.runs.store import Store, key_of
from invariscope.studies.across_category import AcrossCategory
from invariscope.training.grid import run_jobs
from invariscope.training.job import Job, with_options
from invariscope.training.loop import Schedule
from invariscope.training.relay import current_progress
from invariscope.training.sets import make_sets
from invariscope.training.train import fresh_network, network_path, train_job

DIGITS, N_IMAGES = "builtin:digits", 500
PARTS = ("glyphs", "digits")


@dataclass(frozen=True)
class _Part:
    """A run directory to fill: a network, or None for one of digits that is still to be trained, and its images."""

    out: Path
    seed: int
    command: str | None
    images: str
    network: Path | None


def run_demo(
    out: Path,
    seed: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
    workers: int = 2,
    command: str | None = None,
) -> Path:
    """Train the networks of `AcrossCategory`, measure one of them and one of handwritten digits in full.

    `out` then holds `paradigm.parquet` (a row per network), `networks/`, the run directories `glyphs` (the network
    that saw the most classes inverted) and `digits` (a network that saw nothing transformed), and `run.json`, written
    last. An interrupted demo goes on where it stopped; a finished one is returned at once.

    Args:
        out: the demo's directory.
        seed: of everything: data, weights, seen classes, order, noise, bootstraps.
        progress: told of finished networks and measurements.
        overwrite: do a finished demo, or one of another seed, again.
        workers: processes, of one thread each; they do not change the numbers.
        command: the command line, for the record.

    Returns:
        `out`.

    Raises:
        RunError: `out` holds something else.
    """
    began, started = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    study = AcrossCategory(seeds=(seed,))
    plan: dict[str, Any] = {"command": "demo", "version": invariscope.__version__, "seed": seed, "study": repr(study)}
    store = Store.open(out, plan, resume=True, overwrite=overwrite)
    if store.done:
        return out
    if overwrite:
        for name in (*PARTS, "networks"):
            shutil.rmtree(out / name, ignore_errors=True)
    progress = progress or Silent()
    networks = out / "networks"
    table = study.table(networks, workers, progress)
    with whole(out / "paradigm.parquet") as draft:
        table.to_parquet(draft, index=False, compression="zstd")
    parts = _parts(out, study, table, seed, command)
    run_jobs(_measure, networks, parts, workers, progress, "full measurements", steps=True)
    info = {
        "kind": "demo",
        "parts": list(PARTS),
        "version": invariscope.__version__,
        "command": command,
        "configuration": {"seed": seed, "images": study.images, "network": study.network, "k": list(study.k)}
        | {"transformations": [list(pair) for pair in study.transformations], "epochs": study.schedule.epochs},
        "seeds": {"seed": seed},
        "seconds": round(time.monotonic() - started, 2),
        "warnings": [],
        "started": began,
        "environment": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": f"{platform.system()} {platform.machine()}",
        },
        "key": key_of(plan),
    }
    with whole(out / "run.json") as draft:
        draft.write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
    (out / ".plan.json").unlink(missing_ok=True)
    return out


def _parts(out: Path, study: AcrossCategory, table: pd.DataFrame, seed: int, command: str | None) -> list[_Part]:
    """The network that saw the most classes inverted, and one of digits that is still to be trained."""
    row = table[(table.transformation == "inversion") & (table.k == max(study.k))].iloc[0]
    glyphs = out / "networks" / f"{row.network}.safetensors"
    return [
        _Part(out / "glyphs", seed, command, with_options(study.images, split="test", seed=seed), glyphs),
        _Part(out / "digits", seed, command, with_options(DIGITS, split="test", seed=seed), None),
    ]


def _measure(networks: Path, part: _Part) -> None:
    images = load_images(part.images)
    network = load_network(str(part.network or _train_digits(networks, part.seed)))
    measure(
        network,
        images.limit(N_IMAGES, part.seed),
        device="cpu",
        out=part.out,
        resume=True,
        progress=current_progress(),
        command=part.command,
        seed=part.seed,
    )


def _train_digits(folder: Path, seed: int) -> Path:
    """Train a network that sees nothing transformed."""
    job = Job(f"{AcrossCategory().network}?size=8", "inversion", 1.0, 0, seed, Schedule(epochs=10))
    train, test = (load_images(with_options(DIGITS, split=split, seed=seed)) for split in ("train", "test"))
    sets = make_sets(train, test, fresh_network(job, train.n_classes).recipe)
    train_job(job, sets, folder)
    return network_path(job, sets.fingerprint, folder)
