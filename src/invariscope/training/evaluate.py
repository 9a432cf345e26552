"""Accuracy of a network that saw some classes transformed: clean, within those classes, and across to the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.seeds import image_seeds, uniform
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.statistics.proportions import wilson
from invariscope.training.mixture import Mixture, Part
from invariscope.transformations.base import Transformation

_BATCH = 256
_NOISE = 0


@dataclass(frozen=True)
class Accuracy:
    """A share of images that are classified rightly, among all classes.

    Args:
        correct: images classified rightly.
        n: images.

    Example:
        >>> Accuracy(3, 4).value
        0.75
    """

    correct: int
    n: int

    @property
    def value(self) -> float:
        """The share, NaN without images."""
        return self.correct / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval, NaN without images."""
        low, high = wilson(self.correct, self.n)
        return float(low), float(high)

    def columns(self, name: str) -> dict[str, Any]:
        """The share, its interval and the number of images, as columns of a table."""
        low, high = self.interval
        return {name: self.value, f"{name}_low": low, f"{name}_high": high, f"{name}_n": self.n}


def evaluate(
    network: Network,
    images: Prepared,
    labels: Int[Tensor, " image"],
    transformation: Transformation,
    magnitude: float,
    seen: tuple[int, ...],
) -> Mapping[str, Accuracy]:
    """Clean, within-category and across-category accuracy.

    Random transformations are drawn once per image, the same for all networks, so that networks are compared in pairs.

    Args:
        network: in evaluation mode, on its device.
        images: test images at the network's size.
        labels: their classes as indices of the network's outputs; shape (image,).
        transformation: what the network saw some classes transformed with.
        magnitude: its magnitude.
        seen: those classes.

    Returns:
        "clean" (all test images, as they are), "within" (transformed images of seen classes) and "across" (transformed
        images of the other classes); the prediction is one of all classes.

    Source: Jang et al., section 2.1.
    """
    return evaluate_mixture(network, images, labels, Mixture((Part(transformation, magnitude, magnitude),)), seen)


def evaluate_mixture(
    network: Network, images: Prepared, labels: Int[Tensor, " image"], mixture: Mixture, seen: tuple[int, ...]
) -> Mapping[str, Accuracy]:
    """Clean, within-category and across-category accuracy under what training shows.

    Each image gets one of the transformations, or its class's own, at one magnitude of the range, drawn once per image
    and the same for all networks; with one transformation at one magnitude this is `evaluate`.

    Args:
        network: in evaluation mode, on its device.
        images: test images at the network's size.
        labels: their classes as indices of the network's outputs; shape (image,).
        mixture: what images of seen classes are transformed with.
        seen: those classes.

    Returns:
        "clean", "within" and "across"; the prediction is one of all classes.
    """

    def change(batch: Tensor, indices: Tensor) -> Tensor:
        return mixture(batch, indices, labels[indices], _NOISE)

    clean, transformed = _right(network, images, labels, (None, change))
    of_seen = torch.isin(labels, torch.tensor(seen, dtype=labels.dtype))
    parts = {"clean": clean, "within": transformed[of_seen], "across": transformed[~of_seen]}
    return {name: Accuracy(int(part.sum()), len(part)) for name, part in parts.items()}


def evaluate_shown(
    network: Network, images: Prepared, labels: Int[Tensor, " image"], mixture: Mixture, seen: tuple[int, ...]
) -> Accuracy:
    """Accuracy on images as training shows them: those of seen classes are transformed half of the times.

    The coin is tossed once per image and is the same for all networks.

    Args:
        network: in evaluation mode, on its device.
        images: images that training did not show, at the network's size.
        labels: their classes as indices of the network's outputs; shape (image,).
        mixture: what images of seen classes are transformed with.
        seen: those classes.
    """
    of_seen = torch.isin(labels, torch.tensor(seen, dtype=labels.dtype))

    def change(batch: Tensor, indices: Tensor) -> Tensor:
        coin = uniform(image_seeds(indices, _NOISE, "coin"), ()) < 0.5
        chosen = (coin & of_seen[indices]).nonzero().squeeze(1)
        if len(chosen):
            places, there = indices[chosen], chosen.to(batch.device)
            batch[there] = mixture(batch[there], places, labels[places], _NOISE)
        return batch

    (right,) = _right(network, images, labels, (change,))
    return Accuracy(int(right.sum()), len(right))


def evaluate_each(
    network: Network,
    images: Prepared,
    labels: Int[Tensor, " image"],
    mixture: Mixture,
    seen: tuple[int, ...],
    tests: Sequence[tuple[Transformation, float]],
) -> list[dict[str, Any]]:
    """Accuracy under each of several transformations and magnitudes, whether or not they occurred in training.

    Args:
        network: in evaluation mode, on its device.
        images: test images at the network's size.
        labels: their classes as indices of the network's outputs; shape (image,).
        mixture: what images of seen classes were transformed with in training.
        seen: those classes.
        tests: transformations with magnitudes.

    Returns:
        One row per test: `transformation`, `magnitude`, `trained` (whether the magnitude occurred in training), and
        `within` (seen classes that saw this transformation), `across` (classes that saw nothing transformed) and
        `other` (seen classes that saw other transformations only), each with `_low`, `_high` and `_n`.
    """
    changes = [_at(transformation, magnitude) for transformation, magnitude in tests]
    found = _right(network, images, labels, changes)
    rows = []
    for (transformation, magnitude), right in zip(tests, found, strict=True):
        saw = tuple(label for label in seen if mixture.saw(label, transformation))
        of_seen, within = (torch.isin(labels, torch.tensor(some, dtype=labels.dtype)) for some in (seen, saw))
        row: dict[str, Any] = {
            "transformation": transformation.name,
            "magnitude": magnitude,
            "trained": any(part.holds(transformation, magnitude) for part in mixture.parts),
        }
        for name, chosen in (("within", within), ("across", ~of_seen), ("other", of_seen & ~within)):
            row |= Accuracy(int(right[chosen].sum()), int(chosen.sum())).columns(name)
        rows.append(row)
    return rows


def _at(transformation: Transformation, magnitude: float) -> Callable[[Tensor, Tensor], Tensor]:
    part = Part(transformation, magnitude, magnitude)
    return lambda batch, indices: part(batch, indices, _NOISE, "")


def _right(
    network: Network,
    images: Prepared,
    labels: Int[Tensor, " image"],
    changes: Sequence[Callable[[Tensor, Tensor], Tensor] | None],
) -> list[Bool[Tensor, " image"]]:
    """Which images are classified rightly, clean (None) or changed."""
    if not len(labels):
        raise SettingError("there is no image to test on.")
    right: list[list[Tensor]] = [[] for _ in changes]
    with torch.inference_mode():
        for indices, batch in images.batches(_BATCH, network.device):
            truth = labels[indices]
            for change, found in zip(changes, right, strict=True):
                shown = batch if change is None else change(batch, indices)
                found.append(network(shown).argmax(1).cpu() == truth)
    return [torch.cat(found) for found in right]
