"""How images fare under a learned family, for many control parameters and scales."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from invariscope.core.progress import Progress, Silent
from invariscope.images.prepared import Prepared
from invariscope.learned.controls import Control
from invariscope.learned.module import TransformerNet
from invariscope.learned.objective import Objective
from invariscope.networks.memory_format import channels_last
from invariscope.networks.network import Network


class Examiner:
    """Asks for the quality of some images under settings of the net, each once.

    Args:
        net: trained.
        network: what the images pass after the net.
        images: the set.
        objective: what shall stay, on this set.
        places: of the images that are asked about.
        batch_size: images per pass; does not change answers beyond rounding.
        progress: told of every setting.
    """

    def __init__(
        self,
        net: TransformerNet,
        network: Network,
        images: Prepared,
        objective: Objective,
        places: Int[Tensor, " place"],
        batch_size: int = 256,
        progress: Progress | None = None,
    ) -> None:
        self._net, self._network, self._images, self._objective = net, network, images, objective
        self.places, self._batch_size, self._progress = places, batch_size, progress or Silent()
        self.clean = objective.clean[places].numpy().astype(np.float64)
        self._known: dict[tuple[float, str], tuple[ndarray, ndarray]] = {}

    def quality(self, scale: float, controls: Sequence[Control]) -> Float[ndarray, "control image"]:
        """The quality of every image under every setting, 0 to 1."""
        return self._answers(scale, controls, 0)

    def kept(self, scale: float, controls: Sequence[Control]) -> Float[ndarray, "control image"]:
        """Whether every image keeps its clean prediction under every setting."""
        return self._answers(scale, controls, 1)

    def _answers(self, scale: float, controls: Sequence[Control], which: int) -> ndarray:
        new = [control for control in controls if (scale, control.name) not in self._known]
        if new:
            self._ask(scale, new)
        return np.stack([self._known[scale, control.name][which] for control in controls])

    def _ask(self, scale: float, controls: Sequence[Control]) -> None:
        device = self._network.device
        found: list[list[tuple[Tensor, Tensor]]] = [[] for _ in controls]
        example = self._images.batch(self.places[:2], device)
        with torch.no_grad(), channels_last(self._network, example):
            deviations = [self._net.deviations(_tensors(control, device)) for control in controls]
            for places, batch in self._images.batches(self._batch_size, device, self.places):
                for place, moved in enumerate(deviations):
                    spread = {head: value.expand(len(batch), *value.shape[1:]) for head, value in moved.items()}
                    judged = self._objective(self._net.transform(batch, spread, scale), places)
                    found[place].append((judged.quality.cpu(), judged.kept.cpu()))
                self._progress.advance(len(controls) * len(batch))
        for control, answers in zip(controls, found, strict=True):
            quality, kept = (torch.cat(parts).double().numpy() for parts in zip(*answers, strict=True))
            self._known[scale, control.name] = quality, kept


def _tensors(control: Control, device: torch.device) -> dict[str, Tensor]:
    return {head: torch.tensor([pair], dtype=torch.float32, device=device) for head, pair in control.k.items()}
