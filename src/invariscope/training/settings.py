"""One network to train: the settings that decide its weights, and the name that follows from them."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from invariscope.training.loop import Schedule
from invariscope.transformations.base import TRANSFORMATIONS, Transformation

_RECIPE = 1
"""Raised when the way of training changes, so that networks of the old way are not taken for new ones."""


@dataclass(frozen=True)
class Training:
    """A network in the seen/unseen-transformed paradigm.

    Args:
        network: the architecture's specifier; the number of classes and the seed of the weights are added.
        transformation: name of what it sees some classes transformed with.
        magnitude: its magnitude.
        k: how many classes are seen transformed.
        seed: decides initial weights, seen classes, order of images, coins and noise, each independently.
        schedule: how long and how fast it learns.
        each_epoch: test after every epoch, not only after the last.

    Example:
        >>> job = Training("builtin:cnn", "inversion", 1.0, k=15, seed=0)
        >>> job.name("").rsplit("-", 1)[0]
        'inversion-1-k15-seed0'
    """

    network: str
    transformation: str
    magnitude: float
    k: int
    seed: int
    schedule: Schedule = field(default_factory=Schedule)
    each_epoch: bool = False

    def settings(self, fingerprint: str) -> dict[str, Any]:
        """All that decides the network's weights and accuracies, as plain values; `fingerprint` is the images'."""
        return {"recipe": _RECIPE, "images": fingerprint, **asdict(self)}

    def name(self, fingerprint: str) -> str:
        """The network's file name: readable, and never the same for other settings or other images."""
        text = json.dumps(self.settings(fingerprint), sort_keys=True)
        key = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return f"{self.transformation}-{self.magnitude:g}-k{self.k}-seed{self.seed}-{key}"

    def make_transformation(self) -> Transformation:
        """The transformation.

        Raises:
            UnknownNameError: there is none of that name.
        """
        return TRANSFORMATIONS[self.transformation]()


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
