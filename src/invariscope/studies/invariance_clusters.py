"""Do units form clusters by the transformation they are invariant to?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.words import count
from invariscope.findings.figures import Figure
from invariscope.findings.finding import Finding
from invariscope.grids.job import Job
from invariscope.responses.recorder import Strength
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.cluster_figures import draw_all
from invariscope.studies.cluster_findings import find_all
from invariscope.studies.cluster_layers import clusters_of, layers_of
from invariscope.studies.layerwise import rectifying_sites
from invariscope.studies.observed import Observed
from invariscope.studies.paradigm import GRID, ParadigmStudy
from invariscope.studies.scales import FACES
from invariscope.studies.tidy import found, ordered, over_seeds
from invariscope.training.image_sets import image_sets
from invariscope.training.mixture import ASSIGNMENTS
from invariscope.training.settings import Training
from invariscope.training.train import Trained, train_network
from invariscope.transformations.base import TRANSFORMATIONS

_CONDITIONS = ("assignment", "k", "n_classes", "layer", "transformation")
_FOUR = (("inversion", 1.0), ("gaussian-blur", 1.5), ("salt-and-pepper", 0.1), ("rotation", 90.0))


@STUDIES.add("invariance-clusters")
@dataclass(frozen=True)
class InvarianceClusters(ParadigmStudy):
    """With several transformations trained at once, do units form clusters by the one they are invariant to?

    A unit is a point with its invariance to each transformation, over all test images. Units of a layer are cut into 2
    to 6 clusters by Ward's tree, the number with the largest silhouette. They count as clusters only if the silhouette
    exceeds what shuffled columns give and what one cloud gives that is as spread out and as correlated; otherwise a
    layer has one. Clusters are by transformation if most of what parts them is which transformation their units are
    invariant to, not how invariant they are to all.

    Args:
        transformations: names and magnitudes; all are trained in the same networks.
        assignments: "all", an image of a seen class gets any of them; "own", each seen class has one of them.
        least_active: images that must drive a unit under every transformation.
        most_units: units of a layer that are looked at, at most.
        draws: sets of points without clusters, of each kind.
        layer: which layers, names and globs separated by commas; None is every rectifying one.

    Source: Jang et al., section 4, which forecasts it.
    """

    source = "beyond Jang et al., section 4"
    limits = (
        "Clusters are those of Ward's tree under Euclidean distance; others may exist that it does not see.",
        "Shuffled columns keep what each column does alone: units that are either invariant to one transformation or "
        "not, independently of all others, are no clusters here.",
        "One cloud is a guess at how units without clusters are spread; a cloud with long tails can pass for clusters.",
        "A unit of a convolution is a channel with its largest response. Early channels respond to nearly every image "
        "and seem invariant to everything; layers of few channels show only strong clusters.",
        "Coefficients over few images are noisy and blur clusters; see the stability over halves of the images.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (60,), "seeds": (0,), "epochs": 2, "assignments": ("own",), "draws": 40},
        "small": {},
        "paper": {
            **FACES,
            "transformations": (
                ("inversion", 1.0),
                ("gaussian-blur", 4.0),
                ("salt-and-pepper", 0.5),
                ("rotation", 90.0),
            ),
            "k": (0, 200, 388),
        },
    }

    transformations: tuple[tuple[str, float], ...] = _FOUR
    k: tuple[int, ...] = (0, 30, 60)
    assignments: tuple[str, ...] = ASSIGNMENTS
    least_active: int = 3
    most_units: int = 1000
    draws: int = 200

    def trainings(self) -> list[Training]:
        """The networks: one per assignment, k and seed; without a class that is transformed, assignments are alike."""
        together = "+".join(name for name, _ in self.transformations)
        magnitudes = tuple(magnitude for _, magnitude in self.transformations)
        return [
            Training(self.network, together, magnitudes, k, seed, self.schedule, assignment=assignment)
            for seed in self.seeds
            for k in self.k
            for assignment in (self.assignments if k else ("all",))
        ]

    def check(self) -> None:
        """Refuse settings that no network could be trained with, before any is."""
        super().check()
        if len(self.transformations) < 2 or self.mode != "joint":
            raise SettingError("this study trains two or more transformations at once, and joint.")
        if not self.assignments or set(self.assignments) - set(ASSIGNMENTS):
            raise SettingError(f"assignments are {' and '.join(ASSIGNMENTS)}; got {', '.join(self.assignments)}.")
        if self.least_active < 1 or self.draws < 20:
            raise SettingError("least-active is 1 or more images, and draws are 20 or more.")
        self.trainings()[0].mixture(1)

    def jobs(self) -> list[Job]:
        """One job per network: it is trained, unless it is there, and looked at."""
        out = (*GRID, "assignments")
        shared = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in out}
        return [
            Job(
                "invariscope.studies.invariance_clusters:look",
                {"settings": shared, "training": training.plain},
                label=f"{training.label}, {training.assignment}, {count(training.k, 'class', 'classes')} seen, "
                f"seed {training.seed}",
                gpu=self.device.startswith("cuda"),
            )
            for training in self.trainings()
        ]

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """The clusters of every layer."""
        fill = seen.network.recipe.fill
        strengths = {
            name: Strength(TRANSFORMATIONS[name]().with_fill(fill), magnitude, seed=0)
            for name, magnitude in self.transformations
        }
        tables: dict[str, list[pd.DataFrame]] = {"results": [], "units": [], "centres": []}
        for name, layer in layers_of(seen, rectifying_sites(seen), strengths).items():
            here = clusters_of(layer, least=self.least_active, most=self.most_units, draws=self.draws)
            for each, table in here.items():
                tables[each].append(table.assign(layer=name))
        return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}

    def results(self, tables: Tables) -> pd.DataFrame:
        """What was found in every layer of every network, then the means over seeds."""
        rows = tables.get("results", pd.DataFrame())
        return rows if rows.empty else ordered(over_seeds(rows), self.source, _CONDITIONS)

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's forecast, layer by layer."""
        return find_all(results, tables["centres"])

    def figures(self) -> list[Figure]:
        """The evidence, the clusters' centres, and the units."""
        return draw_all(max(self.k), self.assignments if max(self.k) else ("none",), self.seeds[0])


def look(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job: train a network with several transformations, or find it in `folder`, and look at it.

    Args:
        settings: of the study ("settings") and of the network ("training").
        folder: networks are kept in its folder "networks".

    Returns:
        "results", "units" and "centres".
    """
    training = Training.of(settings["training"])
    transformations = tuple((name, magnitude) for name, magnitude, _ in training.ranges)
    study = InvarianceClusters(**settings["settings"], transformations=transformations)
    sets = image_sets(study.images, study.test, training.network, training.seed)
    trained = train_network(training, sets, folder / "networks", study.device)
    name, magnitude = transformations[0]
    strength = Strength(TRANSFORMATIONS[name](), magnitude, seed=0)
    seen = Observed(trained.network, sets, strength, study.tau, study.layer, trained.row, trained.history)
    tables = {name: pd.DataFrame(table) for name, table in study.observe(seen).items()}
    tables["results"] = pd.concat([pd.DataFrame(_accuracies(trained)), tables["results"]], ignore_index=True)
    conditions = {
        "assignment": training.assignment if training.k else "none",
        "k": training.k,
        "n_classes": len(sets.classes),
        "seed": training.seed,
    }
    return {
        name: pd.DataFrame({**{column: [value] * len(table) for column, value in conditions.items()}, **table})
        for name, table in tables.items()
    }


def _accuracies(trained: Trained) -> list[Row]:
    """Of clean images, and under each transformation on classes that saw it and on classes that saw none."""
    row = trained.row
    rows = [found("clean", row["clean"], row["clean_low"], row["clean_high"], row["clean_n"])]
    for test in trained.tests:
        for name in ("within", "across"):
            numbers = (test[name], test[f"{name}_low"], test[f"{name}_high"], test[f"{name}_n"])
            rows.append(found(name, *numbers, transformation=test["transformation"]))
    return rows
