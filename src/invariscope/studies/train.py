"""Networks of a person's own choice, trained in the seen/unseen-transformed paradigm."""

import inspect
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.files import whole
from invariscope.core.progress import Progress
from invariscope.grids.pool import run_jobs
from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.responses.recorder import Strength
from invariscope.runs.device import choose_device
from invariscope.runs.store import Store
from invariscope.studies.across_category import last_hidden_units, network_row
from invariscope.studies.observed import Observed
from invariscope.studies.record import Record
from invariscope.training.loop import Schedule
from invariscope.training.sets import Sets, hold_out, make_sets
from invariscope.training.settings import Training, with_options
from invariscope.training.train import fresh_network, train_network
from invariscope.transformations.base import TRANSFORMATIONS

Row = dict[str, Any]
_TAU = 0.1


def train_networks(
    images: str,
    out: Path,
    *,
    network: str = "builtin:cnn",
    transformation: str = "inversion",
    magnitude: float | None = None,
    seen: Sequence[int] | None = None,
    seeds: Sequence[int] = (0,),
    epochs: int = 10,
    test: str | None = None,
    device: str = "auto",
    workers: int = 2,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> Path:
    """Train networks that see k of the classes transformed half of the times, and the others never.

    `out` then holds `networks/*.safetensors`, `training.parquet` (a row per network and epoch), `paradigm.parquet` (a
    row per network: accuracies with intervals, invariance and specialization of its last hidden layer) and `run.json`.

    Args:
        images: specifier of labelled images to learn from.
        out: the run directory.
        network: specifier of the architecture.
        transformation: what the seen classes are transformed with.
        magnitude: its magnitude; None is the furthest of its default grid.
        seen: how many classes are seen transformed, one network each; None is half of them.
        seeds: one network each; a seed decides weights, seen classes, order, coins and noise.
        epochs: passes over the images.
        test: specifier of the images to test on; None takes the set's own test split, or holds out a third.
        device: "auto", "cpu", "mps", "cuda" or "cuda:N".
        workers: processes of one thread each on the CPU; they do not change the numbers.
        resume: go on with an interrupted training in `out`.
        overwrite: replace the run in `out`.
        progress: told of every finished network.
        command: the command line, for the record.

    Returns:
        `out`.

    Raises:
        InvariscopeError: bad input, in one sentence.

    Source: Jang et al., section 2.1.
    """
    clock = Record("train", {}, command)
    kind = TRANSFORMATIONS[transformation]
    if epochs < 1:
        raise SettingError(f"epochs takes 1 or more passes over the images; got {epochs}.")
    strength = _furthest(kind.grid, kind.identity) if magnitude is None else magnitude
    where = str(choose_device(device))
    sets = {seed: _sets(images, test, network, seed) for seed in seeds}
    n_classes = len(next(iter(sets.values())).classes)
    ks = list(seen) if seen is not None else [max(n_classes // 2, 1)]
    configuration = {
        **{"images": images, "test": test, "network": network, "transformation": transformation},
        **{"magnitude": strength, "seen": ks, "seeds": list(seeds), "epochs": epochs},
    }
    prints = [each.fingerprint for each in sets.values()]
    record = replace(clock, configuration={**configuration, "fingerprints": prints})
    if Store.open(out, record.plan, resume=resume, overwrite=overwrite).done:
        return out
    if overwrite:
        shutil.rmtree(out / "networks", ignore_errors=True)
    jobs = [
        Training(network, transformation, strength, k, seed, Schedule(epochs=epochs), each_epoch=True)
        for seed in seeds
        for k in ks
    ]
    done = run_jobs(
        _work, (sets, out / "networks", where), jobs, workers if where == "cpu" else 1, progress, "networks"
    )
    _write(out / "training.parquet", [row for _, history in done for row in history])
    _write(out / "paradigm.parquet", [row for row, _ in done])
    record.write(
        out,
        seeds={"seeds": list(seeds)},
        images={"spec": images, "fingerprint": prints[0], "n": len(next(iter(sets.values())).train), "skipped": 0},
        network={"spec": network, "fingerprint": None},
        device=where,
    )
    return out


def _work(shared: tuple[dict[int, Sets], Path, str], job: Training) -> tuple[Row, list[Row]]:
    sets, folder, device = shared[0][job.seed], shared[1], shared[2]
    trained = train_network(job, sets, folder, device)
    strength = Strength(job.make_transformation().with_fill(trained.network.recipe.fill), job.magnitude, seed=0)
    seen = Observed(trained.network, sets, strength, _TAU, row=trained.row, history=trained.history)
    return network_row(seen, last_hidden_units(seen)), trained.history


def _furthest(grid: Sequence[float], identity: float) -> float:
    return float(max(grid, key=lambda magnitude: (abs(magnitude - identity), magnitude)))


def _sets(images: str, test: str | None, network: str, seed: int) -> Sets:
    train, held = _split(images, test, seed)
    recipe = fresh_network(Training(network, "inversion", 1.0, 0, seed), train.n_classes).recipe
    return make_sets(train, held, recipe)


def _split(images: str, test: str | None, seed: int) -> tuple[Images, Images]:
    """The images to learn from and those to test on; a drawn set is drawn anew for each seed."""
    if test is not None:
        return load_images(images), load_images(test)
    kind, _, name = images.partition("?")[0].partition(":")
    known = inspect.signature(BUILTIN_IMAGES[name]).parameters if kind == "builtin" else {}
    if "split" in known and "split=" not in images:
        options = {"seed": seed} if "seed" in known else {}
        train, held = (load_images(with_options(images, split=split, **options)) for split in ("train", "test"))
        return train, held
    return hold_out(load_images(images), seed=seed)


def _write(path: Path, rows: list[Row]) -> None:
    with whole(path) as draft:
        pd.DataFrame(rows).to_parquet(draft, index=False, compression="zstd")
