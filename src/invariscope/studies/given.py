"""Studies of networks that are given by specifier, or trained first on embedded data: each is looked at alike."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import InvariscopeError, SettingError
from invariscope.grids.job import Job
from invariscope.images.images import Images
from invariscope.images.labels import Matching, match_labels
from invariscope.images.load import load_images
from invariscope.images.prepared import Prepared
from invariscope.networks.load import load_network
from invariscope.networks.network import Network
from invariscope.statistics.proportions import wilson
from invariscope.studies.base import STUDIES, Row, Study, Tables
from invariscope.studies.network_names import network_labels
from invariscope.studies.paradigm import name_of
from invariscope.studies.plain import tuples, with_conditions
from invariscope.studies.tidy import ordered, over_seeds
from invariscope.tolerance.outputs import check_finite
from invariscope.training.calibrate import clean_training
from invariscope.training.image_sets import image_sets, split_images
from invariscope.training.loop import Schedule
from invariscope.training.pace import seconds_per_step
from invariscope.training.settings import Training
from invariscope.training.train import check_training, train_network
from invariscope.transformations.base import TRANSFORMATIONS, Transformation

_BATCH = 100
_GRID = ("networks", "seeds")
SMALL_NETWORKS = ("builtin:cnn", "builtin:resnet18?size=16&channels=1&width=.125")
"""Two small architectures for embedded glyphs."""


@dataclass(frozen=True)
class Given:
    """A network beside its test images.

    Args:
        network: on its device.
        images: test images at its size: even over the classes where there is a limit, drawn by the seed.
        seed: of the images that were drawn, and of random transformations.
        label: what the network is called: "ResNet-20".
        spec: its specifier.
        trained: it was trained here, and saw nothing transformed.
        row: what training found (accuracies, loss, seconds); empty for a network that was loaded.
        folder: the study's directory, for pictures and other files beside the tables, written whole; or None.
    """

    network: Network
    images: Prepared
    seed: int
    label: str
    spec: str
    trained: bool = False
    row: Row = field(default_factory=dict)
    folder: Path | None = None

    @cached_property
    def logits(self) -> Float[Tensor, "image output"]:
        """What the network answers to the clean images, on the CPU."""
        with torch.inference_mode():
            batches = self.images.batches(_BATCH, self.network.device)
            logits = torch.cat([self.network(batch).float().cpu() for _, batch in batches])
        check_finite(logits, "clean images")
        return logits

    @cached_property
    def matching(self) -> Matching:
        """The labels as outputs of the network, a name for every output, and what a person should be told."""
        return match_labels(self.images, self.network, self.logits.shape[1])

    @property
    def labels(self) -> Int[Tensor, " image"] | None:
        """The output that is right for each image; None where there are no labels that fit."""
        return None if self.matching.labels is None else self.matching.labels.long()

    @property
    def classes(self) -> tuple[str, ...]:
        """A name for every output of the network."""
        return self.matching.names

    def transformation(self, name: str) -> Transformation:
        """A family by its name, filled as the network has it.

        Raises:
            UnknownNameError: there is none of that name.
        """
        return TRANSFORMATIONS[name]().with_fill(self.network.recipe.fill)

    @property
    def summary(self) -> Row:
        """A row on the network: its specifier, clean accuracy with Wilson's interval, and how it was come by."""
        known = self.labels
        n = len(self.images)
        right = float("nan") if known is None else float((self.logits.argmax(1) == known).sum())
        low, high = (float("nan"),) * 2 if known is None else map(float, wilson(right, n))
        return {
            "spec": self.spec,
            "trained": self.trained,
            **{"clean": right / n, "clean_low": low, "clean_high": high, "n": n},
            "n_classes": self.logits.shape[1],
            "parameters": self.network.n_parameters,
            "note": self.matching.message or "",
        }


@dataclass(frozen=True)
class GivenStudy(Study):
    """A job per network and seed: the network is loaded, or trained seeing nothing transformed, and looked at.

    An author writes `observe`, `findings` and `figures`; `passes`, where it is more than a few, tells the estimate.

    Args:
        images: specifier of labelled images; networks that are trained learn from its training split, or from two
            thirds of it.
        test: specifier of the images to test on; None takes the set's own test split, or holds out a third, and for
            networks that are loaded all of `images`.
        networks: specifiers.
        limit: at most so many test images, even over the classes; None takes all.
        seeds: each decides weights, order of training, test images that are drawn, and noise.
        epochs: passes over the training images; 0 takes networks as they are loaded.
        batch_size: images per step of training.
        learning_rate: the largest of the cycle.
        weight_decay: pull of every weight towards zero.
        device: "cpu", "cuda" or "cuda:N".
    """

    noun: ClassVar[str] = "networks"

    images: str = "builtin:glyphs"
    test: str | None = None
    networks: tuple[str, ...] = SMALL_NETWORKS
    limit: int | None = None
    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 0.05
    weight_decay: float = 5e-4
    device: str = "cpu"

    @abstractmethod
    def observe(self, given: Given) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Look at one network.

        Args:
            given: the network beside its test images.

        Returns:
            Rows of tables by name, without `network` and `seed`, which are added. The rows of "results" are those of
            `tidy.found`. A table "networks" of `Given.summary` is added to them.
        """

    def passes(self) -> float:
        """How often `observe` shows every test image to the network, for the estimate of time."""
        return 1.0

    @property
    def schedule(self) -> Schedule:
        """How long and how fast networks learn."""
        return Schedule(
            epochs=max(self.epochs, 1),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
        )

    def training(self, network: str, seed: int) -> Training:
        """The training of a network that sees nothing transformed."""
        return clean_training(network, seed, self.schedule)

    def jobs(self) -> list[Job]:
        """One job per network and seed."""
        shared = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _GRID}
        name = name_of(self)
        return [
            Job(
                "invariscope.studies.given:look",
                {"study": name, "settings": shared, "network": spec, "label": label, "seed": seed},
                label=f"{label}, seed {seed}",
                gpu=self.device.startswith("cuda"),
            )
            for seed in self.seeds
            for spec, label in zip(self.networks, network_labels(self.networks), strict=True)
        ]

    def check(self) -> None:
        """Refuse settings that no network could be trained or looked at with.

        Raises:
            InvariscopeError: images or networks do not fit, or there are none.
        """
        if not self.seeds or not self.networks:
            raise SettingError("a study needs at least one network and one seed.")
        if len(set(self.networks)) < len(self.networks):
            raise SettingError(f"networks are given once each; got {', '.join(self.networks)}.")
        if self.epochs < 0:
            raise SettingError(f"epochs are 1 or more, or 0 to take networks as they are loaded; got {self.epochs}.")
        if self.limit is not None and self.limit < 1:
            raise SettingError(f"the limit is at least one image; got {self.limit}.")
        for spec in self.networks:
            if self.epochs:
                sets = image_sets(self.images, self.test, spec, self.seeds[0])
                check_training(self.training(spec, self.seeds[0]), sets)
            else:
                load_network(spec)
        if not self.epochs:
            shown_images(self, self.seeds[0])

    def estimate_seconds(self) -> float:
        """How long one job takes here on one thread; NaN without the images."""
        try:
            sets = [image_sets(self.images, self.test, spec, self.seeds[0]) for spec in self.networks]
        except InvariscopeError:
            return float("nan")
        total = 0.0
        for spec, one in zip(self.networks, sets, strict=True):
            step = seconds_per_step(self.training(spec, self.seeds[0]), one) / self.batch_size
            shown = len(one.test) if self.limit is None else min(self.limit, len(one.test))
            # A forward pass alone is about a third of a step of training.
            total += step * (len(one.train) * self.epochs + self.passes() * shown / 3)
        return total / len(self.networks)

    def results(self, tables: Tables) -> pd.DataFrame:
        """What was found of every network, then the means over seeds."""
        rows = tables.get("results", pd.DataFrame())
        return rows if rows.empty else ordered(over_seeds(rows), self.source, ("network",))


def shown_images(study: GivenStudy, seed: int) -> Images:
    """The test images of a study before they are brought to a network's size.

    Args:
        study: its settings.
        seed: of the images that are drawn.

    Raises:
        InvariscopeError: the images cannot be loaded.
    """
    trained, named = bool(study.epochs), study.test or study.images
    held = split_images(study.images, study.test, seed)[1] if trained else load_images(named)
    return held if study.limit is None else held.limit(study.limit, seed)


def make_given(study: GivenStudy, spec: str, label: str, seed: int, folder: Path | None = None) -> Given:
    """A network of a study beside its test images: loaded, trained, or found trained.

    Args:
        study: its settings.
        spec: the network's specifier.
        label: what it is called.
        seed: of weights, order, images and noise.
        folder: the study's directory: trained networks are kept in its folder "networks" and found there again; None
            keeps none.
    """
    row: Row = {}
    if study.epochs:
        sets = image_sets(study.images, study.test, spec, seed)
        place = None if folder is None else folder / "networks"
        trained = train_network(study.training(spec, seed), sets, place, study.device)
        network, row = trained.network, trained.row
    else:
        network = load_network(spec).to(study.device)
    images = shown_images(study, seed).fit(network.recipe)
    return Given(network, images, seed, label, spec, bool(study.epochs), row, folder)


def look(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job: load or train a network, or find it in `folder`, and look at it.

    Args:
        settings: `study`, its `settings`, the `network`, its `label`, the `seed`; plain values.
        folder: trained networks are kept in its folder "networks".

    Returns:
        The job's tables, and "networks", a row on the network.
    """
    kind = STUDIES[settings["study"]]
    assert issubclass(kind, GivenStudy)
    study = kind(**{name: tuples(value) for name, value in settings["settings"].items()})
    given = make_given(study, settings["network"], settings["label"], settings["seed"], folder)
    observed = {"networks": [given.summary], **study.observe(given)}
    return with_conditions(observed, {"network": given.label, "seed": given.seed})
