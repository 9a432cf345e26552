"""Networks that saw every class transformed, beside one that saw nothing transformed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from invariscope.core.errors import SettingError
from invariscope.grids.job import Job
from invariscope.responses.recorder import Strength
from invariscope.studies.naming import labels_of
from invariscope.studies.observed import Observed
from invariscope.studies.paradigm import ParadigmStudy
from invariscope.studies.scales import FACES
from invariscope.training.image_sets import image_sets
from invariscope.training.settings import Training
from invariscope.transformations.base import TRANSFORMATIONS

GREY = (
    ("inversion", 1.0),
    ("gaussian-blur", 1.5),
    ("high-pass", 1.0),
    ("horizontal-filter", 1.0),
    ("vertical-filter", 1.0),
    ("gaussian-noise", 0.15),
    ("salt-and-pepper", 0.1),
    ("thinning", 0.5),
    ("rotation", 90.0),
    ("rotation", 180.0),
)
"""The paper's transformations that change grey images, at magnitudes that networks for 16 pixels can learn."""
TWELVE = (("hue", 180.0), ("grayscale", 1.0), *GREY)
"""All of the paper's transformations, for colour images."""

ALL_OR_NONE_SCALES: Mapping[str, Mapping[str, Any]] = {
    "smoke": {
        "transformations": (("inversion", 1.0), ("gaussian-blur", 1.5), ("rotation", 90.0)),
        "seeds": (0,),
        "epochs": 2,
    },
    "small": {
        "images": "builtin:glyphs?color=true",
        "network": "builtin:cnn?channels=3",
        "transformations": TWELVE,
    },
    "paper": {**FACES, "k": (388,)},
}


@dataclass(frozen=True)
class AllOrNoneStudy(ParadigmStudy):
    """A network per transformation that saw all classes transformed, one that saw none, and seeds.

    The network that saw none is trained once per seed; an author's `observe` looks at it under all transformations.

    Args:
        transformations: names and magnitudes.
        k: the number of all classes, as a tuple of one.
    """

    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = ALL_OR_NONE_SCALES

    transformations: tuple[tuple[str, float], ...] = GREY
    k: tuple[int, ...] = (60,)

    def trainings(self) -> list[Training]:
        """One network per seed that saw nothing transformed, and one per transformation that saw all."""
        name, magnitude = self.transformations[0]
        found = []
        for seed in self.seeds:
            found.append(Training(self.network, name, magnitude, 0, seed, self.schedule))
            found += [
                Training(self.network, *each, max(self.k), seed, self.schedule, mode=self.mode)
                for each in self.transformations
            ]
        return found

    def jobs(self) -> list[Job]:
        """One job per network; each is told of all transformations."""
        told = {"transformations": self.transformations}
        return [
            replace(
                job,
                settings={**job.settings, "settings": {**job.settings["settings"], **told}},
                label=job.label if job.settings["training"]["k"] else f"nothing transformed, {_seed(job)}",
            )
            for job in super().jobs()
        ]

    def check(self) -> None:
        """Refuse settings that no network could be trained with, and a k that is not all classes.

        Raises:
            InvariscopeError: images, network, transformation, magnitude or k do not fit.
        """
        super().check()
        total = len(image_sets(self.images, self.test, self.network, self.seeds[0]).classes)
        if self.k != (total,):
            raise SettingError(
                f"this study compares networks that saw every class transformed with ones that saw none: k is the "
                f"number of classes of {self.images}, {total}; got {', '.join(map(str, self.k))}."
            )

    def strengths(self, seen: Observed) -> dict[str, Strength]:
        """Every transformation as the test images get it, by label.

        Args:
            seen: the network; what comes in from outside the image is its fill.
        """
        fill = seen.network.recipe.fill
        return {
            label: Strength(TRANSFORMATIONS[name]().with_fill(fill), magnitude, seen.strength.seed)
            for label, (name, magnitude) in zip(labels_of(self.transformations), self.transformations, strict=True)
        }

    def trained_with(self, seen: Observed) -> str | None:
        """The label of what a network saw transformed; None if it saw nothing transformed."""
        if not seen.network.seen:
            return None
        own = (seen.strength.transformation.name, seen.strength.magnitude)
        return dict(zip(self.transformations, labels_of(self.transformations), strict=True))[own]


def changes_images(seen: Observed, strength: Strength) -> bool:
    """Whether a transformation changes any test image; one of colours leaves grey images as they are.

    Args:
        seen: whose test images.
        strength: the transformation.
    """
    return any(
        not torch.equal(strength(batch, indices), batch)
        for indices, batch in seen.sets.test.batches(256, seen.network.device)
    )


def _seed(job: Job) -> str:
    return f"seed {job.settings['training']['seed']}"
