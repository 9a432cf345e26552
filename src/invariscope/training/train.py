"""Train one network in the seen/unseen-transformed paradigm, or find it finished."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from invariscope.core.errors import NetworkError, SettingError
from invariscope.core.files import whole
from invariscope.images.images import Images
from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network
from invariscope.networks.network import Network
from invariscope.training.evaluate import evaluate
from invariscope.training.loop import Schedule, drawing_from, train
from invariscope.training.paradigm import Sampler, seen_classes
from invariscope.training.sets import Sets, make_sets
from invariscope.training.settings import Training, with_options

Row = dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """A trained network and what became of it.

    Args:
        network: in evaluation mode; `seen` names the classes that it saw transformed.
        row: settings, clean, within- and across-category accuracy with intervals and numbers of images.
        history: one row per epoch; accuracies are NaN where they were not tested.
    """

    network: Network
    row: Row
    history: list[Row]


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


def train_network(training: Training, sets: Sets, folder: Path | None = None, device: str = "cpu") -> Trained:
    """Train the network of a training, or load it where it is finished.

    Args:
        training: the settings.
        sets: the images.
        folder: where networks are kept; None keeps nothing.
        device: where it is trained.

    Returns:
        The network, its row and its history.

    Raises:
        SettingError: the magnitude changes nothing, or k is too large.
        NetworkError: the network has other outputs than there are classes, or does not learn.
    """
    if folder is not None and (row := finished(training, sets.fingerprint, folder)) is not None:
        return Trained(_load(training, sets.fingerprint, folder, device), row["row"], row["history"])
    started = time.perf_counter()
    network = fresh_network(training, len(sets.classes)).to(device)
    transformation = training.make_transformation().with_fill(network.recipe.fill)
    if training.magnitude == transformation.identity:
        raise SettingError(
            f"{training.transformation} {training.magnitude:g} changes no image; give another magnitude."
        )
    seen = seen_classes(len(sets.classes), training.k, training.seed)
    _check_outputs(network, sets, device)
    history: list[Row] = []

    def after_epoch(epoch: int, loss: float) -> None:
        row: Row = {
            "network": training.name(sets.fingerprint),
            "seed": training.seed,
            "seen": training.k,
            "epoch": epoch,
            "loss": loss,
        }
        tested = training.each_epoch or epoch == training.schedule.epochs
        found = (
            evaluate(network, sets.test, sets.test_labels, transformation, training.magnitude, seen) if tested else {}
        )
        for name in ("clean", "within", "across"):
            row[name] = found[name].value if tested else float("nan")
        if epoch == training.schedule.epochs:
            for name, accuracy in found.items():
                last[name] = accuracy.value
                last[f"{name}_low"], last[f"{name}_high"] = accuracy.interval
                last[f"{name}_n"] = accuracy.n
            last["loss"] = loss
        history.append(row)

    last: Row = {
        "transformation": training.transformation,
        "magnitude": training.magnitude,
        "k": training.k,
        "n_classes": len(sets.classes),
        "seed": training.seed,
        "network": training.name(sets.fingerprint),
    }
    sampler = Sampler(sets.train_labels, len(sets.classes), seen, training.seed, training.schedule.batch_size)
    train(
        network,
        sets.train,
        sets.train_labels,
        transformation,
        training.magnitude,
        sampler,
        training.schedule,
        training.seed,
        after_epoch,
    )
    network.classes = sets.classes
    network.seen = tuple(sets.classes[index] for index in seen) or None
    last["seconds"] = time.perf_counter() - started
    network.notes = []
    if folder is not None:
        _keep(training, sets.fingerprint, folder, Trained(network, last, history))
        # The network of the file, so that it computes the same to the last bit when it is found there again.
        network = _load(training, sets.fingerprint, folder, device)
    return Trained(network, last, history)


def network_path(training: Training, fingerprint: str, folder: Path) -> Path:
    """Where a training's finished network lies in a folder."""
    return folder / f"{training.name(fingerprint)}.safetensors"


def finished(training: Training, fingerprint: str, folder: Path) -> dict[str, Any] | None:
    """What was found when a training's network was trained ("row" and "history"), or None if it is not finished."""
    path = network_path(training, fingerprint, folder)
    try:
        kept = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not path.is_file() or kept.get("settings") != json.loads(json.dumps(training.settings(fingerprint))):
        return None
    return dict(kept)


def _keep(training: Training, fingerprint: str, folder: Path, trained: Trained) -> None:
    path = network_path(training, fingerprint, folder)
    save_network(trained.network, path)
    # Written last: where it lies, the network is finished.
    with whole(path.with_suffix(".json")) as draft:
        kept = {"settings": training.settings(fingerprint), "row": trained.row, "history": trained.history}
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
