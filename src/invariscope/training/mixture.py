"""What the images of seen classes are transformed with: one transformation or several, at one magnitude or a range."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.seeds import image_seeds, uniform
from invariscope.training.paradigm import generator
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation

Magnitudes = float | tuple[float | tuple[float, float], ...]
ASSIGNMENTS = ("all", "own")


@dataclass(frozen=True)
class Part:
    """One transformation and the magnitudes that images get.

    Args:
        transformation: the family.
        low: one end of the range.
        high: the other end; equal to `low` for a fixed magnitude.
    """

    transformation: Transformation
    low: float
    high: float

    def holds(self, transformation: Transformation, magnitude: float) -> bool:
        """Whether that magnitude of that transformation occurs here."""
        low, high = sorted((self.low, self.high))
        return transformation.name == self.transformation.name and low <= magnitude <= high

    def __call__(
        self, images: Float[Tensor, "image channel height width"], places: Int[Tensor, " image"], seed: int, where: str
    ) -> Float[Tensor, "image channel height width"]:
        """Every image transformed; draws depend on its place, the seed and where alone.

        Args:
            images: in [0,1]; shape (image, channel, height, width).
            places: one integer per image, on the CPU; shape (image,).
            seed: of the draws.
            where: "training/" or "" for tests, whose draws are independent.
        """
        name, seeds = f"{where}{self.transformation.name}", None
        if self.transformation.random:
            seeds = image_seeds(places.to(images.device), seed, name)
        if self.low == self.high:
            return self.transformation(images, self.low, seeds=seeds)
        share = uniform(image_seeds(places, seed, f"{name}/magnitude"), ()).double()
        low, high = sorted((self.low, self.high))
        if self.transformation.whole:
            return self.transformation(images, (low + share * (high - low + 1)).floor().clamp(max=high), seeds=seeds)
        return self.transformation(images, low + share * (high - low), seeds=seeds)


@dataclass(frozen=True)
class Mixture:
    """Transformations of which each image gets one.

    Args:
        parts: the transformations.
        own: the part of each class, which is then the only one its images get; None draws a part for every image.
    """

    parts: tuple[Part, ...]
    own: tuple[int, ...] | None = None

    def which(
        self, places: Int[Tensor, " image"], labels: Int[Tensor, " image"], seed: int, where: str
    ) -> Int[Tensor, " image"]:
        """The part of each image."""
        if self.own is not None:
            return torch.tensor(self.own)[labels]
        return (uniform(image_seeds(places, seed, f"{where}which"), ()) * len(self.parts)).long()

    def __call__(
        self,
        images: Float[Tensor, "image channel height width"],
        places: Int[Tensor, " image"],
        labels: Int[Tensor, " image"],
        seed: int,
        where: str = "",
    ) -> Float[Tensor, "image channel height width"]:
        """Every image under its transformation.

        Args:
            images: in [0,1]; shape (image, channel, height, width).
            places: one integer per image, on the CPU, on which all draws depend; shape (image,).
            labels: their classes, on the CPU; shape (image,).
            seed: of the draws.
            where: "training/" or "" for tests, whose draws are independent.
        """
        if len(self.parts) == 1:
            return self.parts[0](images, places, seed, where)
        which, out = self.which(places, labels, seed, where), torch.empty_like(images)
        for number, part in enumerate(self.parts):
            chosen = (which == number).nonzero().squeeze(1)
            if len(chosen):
                there = chosen.to(images.device)
                out[there] = part(images[there], places[chosen], seed, where)
        return out

    def saw(self, label: int, transformation: Transformation) -> bool:
        """Whether a seen class of this label is shown under that transformation in training."""
        parts = self.parts if self.own is None else (self.parts[self.own[label]],)
        return any(part.transformation.name == transformation.name for part in parts)


def own_parts(n_classes: int, n_parts: int, seed: int) -> tuple[int, ...]:
    """Each class's own transformation, balanced over the seen classes for every k.

    Classes take turns in the order in which they become seen (`seen_classes`), each turn in an order of its own; so
    no class changes its transformation when more classes are seen.

    Args:
        n_classes: how many classes there are.
        n_parts: how many transformations.
        seed: the network's seed.

    Returns:
        The place of the transformation, by class.

    Example:
        >>> sorted(own_parts(6, 3, seed=0))
        [0, 0, 1, 1, 2, 2]
    """
    order = torch.randperm(n_classes, generator=generator(seed, "seen")).tolist()
    draws, own = generator(seed, "own"), [0] * n_classes
    for start in range(0, n_classes, n_parts):
        turn = torch.randperm(n_parts, generator=draws).tolist()
        for label, part in zip(order[start : start + n_parts], turn, strict=False):
            own[label] = part
    return tuple(own)


def plain_magnitudes(transformation: str, magnitude: Any) -> Magnitudes:
    """Magnitudes in their one plain form: a number; (low, high); or one of these for each of several transformations.

    Args:
        transformation: a name, or several with "+" between them.
        magnitude: numbers and sequences of them, as from JSON.

    Raises:
        SettingError: there is not one for each transformation, or one is no number.

    Example:
        >>> plain_magnitudes("rotation", [15, 45]), plain_magnitudes("inversion+rotation", [1, [15, 45]])
        ((15.0, 45.0), (1.0, (15.0, 45.0)))
    """
    names = transformation.split("+")
    if len(names) == 1:
        return _one(transformation, magnitude)
    if not isinstance(magnitude, Sequence) or isinstance(magnitude, str) or len(magnitude) != len(names):
        raise SettingError(
            f"{transformation} are {len(names)} transformations and take one magnitude each; got {magnitude!r}."
        )
    return tuple(_one(name, value) for name, value in zip(names, magnitude, strict=True))


def _one(name: str, magnitude: Any) -> float | tuple[float, float]:
    values = magnitude if isinstance(magnitude, list | tuple) else [magnitude]
    if len(values) not in (1, 2) or not all(isinstance(value, int | float) for value in values):
        raise SettingError(f"{name} takes a magnitude, or the two ends of a range; got {magnitude!r}.")
    low, high = float(values[0]), float(values[-1])
    return low if low == high else (low, high)


def ranges_of(transformation: str, magnitude: Magnitudes) -> tuple[tuple[str, float, float], ...]:
    """Each transformation's name and the two ends of its range, of magnitudes in plain form.

    Example:
        >>> ranges_of("inversion+rotation", (1.0, (15.0, 45.0)))
        (('inversion', 1.0, 1.0), ('rotation', 15.0, 45.0))
    """
    names = transformation.split("+")
    values = magnitude if len(names) > 1 and isinstance(magnitude, tuple) else (magnitude,)
    ranges = []
    for name, value in zip(names, values, strict=True):
        low, high = value if isinstance(value, tuple) else (value, value)
        assert not isinstance(low, tuple)
        assert not isinstance(high, tuple)
        ranges.append((name, low, high))
    return tuple(ranges)


def make_parts(transformation: str, magnitude: Magnitudes, fill: Fill | None = None) -> tuple[Part, ...]:
    """The transformations of a training.

    Args:
        transformation: a name, or several with "+" between them.
        magnitude: in plain form.
        fill: for what comes in from outside the image; None leaves the transformations' own.

    Raises:
        UnknownNameError: there is no transformation of that name.
        SettingError: one occurs twice, or changes no image.
        MagnitudeError: a magnitude lies outside a transformation's span.
    """
    names, parts = transformation.split("+"), []
    for name, low, high in ranges_of(transformation, magnitude):
        if names.count(name) > 1:
            raise SettingError(f"{name} is named twice in {transformation}; name each transformation once.")
        made = TRANSFORMATIONS[name]()
        if low == high == made.identity:
            raise SettingError(f"{name} {low:g} changes no image; give another magnitude.")
        made.check_magnitudes([low, high])
        parts.append(Part(made if fill is None else made.with_fill(fill), low, high))
    return tuple(parts)
