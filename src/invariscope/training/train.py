"""Train one network in the seen/unseen-transformed paradigm, or find it finished."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from invariscope.core.errors import NetworkError, SettingError
from invariscope.core.files import whole
from invariscope.images.images import Images
from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network
from invariscope.networks.network import Network
from invariscope.training.checkpoint import Keeper
from invariscope.training.log import Log
from invariscope.training.loop import Schedule, drawing_from, train
from invariscope.training.paradigm import Sampler, seen_classes
from invariscope.training.sets import Sets, make_sets
from invariscope.training.settings import Training, with_options
from invariscope.training.steps import Step, steps_of
from invariscope.transformations.base import TRANSFORMATIONS

Row = dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """A trained network and what became of it.

    Args:
        network: in evaluation mode; `seen` names the classes that it saw transformed.
        row: settings, clean, within- and across-category accuracy with intervals and numbers of images.
        history: one row per epoch; accuracies are NaN where they were not tested.
        tests: one row per transformation and magnitude that it was tested under (`evaluate_each`).
    """

    network: Network
    row: Row
    history: list[Row]
    tests: list[Row] = field(default_factory=list)


def train_paradigm(
    images_train: Images,
    images_test: Images,
    network_spec: str,
    transformation: str,
    magnitude: float,
    k: int,
    seed: int = 0,
    *,
    schedule: Schedule | None = None,
    folder: Path | None = None,
    device: str = "cpu",
) -> tuple[Network, Row]:
    """Train a network that sees k classes transformed half of the times, and the others never.

    Args:
        images_train: labelled images to learn from.
        images_test: labelled images of the same classes.
        network_spec: the architecture, "builtin:…", "torchvision:…" or "timm:…".
        transformation: name of what the seen classes are transformed with.
        magnitude: its magnitude.
        k: how many classes are seen transformed; 0 to all.
        seed: decides weights, seen classes, order, coins and noise; seen classes of one seed are nested in k.
        schedule: how long and how fast it learns; None is 6 epochs.
        folder: where the network is kept, or found if it is finished; None keeps nothing.
        device: where it is trained.

    Returns:
        The network, whose `seen` names the classes, and its row: `transformation`, `magnitude`, `k`, `n_classes`,
        `seed`, `network`, `clean`, `within`, `across`, each with `_low`, `_high` and `_n`, `loss`, `seconds`.

    Raises:
        SettingError: the images have no labels or other classes, or k is too large.
        NetworkError: the network has other outputs than there are classes, or does not learn.

    Source: Jang et al., section 2.1.
    """
    training = Training(network_spec, transformation, magnitude, k, seed, schedule or Schedule())
    recipe = fresh_network(training, len(images_train.classes or ())).recipe
    trained = train_network(training, make_sets(images_train, images_test, recipe), folder, device)
    return trained.network, trained.row


def fresh_network(training: Training, n_classes: int) -> Network:
    """The network of a training before training: random weights by the training's seed, one output per class.

    Args:
        training: whose specifier and seed are taken; a network from a file comes as the file makes it.
        n_classes: how many outputs it gets.

    Returns:
        The network.
    """
    source = training.network.partition(":")[0]
    outputs = {"builtin": "classes", "torchvision": "num_classes", "timm": "num_classes"}.get(source)
    spec = (
        with_options(training.network, **{outputs: n_classes, "seed": training.seed}) if outputs else training.network
    )
    with drawing_from(training.seed, torch.device("cpu")):
        return load_network(spec)


def train_network(
    training: Training,
    sets: Sets,
    folder: Path | None = None,
    device: str = "cpu",
    *,
    checkpoint_every: int | None = None,
    watch: Callable[[int, Network], None] | None = None,
) -> Trained:
    """Train the network of a training, go on where it was interrupted, or load it where it is finished.

    Args:
        training: the settings.
        sets: the images.
        folder: where networks and checkpoints are kept; None keeps nothing.
        device: where it is trained.
        checkpoint_every: epochs between two checkpoints; None writes one after an epoch once 20 seconds have passed.
            The network is the same bit for bit, with them or without, interrupted or not.
        watch: called with 0 and the network as it begins, then after every epoch with how many are done; the network
            is the same bit for bit, watched or not.

    Returns:
        The network, its row, its history and its tests.

    Raises:
        SettingError: the magnitude changes nothing, k is too large, or a network that is kept shall be watched.
        NetworkError: the network has other outputs than there are classes, or does not learn.
    """
    if folder is not None and watch is not None:
        raise SettingError("a network that is watched is trained from its start; give no folder.")
    if folder is not None and (kept := finished(training, sets.fingerprint, folder)) is not None:
        network = _load(training, sets.fingerprint, folder, device)
        return Trained(network, kept["row"], kept["history"], kept.get("tests", []))
    started, n_classes = time.perf_counter(), len(sets.classes)
    network = fresh_network(training, n_classes).to(device)
    mixture = training.mixture(n_classes, network.recipe.fill)
    seen = seen_classes(n_classes, training.k, training.seed)
    steps = steps_of(training.mode, seen, n_classes)
    _check_outputs(network, sets, device)
    path = None if folder is None else checkpoint_path(training, sets.fingerprint, folder)
    keeper = Keeper(path, training.settings(sets.fingerprint), checkpoint_every)
    log = Log(training, sets, network, mixture, seen, keeper.history)
    done = [step.name for step in steps].index(keeper.stage) if keeper.stage else 0
    schedule, seed = training.schedule, training.seed
    if watch is not None:
        with drawing_from(seed, network.device):
            watch(0, network)
    for step in steps[done:]:
        shown = () if step.name == "unseen" else seen
        sampler = Sampler(
            sets.train_labels,
            n_classes,
            shown,
            seed,
            schedule.batch_size,
            classes=step.classes,
            purpose=step.purpose,
        )
        after = log.of(step) if watch is None else _watched(log, step, watch)
        train(network, sets.train, sets.train_labels, mixture, sampler, schedule, seed, after, step=step, keeper=keeper)
    trained = Trained(network, log.row() | {"seconds": time.perf_counter() - started}, log.history, log.tests())
    network.classes = sets.classes
    network.seen = tuple(sets.classes[index] for index in seen) or None
    network.notes = []
    if folder is None:
        return trained
    _keep(training, sets.fingerprint, folder, trained)
    keeper.remove()
    # The network of the file, so that it computes the same to the last bit when it is found there again.
    return replace(trained, network=_load(training, sets.fingerprint, folder, device))


def check_training(training: Training, sets: Sets) -> None:
    """Refuse settings that no network could be trained with, before any is.

    Args:
        training: the settings.
        sets: the images.

    Raises:
        InvariscopeError: the network, transformations, magnitudes, k, mode or tests do not fit one another.
    """
    network = fresh_network(training, len(sets.classes))
    seen = seen_classes(len(sets.classes), training.k, training.seed)
    steps_of(training.mode, seen, len(sets.classes))
    _check_outputs(network, sets, "cpu")
    size = (sets.train.height, sets.train.width)
    for part in training.mixture(len(sets.classes)).parts:
        part.transformation.check_magnitudes([part.low, part.high], size)
    for name, magnitude in training.tests:
        TRANSFORMATIONS[name]().check_magnitudes([magnitude], size)


def network_path(training: Training, fingerprint: str, folder: Path) -> Path:
    """Where a training's finished network lies in a folder."""
    return folder / f"{training.name(fingerprint)}.safetensors"


def checkpoint_path(training: Training, fingerprint: str, folder: Path) -> Path:
    """Where a training that is not finished keeps its state."""
    return folder / "checkpoints" / f"{training.name(fingerprint)}.safetensors"


def finished(training: Training, fingerprint: str, folder: Path) -> dict[str, Any] | None:
    """What was found ("row", "history" and "tests") when a training's network was trained, or None."""
    path = network_path(training, fingerprint, folder)
    try:
        kept = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not path.is_file() or kept.get("settings") != json.loads(json.dumps(training.settings(fingerprint))):
        return None
    return dict(kept)


def _watched(log: Log, step: Step, watch: Callable[[int, Network], None]) -> Callable[[int, float], None]:
    after = log.of(step)

    def after_epoch(epoch: int, loss: float) -> None:
        after(epoch, loss)
        with drawing_from(log.training.seed, log.network.device):
            watch(len(log.history), log.network)

    return after_epoch


def _keep(training: Training, fingerprint: str, folder: Path, trained: Trained) -> None:
    path = network_path(training, fingerprint, folder)
    save_network(trained.network, path)
    # Written last: where it lies, the network is finished.
    with whole(path.with_suffix(".json")) as draft:
        kept = {
            "settings": training.settings(fingerprint),
            "row": trained.row,
            "history": trained.history,
            "tests": trained.tests,
        }
        draft.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _load(training: Training, fingerprint: str, folder: Path, device: str) -> Network:
    network = load_network(str(network_path(training, fingerprint, folder))).to(device)
    network.module.eval()
    return network


def _check_outputs(network: Network, sets: Sets, device: str) -> None:
    with torch.inference_mode():
        outputs = network(sets.train.batch([0], device))
    if outputs.shape != (1, len(sets.classes)):
        raise NetworkError(
            f"{network.spec} gives outputs of shape {tuple(outputs.shape[1:])}, and the images have "
            f"{len(sets.classes)} classes; leave num_classes out of the specifier."
        )
