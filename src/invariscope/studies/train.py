"""Networks of a person's own choice, trained in the seen/unseen-transformed paradigm."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.files import whole
from invariscope.core.progress import Progress
from invariscope.findings.record import Record
from invariscope.grids.job import Job
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.runs.device import choose_device
from invariscope.runs.store import Store
from invariscope.studies.across_category import last_hidden_units, network_row
from invariscope.studies.as_trained import as_trained
from invariscope.studies.observed import Observed
from invariscope.training.image_sets import image_sets
from invariscope.training.loop import Schedule
from invariscope.training.mixture import Magnitudes
from invariscope.training.search import search_recipe
from invariscope.training.settings import Training
from invariscope.training.train import check_training, train_network
from invariscope.transformations.base import TRANSFORMATIONS

_TAU = 0.1
_MADE = ("networks", "jobs", "log", "failures", "search")


def train_networks(
    images: str,
    out: Path,
    *,
    network: str = "builtin:cnn",
    transformation: str = "inversion",
    magnitude: Magnitudes | None = None,
    seen: Sequence[int] | None = None,
    seeds: Sequence[int] = (0,),
    epochs: int = 10,
    test: str | None = None,
    schedule: Schedule | None = None,
    assignment: str = "all",
    mode: str = "joint",
    tests: Sequence[tuple[str, float]] = (),
    search: bool = False,
    device: str = "auto",
    workers: int = 2,
    engine: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> Path:
    """Train networks that see k of the classes transformed half of the times, and the others never.

    `out` then holds `networks/*.safetensors`, `training.parquet` (a row per network and epoch), `tests.parquet` (a row
    per network, transformation and magnitude), `paradigm.parquet` (a row per network: accuracies with intervals,
    invariance and specialization of its last hidden layer), `search.parquet` after a search, and `run.json`.

    Args:
        images: specifier of labelled images to learn from.
        out: the run directory.
        network: specifier of the architecture.
        transformation: what the seen classes are transformed with; several have "+" between them.
        magnitude: its magnitude or the ends of a range, one for each of several; None is the furthest of the default
            grid.
        seen: how many classes are seen transformed, one network each; None is half of them.
        seeds: one network each; a seed decides weights, seen classes, order, coins and noise.
        epochs: passes over the images.
        test: specifier of the images to test on; None takes the set's own test split, or holds out a third.
        schedule: how long and how fast networks learn, in place of `epochs`.
        assignment: with several transformations, "all" or "own", as in `Training`.
        mode: "joint", "two-step-finetune" or "two-step-classifier".
        tests: transformations and magnitudes to test under besides; none tests those of training.
        search: first find learning rate and weight decay, with the first seed and the most classes seen.
        device: "auto", "cpu", "mps", "cuda" or "cuda:N".
        workers: processes of one thread each on the CPU; they do not change the numbers.
        engine: where networks are trained, in place of `workers`: as for `run_grid`.
        resume: go on with an interrupted training in `out`.
        overwrite: replace the run in `out`.
        progress: told of every finished network.
        command: the command line, for the record.

    Returns:
        `out`.

    Raises:
        InvariscopeError: bad input, in one sentence.

    Source: Jang et al., section 2.1 and appendices B and C.
    """
    clock = Record("train", {}, command)
    if workers < 1:
        raise SettingError(f"workers takes 1 or more processes; got {workers}.")
    if not seeds:
        raise SettingError("at least one seed is needed.")
    strength = furthest(transformation) if magnitude is None else magnitude
    where = str(choose_device(device))
    sets = {seed: image_sets(images, test, network, seed) for seed in seeds}
    n_classes = len(sets[seeds[0]].classes)
    ks = list(seen) if seen is not None else [max(n_classes // 2, 1)]
    more = {"each_epoch": True, "assignment": assignment, "mode": mode, "tests": tuple(tests)}
    plan = schedule or Schedule(epochs=epochs)
    trainings = [Training(network, transformation, strength, k, seed, plan, **more) for seed in seeds for k in ks]  # type: ignore[arg-type]
    for training in trainings[: len(ks)]:
        check_training(training, sets[seeds[0]])
    prints = [each.fingerprint for each in sets.values()]
    configuration = {
        **{"images": images, "test": test, "seen": ks, "seeds": list(seeds), "search": search, "device": where},
        **{name: value for name, value in trainings[0].plain.items() if name not in ("k", "seed")},
    }
    record = replace(clock, configuration={**configuration, "fingerprints": prints})
    store = Store.open(out, record.plan, resume=resume, overwrite=overwrite)
    if store.done:
        return out
    if overwrite:
        for name in _MADE:
            shutil.rmtree(out / name, ignore_errors=True)
    engine = engine or (f"processes:{workers}" if workers > 1 and where == "cpu" else "serial")
    if search:
        most = max(trainings[: len(ks)], key=lambda training: training.k)
        table, plan = search_recipe(
            most, images, test, folder=out / "search", engine=engine, device=where, progress=progress
        )
        trainings = [replace(training, schedule=plan) for training in trainings]
        _write(out / "search.parquet", table)
    jobs = [_job(one, images, test, where, sets[one.seed].fingerprint) for one in trainings]
    with store.filling("jobs"):
        run_grid(jobs, out, engine, progress=progress, what="networks").check()
    for name, table in read_tables(jobs, out).items():
        _write(out / f"{name}.parquet", table)
    record.write(
        out,
        seeds={"seeds": list(seeds)},
        images={"spec": images, "fingerprint": prints[0], "n": len(sets[seeds[0]].train), "skipped": 0},
        network={"spec": network, "fingerprint": None},
        schedule=asdict(plan),
        device=where,
    )
    return out


def train_one(settings: Mapping[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job: train a network, or find it in `folder`, and look at its last hidden layer.

    Args:
        settings: `images`, `test`, `device`, the images' `fingerprint`, and `training`, as plain values.
        folder: networks are kept in its folder "networks".

    Returns:
        "paradigm" (one row), "training" (a row per epoch) and "tests" (a row per transformation and magnitude).
    """
    training = Training.of(settings["training"])
    sets = image_sets(settings["images"], settings["test"], training.network, training.seed)
    trained = train_network(training, sets, folder / "networks", settings["device"])
    strength = as_trained(training, trained.network, sets)
    seen = Observed(trained.network, sets, strength, _TAU, row=trained.row, history=trained.history)
    rows = {"paradigm": [network_row(seen, last_hidden_units(seen))], "training": trained.history}
    return {name: pd.DataFrame(found) for name, found in {**rows, "tests": trained.tests}.items()}


def furthest(transformation: str) -> Magnitudes:
    """The magnitude of a default grid that is furthest from the identity; one for each of several transformations.

    Example:
        >>> furthest("inversion"), furthest("inversion+rotation")
        (1.0, (1.0, 180.0))
    """
    found = []
    for name in transformation.split("+"):
        kind = TRANSFORMATIONS[name]
        found.append(float(max(kind.grid, key=lambda value: (abs(value - kind.identity), value))))
    return found[0] if len(found) == 1 else tuple(found)


def _job(training: Training, images: str, test: str | None, device: str, fingerprint: str) -> Job:
    settings = {"images": images, "test": test, "device": device, "fingerprint": fingerprint}
    label = f"{training.label}, {training.k} classes seen, seed {training.seed}"
    return Job("invariscope.studies.train:train_one", {**settings, "training": training.plain}, label, device != "cpu")


def _write(path: Path, table: pd.DataFrame) -> None:
    with whole(path) as draft:
        table.to_parquet(draft, index=False, compression="zstd")
