"""The learning rate and weight decay that suit a network, found on images held out from training."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.progress import Progress
from invariscope.grids.job import Job
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.training.evaluate import Accuracy, evaluate_shown
from invariscope.training.image_sets import split_images
from invariscope.training.loop import DivergedError, Schedule
from invariscope.training.paradigm import seen_classes
from invariscope.training.sets import Sets, hold_out, make_sets
from invariscope.training.settings import Training
from invariscope.training.train import fresh_network, network_path, train_network

LEARNING_RATES = (0.005, 0.015, 0.05, 0.15, 0.5)
WEIGHT_DECAYS = (5e-6, 5e-5, 5e-4, 5e-3, 5e-2)
WORK = "invariscope.training.search:cell"
HELD_OUT = 0.1


def search_recipe(
    training: Training,
    images: str,
    test: str | None = None,
    *,
    folder: Path,
    learning_rates: Sequence[float] = LEARNING_RATES,
    weight_decays: Sequence[float] = WEIGHT_DECAYS,
    held_out: float = HELD_OUT,
    engine: str = "processes:2",
    device: str = "cpu",
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, Schedule]:
    """Train a network for every pair of a learning rate and a weight decay, and choose the pair.

    The test images are not looked at, and of the held-out images only what training shows: all classes clean, and seen
    classes also transformed. To choose by accuracy across to the other classes would tune what is to be measured.

    Args:
        training: the network that the recipe is for; its own learning rate and weight decay do not matter.
        images: specifier of labelled images.
        test: specifier of the images to test on, or None; they are only left out.
        folder: where finished cells are kept, so that an interrupted search goes on.
        learning_rates: to try.
        weight_decays: to try.
        held_out: share of every class's training images.
        engine: where cells are trained, as for `run_grid`.
        device: on what.
        progress: told of every finished cell.

    Returns:
        A row per cell (`learning_rate`, `weight_decay`, `accuracy`, `low`, `high`, `n`, `chosen`), and the training's
        schedule with the chosen pair.

    Raises:
        SettingError: there is nothing to try, or every cell diverged.
        RunError: a cell failed.

    Source: Jang et al., appendix B: 25 combinations, on 10 % of the training images.
    """
    cells = cells_of(training, images, test, learning_rates, weight_decays, held_out, device)
    run_grid(cells, folder, engine, progress=progress, what="cells of the search").check()
    table = read_tables(cells, folder)["search"]
    row = choose(table)
    table["chosen"] = table.index == row.name
    chosen = {name: float(row[name]) for name in ("learning_rate", "weight_decay")}
    return table, replace(training.schedule, **chosen)  # type: ignore[arg-type]


def cells_of(
    training: Training,
    images: str,
    test: str | None,
    learning_rates: Sequence[float] = LEARNING_RATES,
    weight_decays: Sequence[float] = WEIGHT_DECAYS,
    held_out: float = HELD_OUT,
    device: str = "cpu",
) -> list[Job]:
    """The jobs of a search, one per pair.

    Raises:
        SettingError: there is nothing to try.
    """
    if not learning_rates or not weight_decays:
        raise SettingError("a search needs at least one learning rate and one weight decay.")
    jobs = []
    for rate in learning_rates:
        for decay in weight_decays:
            one = replace(
                training,
                schedule=replace(training.schedule, learning_rate=float(rate), weight_decay=float(decay)),
                each_epoch=False,
                tests=(),
            )
            settings = {"images": images, "test": test, "held_out": held_out, "device": device, "training": one.plain}
            jobs.append(Job(WORK, settings, f"learning rate {rate:g}, weight decay {decay:g}", device != "cpu"))
    return jobs


def cell(settings: Mapping[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job: train on nine tenths of the training images, test on the tenth.

    Args:
        settings: `images`, `test`, `held_out`, `device` and `training`, as plain values.
        folder: an interrupted training goes on from there; nothing is left in it.

    Returns:
        "search": one row with `learning_rate`, `weight_decay`, `accuracy`, `low`, `high`, `n`; the accuracy is NaN
        where training diverged.
    """
    training, share = Training.of(settings["training"]), settings["held_out"]
    sets = _sets(settings["images"], settings["test"], training.network, training.seed, share)
    schedule, kept = training.schedule, folder / "cells"
    row = {name: asdict(schedule)[name] for name in ("learning_rate", "weight_decay")}
    try:
        network = train_network(training, sets, kept, settings["device"]).network
    except DivergedError:
        found = Accuracy(0, 0)
    else:
        seen = seen_classes(len(sets.classes), training.k, training.seed)
        mixture = training.mixture(len(sets.classes), network.recipe.fill)
        found = evaluate_shown(network, sets.test, sets.test_labels, mixture, seen)
    low, high = found.interval
    path = network_path(training, sets.fingerprint, kept)
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)
    return {"search": pd.DataFrame([row | {"accuracy": found.value, "low": low, "high": high, "n": len(sets.test)}])}


def choose(table: pd.DataFrame) -> "pd.Series[Any]":
    """The cell of a search that is taken.

    The largest accuracy decides; of equals the cell nearest to the middle of the grid, then the smallest learning rate,
    then the smallest weight decay, for a cell in the middle is far from what diverges and from what learns nothing.

    Args:
        table: `learning_rate`, `weight_decay` and `accuracy`; NaN is never chosen.

    Raises:
        SettingError: no cell has an accuracy.

    Example:
        >>> equal = {"learning_rate": [0.1, 0.2, 0.3], "weight_decay": [0.0] * 3, "accuracy": [1.0, 1.0, 1.0]}
        >>> float(choose(pd.DataFrame(equal)).learning_rate)
        0.2
    """
    known = table.dropna(subset=["accuracy"])
    if known.empty:
        raise SettingError("training diverged in every cell of the search; give smaller learning rates.")
    far = pd.Series(0.0, index=table.index)
    for name in ("learning_rate", "weight_decay"):
        values = sorted(set(table[name]))
        far += (table[name].map(values.index) - (len(values) - 1) / 2).abs()
    best = known[known["accuracy"] == known["accuracy"].max()].assign(far=far)
    first: pd.Series[Any] = table.loc[best.sort_values(["far", "learning_rate", "weight_decay"]).index[0]]
    return first


@lru_cache(maxsize=2)
def _sets(images: str, test: str | None, network: str, seed: int, held_out: float) -> Sets:
    train, _ = split_images(images, test, seed)
    learned, held = hold_out(train, held_out, seed)
    return make_sets(learned, held, fresh_network(Training(network, "inversion", 1.0, 0, seed), train.n_classes).recipe)
