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
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.runs.measure import measure
from invariscope.runs.store import Store, key_of
from invariscope.studies.across_category import AcrossCategory
from invariscope.training.grid import run_jobs
from invariscope.training.job import Job, with_options
from invariscope.training.loop import Schedule
from invariscope.training.sets import hold_out, make_sets
from invariscope.training.train import fresh_network, network_path, train_job

PARTS = ("glyphs", "digits")
_N_IMAGES = 500
_DIGITS = "builtin:digits"


@dataclass(frozen=True)
class _Part:
    """A network to measure in full, and on what."""

    name: str
    network: str
    seed: int
    out: str
    command: str | None


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
    run_jobs(_measure, None, parts, workers, progress, "full measurements")
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
    glyphs = table[(table.transformation == "inversion") & (table.k == max(study.k))].network.iloc[0]
    path = str(out / "networks" / f"{glyphs}.safetensors")
    digits = str(out / "networks")
    return [
        _Part("glyphs", path, seed, str(out / "glyphs"), command),
        _Part("digits", digits, seed, str(out / "digits"), command),
    ]


def _measure(shared: None, part: _Part) -> str:
    if part.name == "digits":
        network, images = _train_digits(Path(part.network), part.seed)
    else:
        network, images = part.network, load_images(with_options(AcrossCategory.images, split="test", seed=part.seed))
    measure(
        load_network(network),
        images.limit(_N_IMAGES, part.seed),
        device="cpu",
        out=part.out,
        resume=True,
        command=part.command,
        seed=part.seed,
    )
    return part.out


def _train_digits(folder: Path, seed: int) -> tuple[str, Images]:
    """A network that has learned digits from two thirds of them, none of them transformed, and the last third."""
    job = Job(AcrossCategory.network, "inversion", 1.0, 0, seed, Schedule(epochs=10))
    train, test = hold_out(load_images(_DIGITS), seed=seed)
    sets = make_sets(train, test, fresh_network(job, train.n_classes).recipe)
    train_job(job, sets, folder)
    return str(network_path(job, sets.fingerprint, folder)), test
