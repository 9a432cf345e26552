"""Accuracy of a network that saw some classes transformed: clean, within those classes, and across to the others."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from invariscope.core.seeds import image_seeds
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.statistics.proportions import wilson
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
    device = network.device
    of_seen = torch.isin(labels, torch.tensor(seen, dtype=labels.dtype))
    correct: dict[str, list[Bool[Tensor, " image"]]] = {"clean": [], "transformed": []}
    with torch.inference_mode():
        for indices, batch in images.batches(_BATCH, device):
            truth = labels[indices]
            seeds = image_seeds(indices.to(device), _NOISE, transformation.name) if transformation.random else None
            changed = transformation(batch, magnitude, seeds=seeds)
            for name, shown in (("clean", batch), ("transformed", changed)):
                correct[name].append(network(shown).argmax(1).cpu() == truth)
    clean, transformed = torch.cat(correct["clean"]), torch.cat(correct["transformed"])
    parts = {"clean": clean, "within": transformed[of_seen], "across": transformed[~of_seen]}
    return {name: Accuracy(int(part.sum()), len(part)) for name, part in parts.items()}
