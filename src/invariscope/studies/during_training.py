"""When do units become invariant, and when do networks recognise transformed images of unseen classes?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.words import count
from invariscope.findings.figures import Figure
from invariscope.findings.finding import Finding
from invariscope.grids.job import Job
from invariscope.measures.invariance import Invariance
from invariscope.measures.specialization import Specialization
from invariscope.networks.network import Network
from invariscope.responses.pair import Pair
from invariscope.responses.recorder import Strength
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.during_figures import draw_all
from invariscope.studies.during_findings import find_all
from invariscope.studies.during_gains import QUARTILES, gains, units_above
from invariscope.studies.observed import Observed
from invariscope.studies.paradigm import CONDITIONS, GRID, ParadigmStudy
from invariscope.studies.scales import FACES
from invariscope.studies.tidy import found, ordered, over_seeds
from invariscope.training.evaluate import Accuracy
from invariscope.training.image_sets import image_sets
from invariscope.training.paradigm import seen_classes
from invariscope.training.settings import Training
from invariscope.training.train import train_network

_ACCURACY = {"all": "transformed", "seen": "within", "unseen": "across"}


@STUDIES.add("during-training")
@dataclass(frozen=True)
class DuringTraining(ParadigmStudy):
    """Do units become invariant before a network recognises transformed images of unseen classes, and do most of them?

    Networks are looked at before training (epoch 0) and after every epoch. Early in training units hardly tell images
    apart and seem invariant to everything, so gains are over a network of the same seed that never saw the
    transformation ("x only"), at the same epoch and on the same images. A number of classes of 0 is always added.

    Source: Jang et al., section 4; beyond the paper, which measures after training only.
    """

    source = "beyond Jang et al., section 4"
    limits = (
        "What comes first is not by that the cause of what comes later.",
        "Between two epochs curves are taken as straight: leads of less than an epoch rest on that.",
        "Networks of one seed share images, initial weights, order of images and nested sets of seen classes; "
        "intervals are over seeds, so with few seeds they are wide.",
        "Before training, batch normalisation has seen no image and changes nothing.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (0, 54), "seeds": (0,), "epochs": 2, "transformations": (("inversion", 1.0),)},
        "small": {},
        "paper": {**FACES, "k": (0, 1, 200, 350)},
    }

    k: tuple[int, ...] = (0, 1, 30, 54)

    def trainings(self) -> list[Training]:
        """The networks: one per transformation, k and seed, and those that are trained on x only."""
        return super(DuringTraining, replace(self, k=tuple(sorted({0, *self.k})))).trainings()

    def check(self) -> None:
        """Refuse settings that no network could be trained with, before any is."""
        super().check()
        if self.mode != "joint" or not any(self.k):
            raise SettingError("this study trains joint, and at least one k is above 0.")

    def jobs(self) -> list[Job]:
        """One job per network; it is trained whatever networks there are, because its history is the result."""
        shared = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in GRID}
        return [
            Job(
                "invariscope.studies.during_training:look",
                {
                    "settings": shared,
                    "training": training.plain,
                    "splits": [training.k] if training.k else sorted({0, *self.k}),
                },
                label=f"{training.label}, {count(training.k, 'class', 'classes')} seen, seed {training.seed}",
                gpu=self.device.startswith("cuda"),
            )
            for training in self.trainings()
        ]

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Accuracies, and the coefficients of the units, as they are at this moment."""
        return looked_at(seen, both_passes(seen))

    def results(self, tables: Tables) -> pd.DataFrame:
        """What was found at every epoch, gains over networks trained on x only, then the means over seeds."""
        rows = tables.get("results", pd.DataFrame())
        if rows.empty:
            return rows
        rows = pd.concat([rows, gains(rows), units_above(tables["units"])], ignore_index=True)
        rows = rows.astype({"split": "Int64", "epoch": "Int64"})
        return ordered(over_seeds(rows), self.source, (*CONDITIONS, "split", "epoch"))

    def more(self, tables: Tables, results: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """The units, with the number of classes that their network saw in words, apart from the number of an epoch."""
        units = tables.get("units", pd.DataFrame())
        if units.empty:
            return {}
        return {"units": units.assign(seen=["none" if k == 0 else str(k) for k in units["k"]])}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """What comes first, how many units gain, and what a network gains that never saw the transformation."""
        return find_all(results)

    def figures(self) -> list[Figure]:
        """Accuracy, invariance and its quartiles over the epochs."""
        return draw_all(sorted({k for k in self.k if k}))


def look(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job: train a network, and look at it before the first epoch and after each.

    Args:
        settings: of the study ("settings"), of the network ("training"), and "splits": the numbers of classes by
            which images are told apart into seen and unseen, its own k first.
        folder: nothing is kept there.

    Returns:
        "results", a row per epoch and quantity, and "units", a row per unit at a few of the epochs.
    """
    study, plain = DuringTraining(**settings["settings"]), settings["training"]
    training = Training.of(plain)
    sets = image_sets(study.images, study.test, training.network, training.seed)
    kept = kept_epochs(training.schedule.epochs)
    conditions = {name: plain[name] for name in ("transformation", "magnitude", "k", "seed")}
    conditions |= {"n_classes": len(sets.classes)}
    tables: dict[str, list[pd.DataFrame]] = {"results": [], "units": []}
    starting: list[float] = []

    def watch(epoch: int, network: Network) -> None:
        fill = network.recipe.fill
        strength = Strength(training.make_transformation().with_fill(fill), training.fixed_magnitude, seed=0)
        pairs: Mapping[str, Pair] = {}
        for split in settings["splits"]:
            labels = seen_classes(len(sets.classes), split, training.seed)
            seen_names = tuple(sets.classes[label] for label in labels) or None
            seen = Observed(replace(network, seen=seen_names), sets, strength, study.tau, study.layer)
            pairs = pairs or both_passes(seen)
            at = {**conditions, "split": split, "epoch": epoch}
            rows, units = looked_at(seen, pairs).values()
            if split == training.k:
                own = units[units["group"] == "all"]["invariance"].dropna()
                starting.append(own.median())
                above = _above(own, starting[0])
                rows = [*rows, found("units above the starting median", above, n=len(own), group="all")]
                tables["units"] += [_at(units, at)] if epoch in kept else []
            # With no class to tell apart all are unseen; with those of another network, all is as before.
            rows = [row for row in rows if split == training.k != 0 or (row["group"] == "all") == (split == 0)]
            tables["results"].append(_at(pd.DataFrame(rows), at))

    train_network(training, sets, None, study.device, watch=watch)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def kept_epochs(epochs: int) -> list[int]:
    """The epochs whose units are kept: before training, and after an eighth, a quarter, a half and all of it.

    Example:
        >>> kept_epochs(16), kept_epochs(2)
        ([0, 2, 4, 8, 16], [0, 1, 2])
    """
    return sorted({0, *(max(round(epochs * share), 1) for share in (0.125, 0.25, 0.5, 1))})


def both_passes(seen: Observed) -> dict[str, Pair]:
    """Responses of the site to look at and the network's answers, clean and transformed, from one pass each."""
    return seen.pairs([seen.site, *seen.sites[-1:]])


def looked_at(seen: Observed, pairs: Mapping[str, Pair]) -> dict[str, Any]:
    """A network at one moment.

    Args:
        seen: the network.
        pairs: of `both_passes`.

    Returns:
        "results": rows, by group of test images, of accuracies and of the mean invariance, its quartiles, the mean
        size of the specialization, and the null, over units that are active at all. "units": a row per unit and group.
    """
    site, answers = seen.site, pairs[seen.sites[-1].name]
    units = seen.units(pairs[site.name], [Invariance(), Specialization()])
    units.insert(0, "layer", site.name)
    rows = []
    for group, weights in zip(seen.groups.names, seen.groups.weights, strict=True):
        chosen = weights.bool()
        for name, logits in ((_ACCURACY[group], answers.transformed), ("clean", answers.clean)):
            if name == "clean" and group != "all":
                continue
            right = logits.argmax(1).cpu()[chosen] == seen.labels[chosen]
            accuracy = Accuracy(int(right.sum()), len(right))
            rows.append(found(name, accuracy.value, *accuracy.interval, accuracy.n, group=group))
        own = units[units["group"] == group]
        n = int(own["n_active"].gt(0).sum())
        values = {"invariance": own["invariance"].mean(), "null": own["null"].mean()}
        values |= {name: float(own["invariance"].quantile(share)) for name, share in QUARTILES.items()}
        values |= {"specialization": own["specialization"].abs().mean()}
        rows += [found(name, value, n=n, unit_of_measure="1", group=group) for name, value in values.items()]
    columns = ["layer", "group", "unit", "invariance", "specialization", "null", "n_active"]
    return {"results": rows, "units": units[columns]}


def _above(values: "pd.Series[float]", threshold: float) -> float:
    return float(values.gt(threshold).mean()) if len(values) else float("nan")


def _at(table: pd.DataFrame, conditions: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({**{name: [value] * len(table) for name, value in conditions.items()}, **table})
