"""What a learned transformation shall leave as it is: predictions, a unit's response, a layer's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from invariscope.core.errors import ImageError, NetworkError
from invariscope.images.labels import match_labels
from invariscope.images.prepared import Prepared
from invariscope.learned.settings import LearnSettings
from invariscope.networks.network import Network


class Judged(NamedTuple):
    """How transformed images fare.

    Attributes:
        loss: what repairing lowers; one number, with its gradient.
        quality: of every image, 0 to 1: whether it is right, or how much of the response is kept; shape (image,).
        kept: of every image, whether its prediction is the clean one; the quality where there are no predictions.
    """

    loss: Float[Tensor, ""]
    quality: Float[Tensor, " image"]
    kept: Float[Tensor, " image"]


@runtime_checkable
class Objective(Protocol):
    """What shall stay, on one set of images.

    Attributes:
        places: of the images that count, in the set; ascending.
        clean: the quality of every image of the set as it is; NaN where it does not count.
        classes: the name of each image's class, for tables; None without classes.
        message: what a person should be told, or None.
    """

    places: Int[Tensor, " place"]
    clean: Float[Tensor, " every"]
    classes: list[str] | None
    message: str | None

    def __call__(self, shown: Float[Tensor, "image channel height width"], places: Int[Tensor, " image"]) -> Judged:
        """Judge transformed images, given where they stand in the set."""


class Predictions:
    """The right classes, or the network's own clean predictions.

    Args:
        network: answers class scores.
        images: all of the set.
        settings: target "labels" falls back to "agreement" where there are no labels.
        batch_size: of the clean pass.

    Raises:
        NetworkError: the outputs are no class scores, or not finite.
        ImageError: there are no images, or their labels do not fit the network.

    Source: Bunne et al., §III.D (L_orig).
    """

    def __init__(self, network: Network, images: Prepared, settings: LearnSettings, batch_size: int = 256) -> None:
        self._network = network
        answers = []
        with torch.no_grad():
            for _, batch in images.batches(batch_size, network.device):
                answers.append(self._answer(batch).cpu())
        if not answers:
            raise ImageError("there are no images to learn from.")
        logits = torch.cat(answers)
        if not torch.isfinite(logits).all():
            raise NetworkError(
                "the network returns values that are not finite (NaN or infinity) for clean images; "
                "check its weights and its input recipe (size, mean, std)."
            )
        self._clean = logits.argmax(1)
        matching = match_labels(images, network, logits.shape[1])
        wanted = matching.labels if settings.target == "labels" else None
        self.message = matching.message if settings.target == "labels" else None
        self._wanted = self._clean if wanted is None else wanted.long()
        self.places = torch.arange(len(images))
        self.clean = (self._clean == self._wanted).float()
        self.classes: list[str] | None = [matching.names[place] for place in self._wanted.tolist()]
        self.labelled = wanted is not None

    def __call__(self, shown: Float[Tensor, "image channel height width"], places: Int[Tensor, " image"]) -> Judged:
        """Cross-entropy, and whether each prediction is the wanted one and the clean one."""
        logits = self._answer(shown)
        wanted, clean = self._wanted[places].to(logits.device), self._clean[places].to(logits.device)
        predicted = logits.detach().argmax(1)
        loss = F.cross_entropy(logits, wanted)
        return Judged(loss, (predicted == wanted).float(), (predicted == clean).float())

    def _answer(self, shown: Tensor) -> Tensor:
        logits = self._network(shown)
        if logits.ndim != 2 or logits.shape[1] < 2:
            raise NetworkError(
                f"predictions need class scores, (image, class); the network returns {tuple(logits.shape)}. "
                "Keep a unit or a layer instead: target='unit' or 'layer'."
            )
        return logits.float()


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Within the block no weight collects gradients, which saves a third of a backward pass.

    Example:
        >>> module = nn.Linear(1, 1)
        >>> with frozen(module):
        ...     module.weight.requires_grad
        False
        >>> module.weight.requires_grad
        True
    """
    held = [weight for weight in module.parameters() if weight.requires_grad]
    for weight in held:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in held:
            weight.requires_grad_(True)


def strongest(responses: Float[Tensor, " image"], share: float) -> Bool[Tensor, " image"]:
    """Which images drive a unit most: a share of all, but none that does not drive it.

    Example:
        >>> strongest(torch.tensor([0.0, 3.0, 1.0, 2.0]), 0.5)
        tensor([False,  True, False,  True])
    """
    count = max(round(share * len(responses)), 1)
    chosen = torch.zeros(len(responses), dtype=torch.bool)
    chosen[responses.sort(descending=True, stable=True).indices[:count]] = True
    return chosen & (responses > 0)
