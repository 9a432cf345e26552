"""The main job on embedded data: networks that learn invariance on some classes, and two of them measured in full."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from invariscope.core.files import whole
from invariscope.core.progress import Progress, Silent
from invariscope.grids.pool import run_jobs
from invariscope.grids.relay import current_progress
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.runs.measure import measure
from invariscope.runs.store import Store
from invariscope.studies.across_category import AcrossCategory
from invariscope.studies.record import Record
from invariscope.training.loop import Schedule
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training, with_options
from invariscope.training.train import fresh_network, network_path, train_network

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
    transformations: Sequence[str] | None


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
    if Store.open(out, record.plan, resume=True, overwrite=overwrite).done:
        return out
    if overwrite:
        for name in (*PARTS, "networks"):
            shutil.rmtree(out / name, ignore_errors=True)
    progress = progress or Silent()
    networks = out / "networks"
    table = study.table(networks, workers, progress)
    with whole(out / "paradigm.parquet") as draft:
        table.to_parquet(draft, index=False, compression="zstd")
    parts = _parts(out, study, table, seed, command, transformations)
    run_jobs(_measure, networks, parts, workers, progress, "full measurements", steps=True)
    record.write(out, parts=list(PARTS), seeds={"seed": seed}, device="cpu")
    return out


def _parts(
    out: Path,
    study: AcrossCategory,
    table: pd.DataFrame,
    seed: int,
    command: str | None,
    transformations: Sequence[str] | None,
) -> list[_Part]:
    """The network that saw the most classes inverted, and one of digits that is still to be trained."""
    row = table[(table.transformation == "inversion") & (table.k == max(study.k))].iloc[0]
    glyphs = out / "networks" / f"{row.network}.safetensors"
    images = [with_options(spec, split="test", seed=seed) for spec in (study.images, DIGITS)]
    return [
        _Part(out / name, seed, command, spec, network, transformations)
        for name, spec, network in zip(PARTS, images, (glyphs, None), strict=True)
    ]


def _measure(networks: Path, part: _Part) -> None:
    network = part.network or _train_digits(networks, part.seed)
    measure(
        load_network(str(network)),
        load_images(part.images),
        transformations=part.transformations,
        device="cpu",
        out=part.out,
        resume=True,
        progress=current_progress(),
        command=part.command,
        seed=part.seed,
        limit=N_IMAGES,
    )


def _train_digits(folder: Path, seed: int) -> Path:
    """Train a network that sees nothing transformed."""
    job = Training(f"{AcrossCategory().network}?size=8", "inversion", 1.0, 0, seed, Schedule(epochs=10))
    train, test = (load_images(with_options(DIGITS, split=split, seed=seed)) for split in ("train", "test"))
    sets = make_sets(train, test, fresh_network(job, train.n_classes).recipe)
    train_network(job, sets, folder)
    return network_path(job, sets.fingerprint, folder)
