"""The main job on embedded data: networks that learn invariance on some classes, and two of them measured in full."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.files import whole
from invariscope.core.progress import Progress
from invariscope.findings.record import Record
from invariscope.grids.job import Job
from invariscope.grids.relay import current_progress
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.runs.measure import measure
from invariscope.runs.store import Store
from invariscope.studies.across_category import AcrossCategory
from invariscope.training.loop import Schedule
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training, with_options
from invariscope.training.train import fresh_network, network_path, train_network

DIGITS, N_IMAGES = "builtin:digits", 500
PARTS = ("glyphs", "digits")


def run_demo(
    out: Path,
    seed: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
    workers: int = 2,
    command: str | None = None,
    study: AcrossCategory | None = None,
    transformations: Sequence[str] | None = None,
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
        study: the networks to train; None is the whole grid.
        transformations: what the two networks are measured under; None is all, on their default grids.

    Returns:
        `out`.

    Raises:
        RunError: `out` holds something else.
    """
    study = study or AcrossCategory(seeds=(seed,))
    record = Record("demo", {"seed": seed, **asdict(study), "limit": N_IMAGES}, command)
    store = Store.open(out, record.plan, resume=True, overwrite=overwrite)
    if store.done:
        return out
    if overwrite:
        for name in (*PARTS, "networks", "jobs", "log", "failures"):
            shutil.rmtree(out / name, ignore_errors=True)
    engine = "serial" if workers == 1 else f"processes:{workers}"
    jobs = study.jobs()
    with store.filling("jobs"):
        run_grid(jobs, out, engine, progress=progress, what=study.noun).check()
    table = read_tables(jobs, out)["networks"]
    with whole(out / "paradigm.parquet") as draft:
        table.to_parquet(draft, index=False, compression="zstd")
    parts = _parts(study, table, seed, command, transformations)
    run_grid(parts, out, engine, progress=progress, what="full measurements").check()
    record.write(out, parts=list(PARTS), seeds={"seed": seed}, device="cpu")
    return out


def _parts(
    study: AcrossCategory,
    table: pd.DataFrame,
    seed: int,
    command: str | None,
    transformations: Sequence[str] | None,
) -> list[Job]:
    """Full measurements of the network that saw most classes inverted, and of one of digits, still to be trained."""
    row = table[(table.transformation == "inversion") & (table.k == max(study.k))].iloc[0]
    chosen = None if transformations is None else list(transformations)
    shared = {"seed": seed, "command": command, "transformations": chosen}
    images = [with_options(spec, split="test", seed=seed) for spec in (study.images, DIGITS)]
    return [
        Job("invariscope.studies.demo:measure_part", {**shared, "part": name, "images": spec, "network": network}, name)
        for name, spec, network in zip(PARTS, images, (row.network, None), strict=True)
    ]


def measure_part(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job: fill one of the demo's run directories.

    Args:
        settings: `part`, `images`, the name of the `network` or None, `transformations`, `seed`, `command`.
        folder: the demo's directory.

    Returns:
        The part's verdicts.
    """
    name, seed = settings["network"], settings["seed"]
    path = _train_digits(folder / "networks", seed) if name is None else folder / "networks" / f"{name}.safetensors"
    run = measure(
        load_network(str(path)),
        load_images(settings["images"]),
        transformations=settings["transformations"],
        device="cpu",
        out=folder / settings["part"],
        resume=True,
        progress=current_progress(),
        command=settings["command"],
        seed=seed,
        limit=N_IMAGES,
    )
    return {"verdicts": run.verdicts}


def _train_digits(folder: Path, seed: int) -> Path:
    """Train a network that sees nothing transformed."""
    job = Training(f"{AcrossCategory().network}?size=8", "inversion", 1.0, 0, seed, Schedule(epochs=10))
    train, test = (load_images(with_options(DIGITS, split=split, seed=seed)) for split in ("train", "test"))
    sets = make_sets(train, test, fresh_network(job, train.n_classes).recipe)
    train_network(job, sets, folder)
    return network_path(job, sets.fingerprint, folder)
