"""One network to train: the settings that decide its weights, and the name that follows from them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from invariscope.core.errors import SettingError
from invariscope.training.loop import Schedule
from invariscope.training.mixture import (
    ASSIGNMENTS,
    Magnitudes,
    Mixture,
    make_parts,
    own_parts,
    plain_magnitudes,
    ranges_of,
)
from invariscope.training.steps import MODES
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation

_RECIPE = 1
"""Raised when the way of training changes, so that networks of the old way are not taken for new ones."""


@dataclass(frozen=True)
class Training:
    """A network in the seen/unseen-transformed paradigm.

    Args:
        network: the architecture's specifier; the number of classes and the seed of the weights are added.
        transformation: name of what it sees some classes transformed with; several have "+" between them.
        magnitude: its magnitude, or the two ends of a range from which every shown image draws its own; for several
            transformations a tuple with one of these each.
        k: how many classes are seen transformed.
        seed: decides initial weights, seen classes, order of images, coins and noise, each independently.
        schedule: how long and how fast it learns.
        each_epoch: test after every epoch, not only after the last.
        assignment: with several transformations, "all": an image of a seen class gets any of them; "own": each seen
            class has one of them, balanced.
        mode: "joint", or the two steps of appendix C: "two-step-finetune", "two-step-classifier".
        tests: transformations and magnitudes under which it is tested besides, such as ones outside the range.

    Raises:
        SettingError: magnitudes that do not fit the transformations, or an assignment or mode that there is not.

    Example:
        >>> job = Training("builtin:cnn", "inversion", 1.0, k=15, seed=0)
        >>> job.name("").rsplit("-", 1)[0]
        'inversion-1-k15-seed0'
        >>> Training("builtin:cnn", "inversion+rotation", (1.0, (15.0, 45.0)), k=15, seed=0).label
        'inversion-1+rotation-15..45'
    """

    network: str
    transformation: str
    magnitude: Magnitudes
    k: int
    seed: int
    schedule: Schedule = field(default_factory=Schedule)
    each_epoch: bool = False
    assignment: str = "all"
    mode: str = "joint"
    tests: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "magnitude", plain_magnitudes(self.transformation, self.magnitude))
        object.__setattr__(self, "tests", tuple((str(name), float(value)) for name, value in self.tests))
        for what, value, known in (("assignment", self.assignment, ASSIGNMENTS), ("mode", self.mode, MODES)):
            if value not in known:
                raise SettingError(f"the {what} of a training is one of {', '.join(known)}; got {value!r}.")

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Training":
        """The training of plain values, as `plain` gives them or JSON gives them back.

        Example:
            >>> training = Training("builtin:cnn", "rotation", (15.0, 45.0), k=15, seed=0)
            >>> Training.of(training.plain) == training
            True
        """
        values = dict(plain)
        values["magnitude"] = plain_magnitudes(values["transformation"], values["magnitude"])
        values["schedule"] = Schedule(**values["schedule"])
        values["tests"] = tuple((str(name), float(value)) for name, value in values.get("tests", ()))
        return cls(**values)

    @property
    def plain(self) -> dict[str, Any]:
        """The settings as plain values, from which `Training.of` makes them again.

        Settings that came later are left out where they say what was always done, so that names stay.
        """
        values = asdict(self)
        for name in ("assignment", "mode", "tests"):
            if values[name] == _default(self, name):
                del values[name]
        for name in ("rate", "precision"):
            if values["schedule"][name] == _default(self.schedule, name):
                del values["schedule"][name]
        return values

    def settings(self, fingerprint: str) -> dict[str, Any]:
        """All that decides the network's weights and accuracies, as plain values; `fingerprint` is the images'."""
        return {"recipe": _RECIPE, "images": fingerprint, **self.plain}

    @property
    def label(self) -> str:
        """Transformations and magnitudes, for people."""
        return "+".join(
            f"{name}-{low:g}" if low == high else f"{name}-{low:g}..{high:g}" for name, low, high in self.ranges
        )

    @property
    def ranges(self) -> tuple[tuple[str, float, float], ...]:
        """Each transformation's name and the two ends of its range."""
        return ranges_of(self.transformation, self.magnitude)

    @property
    def fixed_magnitude(self) -> float:
        """The magnitude, of a training with one transformation that is always as strong.

        Raises:
            SettingError: there are several, or a range.
        """
        if not isinstance(self.magnitude, float):
            raise SettingError(f"{self.label} has no single magnitude; ask for the mixture, or for the ranges.")
        return self.magnitude

    def name(self, fingerprint: str) -> str:
        """The network's file name: readable, and never the same for other settings or other images."""
        text = json.dumps(self.settings(fingerprint), sort_keys=True)
        key = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return f"{self.label}-k{self.k}-seed{self.seed}-{key}"

    def mixture(self, n_classes: int, fill: Fill | None = None) -> Mixture:
        """What images of seen classes are transformed with.

        Args:
            n_classes: how many classes there are.
            fill: for what comes in from outside the image, the network's.

        Raises:
            UnknownNameError: there is no transformation of that name.
            SettingError: a transformation is named twice, or changes no image.
        """
        parts = make_parts(self.transformation, self.magnitude, fill)
        own = self.assignment == "own" and len(parts) > 1
        return Mixture(parts, own_parts(n_classes, len(parts), self.seed) if own else None)

    def make_transformation(self) -> Transformation:
        """The transformation, of a training with one.

        Raises:
            UnknownNameError: there is none of that name.
            SettingError: there are several.
        """
        if "+" in self.transformation:
            raise SettingError(f"{self.transformation} are several transformations; ask for the mixture.")
        return TRANSFORMATIONS[self.transformation]()


def _default(settings: Any, name: str) -> Any:
    found = next(one for one in fields(settings) if one.name == name)
    assert found.default is not MISSING
    return found.default


def with_options(spec: str, **options: object) -> str:
    """A network's specifier with more options; those that it has already stay as they are.

    Args:
        spec: "torchvision:resnet18?seed=3".
        options: names and values to add.

    Returns:
        The specifier.

    Example:
        >>> with_options("torchvision:resnet18?seed=3", seed=0, num_classes=10)
        'torchvision:resnet18?seed=3&num_classes=10'
    """
    _, mark, query = spec.partition("?")
    known = {part.partition("=")[0] for part in query.split("&")}
    new = "&".join(f"{name}={value}" for name, value in options.items() if name not in known)
    if not new:
        return spec
    return f"{spec}{'&' if mark else '?'}{new}"
