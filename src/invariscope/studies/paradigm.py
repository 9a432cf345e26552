"""Studies of networks that saw some classes transformed: the networks are trained, and each is looked at."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import InvariscopeError, SettingError
from invariscope.core.words import count, number, spoken
from invariscope.grids.job import Job
from invariscope.responses.recorder import Strength
from invariscope.studies.base import STUDIES, Row, Study, Tables
from invariscope.studies.calibration import calibration_job, with_magnitudes
from invariscope.studies.naming import told_apart
from invariscope.studies.observed import Observed
from invariscope.studies.plain import tuples, with_conditions
from invariscope.studies.tidy import ordered, over_seeds
from invariscope.training.calibrate import clean_training
from invariscope.training.image_sets import image_sets
from invariscope.training.loop import Schedule
from invariscope.training.pace import seconds_per_step
from invariscope.training.settings import Training
from invariscope.training.train import train_network
from invariscope.transformations.base import TRANSFORMATIONS

_OF_TRAINING = ("network", "epochs", "batch_size", "learning_rate", "weight_decay", "rate", "mode")
GRID = ("transformations", "k", "seeds", "calibrate", *_OF_TRAINING)
CONDITIONS = ("transformation", "magnitude", "k", "n_classes")


@dataclass(frozen=True)
class ParadigmStudy(Study):
    """A network per transformation, number of classes seen transformed, and seed; all are looked at alike.

    An author writes `observe`, `findings` and `figures`; `trainings` where other networks are wanted.

    Args:
        images: specifier of labelled images.
        test: specifier of the images to test on; None takes the set's own test split, or holds out a third.
        network: specifier of the architecture.
        transformations: names and magnitudes.
        k: how many classes are seen transformed.
        seeds: each decides data, weights, seen classes, order, coins and noise.
        epochs: passes over the images.
        batch_size: images per step.
        learning_rate: the largest of the cycle.
        weight_decay: pull of every weight towards zero.
        rate: how the learning rate goes, as in `Schedule`.
        mode: "joint", "two-step-finetune" or "two-step-classifier".
        calibrate: accuracy to which a network that saw clean images only shall fall: magnitudes of blur and white noise
            are then found by that, as in the paper; None takes all as they are given.
        tau: activity that counts as active, as a fraction of a unit's peak.
        layer: name of the site to look at; None is the last hidden one.
        device: "cpu", "cuda" or "cuda:N".
    """

    noun: ClassVar[str] = "networks"

    images: str = "builtin:glyphs"
    test: str | None = None
    network: str = "builtin:cnn"
    transformations: tuple[tuple[str, float], ...] = (("inversion", 1.0), ("rotation", 90.0))
    k: tuple[int, ...] = (1, 15, 30, 45, 54)
    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 16
    batch_size: int = 64
    learning_rate: float = 0.05
    weight_decay: float = 5e-4
    rate: str = "one-cycle"
    mode: str = "joint"
    calibrate: float | None = None
    tau: float = 0.1
    layer: str | None = None
    device: str = "cpu"

    @property
    def schedule(self) -> Schedule:
        """How long and how fast networks learn."""
        return Schedule(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            rate=self.rate,
        )

    def trainings(self) -> list[Training]:
        """The networks: one per transformation, k and seed."""
        return [
            Training(self.network, name, magnitude, k, seed, self.schedule, mode=self.mode)
            for seed in self.seeds
            for k in self.k
            for name, magnitude in self.transformations
        ]

    @abstractmethod
    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Look at one network.

        Args:
            seen: the network beside its test images.

        Returns:
            Rows of tables by name, without the network's own conditions, which are added. The rows of "results" are
            those of `tidy.found`.
        """

    def settled(self, do: Callable[[Sequence[Job]], Tables]) -> "ParadigmStudy":
        """With the magnitudes that are to be found."""
        if self.calibrate is None:
            return self
        clean = clean_training(self.network, self.seeds[0], self.schedule)
        names = [name for name, _ in self.transformations]
        tables = do([calibration_job(clean, self.images, self.test, names, self.calibrate)])
        return replace(self, transformations=with_magnitudes(self.transformations, tables["magnitudes"]))

    def jobs(self) -> list[Job]:
        """One job per network: it is trained, unless it is there, and looked at."""
        shared = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in GRID}
        name = name_of(self)
        return [
            Job(
                "invariscope.studies.paradigm:look",
                {"study": name, "settings": shared, "training": training.plain},
                label=_label(training),
                gpu=self.device.startswith("cuda"),
            )
            for training in self.trainings()
        ]

    def check(self) -> None:
        """Refuse settings that no network could be trained with, before any is.

        Raises:
            InvariscopeError: images, network, transformation, magnitude or k do not fit.
        """
        if not self.seeds or not self.k or not self.transformations:
            raise SettingError("a study needs at least one seed, one k and one transformation.")
        sets = image_sets(self.images, self.test, self.network, self.seeds[0])
        for k in self.k:
            if not 0 <= k <= len(sets.classes):
                raise SettingError(
                    f"k classes are seen transformed, from 0 to all {len(sets.classes)} of {self.images}; got k = {k}."
                )
        size = (sets.train.height, sets.train.width)
        for name, magnitude in self.transformations:
            TRANSFORMATIONS[name]().check_magnitudes([magnitude], size)

    def estimate_seconds(self) -> float:
        """How long one job takes here on one thread, from a few steps of training; NaN without the images."""
        try:
            sets = image_sets(self.images, self.test, self.network, self.seeds[0])
        except InvariscopeError:
            return float("nan")
        return seconds_per_step(self.trainings()[0], sets) * len(sets.train) / self.batch_size * self.epochs

    def named(self, tables: Tables) -> Tables:
        """A transformation that stands at several magnitudes is told apart by them."""
        return {
            name: told_apart(table) if {"transformation", "magnitude"} <= set(table.columns) else table
            for name, table in tables.items()
        }

    def results(self, tables: Tables) -> pd.DataFrame:
        """What was found in every network, then the means over seeds."""
        rows = tables.get("results", pd.DataFrame())
        return rows if rows.empty else ordered(over_seeds(rows), self.source, CONDITIONS)


def name_of(study: Study) -> str:
    """The name under which a study is registered."""
    return next(name for name, kind in STUDIES.items() if kind is type(study))


def look(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job: train a network, or find it in `folder`, and look at it.

    Args:
        settings: `study`, its `settings`, and the `training`; plain values.
        folder: networks are kept in its folder "networks".

    Returns:
        The job's tables.
    """
    kind = STUDIES[settings["study"]]
    assert issubclass(kind, ParadigmStudy)
    study = kind(**{name: tuples(value) for name, value in settings["settings"].items()})
    plain = tuples(settings["training"])
    training = Training(**{**plain, "schedule": Schedule(**plain["schedule"])})
    sets = image_sets(study.images, study.test, training.network, training.seed)
    trained = train_network(training, sets, folder / "networks", study.device)
    network = trained.network
    strength = Strength(training.make_transformation().with_fill(network.recipe.fill), training.fixed_magnitude, seed=0)
    seen = Observed(network, sets, strength, study.tau, study.layer, trained.row, trained.history)
    conditions = {
        "transformation": training.transformation,
        "magnitude": training.magnitude,
        "k": training.k,
        "n_classes": len(sets.classes),
        "seed": training.seed,
    }
    return with_conditions(study.observe(seen), conditions)


def _label(training: Training) -> str:
    what = f"{spoken(training.transformation)} {number(training.fixed_magnitude)}"
    return f"{what}, {count(training.k, 'class', 'classes')} seen, seed {training.seed}"
