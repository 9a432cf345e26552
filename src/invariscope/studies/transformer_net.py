"""Which transformations does a network ignore, and does the Invariant Transformer Net find them?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import NetworkError, SettingError
from invariscope.findings.figures import Figure
from invariscope.findings.finding import Finding
from invariscope.grids.job import Job
from invariscope.learned.learn import Learned, learn_transformer
from invariscope.learned.objective import Objective
from invariscope.learned.responses import make_objective
from invariscope.learned.settings import LearnSettings
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.given import Given, GivenStudy
from invariscope.studies.tidy import found
from invariscope.studies.transformer_equal import equal_rows
from invariscope.studies.transformer_figures import figures_of
from invariscope.studies.transformer_findings import find_all
from invariscope.studies.transformer_observed import course_rows, entries_rows, family_rows, parts_rows
from invariscope.studies.transformer_region import colour_changes, region_rows
from invariscope.studies.transformer_versions import RECOMMENDED, versions

_CIFAR = "builtin:cifar-resnet20"
_CNN = "builtin:cnn?size=32&channels=3"
_RESNET = "builtin:resnet18?size=32&width=.125"


@STUDIES.add("transformer-net")
@dataclass(frozen=True)
class TransformerNetStudy(GivenStudy):
    """Which transformations does a network ignore, and does the Invariant Transformer Net find them?

    In front of every network a transformer net is learned on half of what is not held out for judging: the recommended
    version, and on the first networks also the paper's literal one, its gate for every batch, its larger weight of
    colours, and weighted sums of both losses in place of the gate. Each family is judged at scale 1, where learning
    left it, as the paper does; beside that stands what is certified. Random changes of the same length say how much of
    the region that the network stands was found.

    Args:
        steps: of learning.
        learn_batch: images per step of learning.
        learn_rate: of the transformer net.
        holdout: test images that learning does not see, a share or a number: half propose a scale, half judge.
        k_grid: values of each component of k where accuracy is judged.
        tried: scales that are put to the held-out images.
        versions: on how many of the networks, from the first, all versions are learned.
        sums: weights of the transformers' loss in a weighted sum.
        draws: random changes of each head.

    Source: Bunne et al., §III.D, §IV.B, §V, figures 4 and 5.
    """

    source = "Bunne et al., sections III.D, IV.B and V, figures 4 and 5"
    limits = (
        "A family is one surface of two parameters per head; which one is found depends on the seed.",
        "Everything is judged at scale 1 as in the paper, which has no certificate; what is certified is said besides.",
        "Claims on AlexNet and ImageNet need --scale paper; embedded signs of 32 pixels can show the phenomenon only.",
        "Networks that standardise each image undo a common gain and offset, so that part of the colour changes costs "
        "nothing but clipping.",
        "Random changes of the same length are many in twelve dimensions: a surface passes near few of them by "
        "construction, which is what the claim of extracting the space is held against.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {
            "images": "builtin:transforms2d?size=16&per_class=10",
            "networks": ("builtin:cnn?size=16&channels=3",),
            "seeds": (0,),
            "epochs": 6,
            "steps": 10,
            "holdout": 60,
            "k_grid": 2,
            "tried": (0.5, 1.0),
            "sums": (0.1,),
            "draws": 4,
        },
        "small": {},
        "paper": {
            "images": "imagenet",
            "networks": (
                "torchvision:alexnet?weights=DEFAULT",
                "torchvision:resnet101?weights=DEFAULT",
                "torchvision:vgg16?weights=DEFAULT",
            ),
            "seeds": (0, 1, 2, 3, 4),
            "epochs": 0,
            "steps": 5000,
            "holdout": 5000,
            "draws": 1000,
        },
    }

    images: str = "builtin:transforms2d"
    networks: tuple[str, ...] = (_CNN, _RESNET, _CIFAR)
    steps: int = 300
    learn_batch: int = 64
    learn_rate: float = 1e-3
    holdout: float = 400.0
    k_grid: int = 4
    tried: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
    versions: int = 1
    sums: tuple[float, ...] = (0.01, 0.1, 1.0)
    draws: int = 150

    def check(self) -> None:
        """Refuse what cannot be learned.

        Raises:
            InvariscopeError: networks, images or settings do not fit.
        """
        self.settings()
        if self.versions < 0:
            raise SettingError(f"versions is 0 or more of the networks; got {self.versions}.")
        if any(weight <= 0 for weight in self.sums):
            raise SettingError(f"weights of sums are above 0; got {', '.join(f'{weight:g}' for weight in self.sums)}.")
        if self.draws < 0:
            raise SettingError(f"draws are 0 or more; got {self.draws}.")
        super().check()

    def settings(self, **more: Any) -> LearnSettings:
        """How a transformer net is learned."""
        number = int(self.holdout) if self.holdout >= 1 else self.holdout
        usual = LearnSettings(
            steps=self.steps,
            batch_size=self.learn_batch,
            learning_rate=self.learn_rate,
            holdout=number,
            k_grid=self.k_grid,
            scales=self.tried,
        )
        return replace(usual, **more)

    def jobs(self) -> list[Job]:
        """One job per network and seed; the first networks meet all versions."""
        first = self.networks[: self.versions]
        return [
            replace(
                job,
                settings={
                    **job.settings,
                    "settings": {**job.settings["settings"], "versions": int(job.settings["network"] in first)},
                },
            )
            for job in super().jobs()
        ]

    def passes(self) -> float:
        """Steps, scales, versions and draws, in passes over the test images."""
        shown = 1400.0
        learning = 2 * self.steps * self.learn_batch / shown
        judging = self.holdout / shown * (len(self.tried) / 2 + 6) * self.k_grid**2 if self.holdout >= 1 else 50.0
        return learning + judging + self.draws * 2 * 200 / shown

    def observe(self, given: Given) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Learn every version and look at it."""
        rows: list[Row] = []
        tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("course", "parts", "entries", "region")}
        objective = make_objective(given.network, given.images, self.settings())
        families: dict[str, Learned] = {}
        for name, options in versions(self.sums if self.versions else None).items():
            try:
                learned = self._learn(given, name, options)
            except NetworkError:
                # Without a bound the loss of some versions grows until it is no number any more.
                rows.append(found("diverged", 1.0, n=self.steps, version=name))
                continue
            families[name] = learned
            rows += [*family_rows(learned, name), *self._colours(given, learned, objective, name)]
            tables["course"].append(course_rows(learned).assign(version=name))
            for table, rows_of in (("parts", parts_rows), ("entries", entries_rows)):
                tables[table].append(pd.DataFrame(rows_of(learned)).assign(version=name))
        rows += equal_rows(families, given, objective, self.k_grid)
        if RECOMMENDED in families:
            tables["region"].append(
                region_rows(families[RECOMMENDED], given.network, given.images, objective, self.draws, given.seed)
            )
        joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items() if parts}
        return {"results": rows, **joined}

    def _learn(self, given: Given, name: str, options: Mapping[str, Any]) -> Learned:
        more = {} if name == RECOMMENDED else {"scales": (1.0,)}
        settings = self.settings(**options, **more)
        return learn_transformer(given.network, given.images, settings, seed=given.seed)

    def _colours(self, given: Given, learned: Learned, objective: Objective, name: str) -> list[Row]:
        known = colour_changes(learned, given.network, given.images, objective)
        return [
            found(f"pixels changed, {what}", value, n=len(learned.held_out[1]), unit_of_measure="RMS", version=name)
            for what, value in known.items()
        ]

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claims, each with its number."""
        return find_all(results, tables)

    def figures(self) -> list[Figure]:
        """The course of learning, what was learned, and what it is worth."""
        return figures_of(self.seeds[0])
