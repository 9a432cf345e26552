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
from invariscope.training.job import Job, with_options
from invariscope.training.loop import Schedule, drawing_from, train
from invariscope.training.paradigm import Sampler, seen_classes
from invariscope.training.sets import Sets, make_sets

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
    job = Job(network_spec, transformation, magnitude, k, seed, schedule or Schedule())
    recipe = fresh_network(job, len(images_train.classes or ())).recipe
    trained = train_job(job, make_sets(images_train, images_test, recipe), folder, device)
    return trained.network, trained.row


def fresh_network(job: Job, n_classes: int) -> Network:
    """The network of a job before training: random weights by the job's seed, one output per class.

    Args:
        job: whose specifier and seed are taken; a network from a file comes as the file makes it.
        n_classes: how many outputs it gets.

    Returns:
        The network.
    """
    source = job.network.partition(":")[0]
    outputs = {"builtin": "classes", "torchvision": "num_classes", "timm": "num_classes"}.get(source)
    spec = with_options(job.network, **{outputs: n_classes, "seed": job.seed}) if outputs else job.network
    with drawing_from(job.seed, torch.device("cpu")):
        return load_network(spec)


def train_job(job: Job, sets: Sets, folder: Path | None = None, device: str = "cpu") -> Trained:
    """Train the network of a job, or load it where it is finished.

    Args:
        job: the settings.
        sets: the images.
        folder: where networks are kept; None keeps nothing.
        device: where it is trained.

    Returns:
        The network, its row and its history.

    Raises:
        SettingError: the magnitude changes nothing, or k is too large.
        NetworkError: the network has other outputs than there are classes, or does not learn.
    """
    if folder is not None and (row := finished(job, sets.fingerprint, folder)) is not None:
        return Trained(_load(job, sets.fingerprint, folder, device), row["row"], row["history"])
    started = time.perf_counter()
    network = fresh_network(job, len(sets.classes)).to(device)
    transformation = job.make_transformation().with_fill(network.recipe.fill)
    if job.magnitude == transformation.identity:
        raise SettingError(f"{job.transformation} {job.magnitude:g} changes no image; give another magnitude.")
    seen = seen_classes(len(sets.classes), job.k, job.seed)
    _check_outputs(network, sets, device)
    history: list[Row] = []

    def after_epoch(epoch: int, loss: float) -> None:
        row: Row = {
            "network": job.name(sets.fingerprint),
            "seed": job.seed,
            "seen": job.k,
            "epoch": epoch,
            "loss": loss,
        }
        tested = job.each_epoch or epoch == job.schedule.epochs
        found = evaluate(network, sets.test, sets.test_labels, transformation, job.magnitude, seen) if tested else {}
        for name in ("clean", "within", "across"):
            row[name] = found[name].value if tested else float("nan")
        if epoch == job.schedule.epochs:
            for name, accuracy in found.items():
                last[name] = accuracy.value
                last[f"{name}_low"], last[f"{name}_high"] = accuracy.interval
                last[f"{name}_n"] = accuracy.n
            last["loss"] = loss
        history.append(row)

    last: Row = {
        "transformation": job.transformation,
        "magnitude": job.magnitude,
        "k": job.k,
        "n_classes": len(sets.classes),
        "seed": job.seed,
        "network": job.name(sets.fingerprint),
    }
    sampler = Sampler(sets.train_labels, len(sets.classes), seen, job.seed, job.schedule.batch_size)
    train(
        network,
        sets.train,
        sets.train_labels,
        transformation,
        job.magnitude,
        sampler,
        job.schedule,
        job.seed,
        after_epoch,
    )
    network.classes = sets.classes
    network.seen = tuple(sets.classes[index] for index in seen) or None
    last["seconds"] = time.perf_counter() - started
    network.notes = []
    if folder is not None:
        _keep(job, sets.fingerprint, folder, Trained(network, last, history))
        # The network of the file, so that it computes the same to the last bit when it is found there again.
        network = _load(job, sets.fingerprint, folder, device)
    return Trained(network, last, history)


def network_path(job: Job, fingerprint: str, folder: Path) -> Path:
    """Where a job's finished network lies in a folder."""
    return folder / f"{job.name(fingerprint)}.safetensors"


def finished(job: Job, fingerprint: str, folder: Path) -> dict[str, Any] | None:
    """What was found when a job's network was trained ("row" and "history"), or None if it is not finished."""
    path = network_path(job, fingerprint, folder)
    try:
        kept = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not path.is_file() or kept.get("settings") != json.loads(json.dumps(job.settings(fingerprint))):
        return None
    return dict(kept)


def _keep(job: Job, fingerprint: str, folder: Path, trained: Trained) -> None:
    path = network_path(job, fingerprint, folder)
    save_network(trained.network, path)
    # Written last: where it lies, the network is finished.
    with whole(path.with_suffix(".json")) as draft:
        kept = {"settings": job.settings(fingerprint), "row": trained.row, "history": trained.history}
        draft.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _load(job: Job, fingerprint: str, folder: Path, device: str) -> Network:
    network = load_network(str(network_path(job, fingerprint, folder))).to(device)
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
