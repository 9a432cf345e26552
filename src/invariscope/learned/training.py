"""Training the net: enlarge the transformations while the network keeps up, repair when it does not."""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import NetworkError
from invariscope.core.progress import Progress, Silent
from invariscope.images.prepared import Prepared
from invariscope.learned.adam import Adam, clipped
from invariscope.learned.checkpoint import Keeper
from invariscope.learned.draws import Draws
from invariscope.learned.module import TransformerNet
from invariscope.learned.norm import sampled_move, squared_move
from invariscope.learned.objective import Objective, frozen
from invariscope.learned.settings import LearnSettings
from invariscope.networks.memory_format import channels_last
from invariscope.networks.network import Network

Row = dict[str, Any]


class Training:
    """One training of a net in front of a network.

    Args:
        net: what learns, in place.
        network: what does not; the images pass it after the net.
        images: the set.
        objective: what shall stay, on this set.
        places: of the training images in the set.
        settings: the effective ones.
        seed: of draws.

    Source: Bunne et al., §III.D; the moving average, two optimisers, clipping and the settling rate are ours.
    """

    def __init__(
        self,
        net: TransformerNet,
        network: Network,
        images: Prepared,
        objective: Objective,
        places: Tensor,
        settings: LearnSettings,
        seed: int,
    ) -> None:
        self._net, self._network, self._images, self._objective = net, network, images, objective
        self._settings, self._draws = settings, Draws(seed, places, settings.batch_size)
        self._weights = dict(net.named_parameters())
        self._enlarge = Adam(self._weights)
        self._repair = Adam(self._weights) if settings.optimisers == "two" else self._enlarge
        self.baseline = float(objective.clean[places].mean())
        self.gate = self.baseline - settings.tolerance
        self._average = torch.tensor(self.baseline, dtype=torch.float64)
        self.history: list[Row] = []

    def run(self, keeper: Keeper, progress: Progress | None = None) -> list[Row]:
        """Train to the end, from the keeper's checkpoint where it has one.

        Args:
            keeper: writes checkpoints now and then.
            progress: told of every step.

        Returns:
            A row per step: step, loss of every head, cross_entropy, accuracy (of the batch), average, open.

        Raises:
            NetworkError: a loss is no longer a number.
        """
        progress = progress or Silent()
        first = keeper.restore(self.state(), self.history)
        progress.start("learning", self._settings.steps)
        progress.advance(first)
        example = self._images.batch(self._draws.images(0)[:2], self._network.device)
        cuda = self._network.device.type == "cuda"
        repeatable = torch.backends.cudnn.flags(benchmark=False, deterministic=True) if cuda else nullcontext()
        with repeatable, frozen(self._network.module), channels_last(self._network, example):
            for step in range(first, self._settings.steps):
                self.history.append(self._step(step))
                progress.advance()
                if keeper.due(step + 1):
                    keeper.save(step + 1, self.state(), self.history)
        keeper.save(self._settings.steps, self.state(), self.history)
        return self.history

    def state(self) -> dict[str, Tensor]:
        """Everything that changes, by name; writing into it is restoring it."""
        live = {f"weights/{name}": value.data for name, value in self._weights.items()} | {"average": self._average}
        live |= {f"enlarge/{name}": value for name, value in self._enlarge.state().items()}
        if self._repair is not self._enlarge:
            live |= {f"repair/{name}": value for name, value in self._repair.state().items()}
        return live

    def _step(self, step: int) -> Row:
        settings, device = self._settings, self._network.device
        places = self._draws.images(step)
        groups = min(settings.k_per_batch, len(places))
        k = {head: self._draws.k(step, head, groups).to(device) for head in self._net.heads}
        deviations = self._net.deviations(k)
        moves = self._moves(step, k, deviations)
        # Known before the batch, the average spares the backward pass through the network.
        known = settings.switch == "average"
        enlarging = known and float(self._average) >= self.gate
        with torch.set_grad_enabled(not enlarging):
            # Groups of one k are as even as they can be: image i has k number i·groups/images.
            share = torch.arange(len(places), device=device) * groups // len(places)
            shown = self._net.transform(
                self._images.batch(places, device), {head: moved[share] for head, moved in deviations.items()}
            )
            judged = self._objective(shown, places)
        accuracy = float(judged.quality.mean())
        if not known:
            enlarging = settings.switch == "batch" and accuracy >= self.gate
        self._average.lerp_(torch.tensor(accuracy, dtype=torch.float64), 1 - settings.ema)
        larger = torch.stack([settings.weight(head) * move for head, move in moves.items()]).sum()
        larger = larger + self._alike(device)
        if settings.switch == "sum":
            loss = judged.loss + settings.sum_weight * larger
        else:
            loss = larger if enlarging else judged.loss
        if not math.isfinite(loss.item()):
            raise NetworkError(
                f"the loss of the transformer net is no longer a number in step {step + 1}; "
                f"lower the learning rate (it was {settings.learning_rate:g})."
            )
        self._descend(loss, self._enlarge if enlarging else self._repair, self._rate(step))
        row: Row = {"step": step + 1} | {f"loss_{head}": move.item() for head, move in moves.items()}
        return row | {
            "cross_entropy": judged.loss.item(),
            "accuracy": accuracy,
            "average": float(self._average),
            "gate": self.gate,
            "open": enlarging,
        }

    def _moves(
        self, step: int, k: Mapping[str, Tensor], deviations: Mapping[str, Tensor]
    ) -> dict[str, Float[Tensor, ""]]:
        """L_k of every head: the mean over k of (k₁ + k₂)·L̂."""
        found = {}
        for head, moved in deviations.items():
            if self._settings.norm == "sampled" and head in ("colour", "spatial"):
                vectors = self._draws.vectors(step, head, self._settings.n_vectors, moved.shape[-1])
                move = sampled_move(moved, vectors.to(moved.device))
            else:
                move = squared_move(head, moved)
            found[head] = -(k[head].sum(1) * move).mean()
        return found

    def _alike(self, device: torch.device) -> Tensor:
        """The penalty on both components of k doing the same."""
        if not self._settings.distinct:
            return torch.zeros((), device=device)
        ends = self._net.deviations({head: torch.eye(2, device=device) for head in self._net.heads})
        cosines = [torch.cosine_similarity(moved[:1].flatten(1), moved[1:].flatten(1))[0] for moved in ends.values()]
        return self._settings.distinct * torch.stack(cosines).square().sum()

    def _rate(self, step: int) -> float:
        """The learning rate: constant, then along a line to nothing."""
        settling = self._settings.settle * self._settings.steps
        left = self._settings.steps - step
        return self._settings.learning_rate * (left / settling if left < settling else 1.0)

    def _descend(self, loss: Tensor, adam: Adam, rate: float) -> None:
        weights = list(self._weights.values())
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        gradients = [
            torch.zeros_like(weight) if gradient is None else gradient
            for weight, gradient in zip(weights, found, strict=True)
        ]
        owners = [name.split(".")[1] for name in self._weights]
        clean: dict[int, Tensor] = {}
        for head in self._net.heads:
            mine = [place for place, owner in enumerate(owners) if owner == head]
            clean |= dict(zip(mine, clipped([gradients[place] for place in mine], self._settings.clip), strict=True))
        adam.step([clean[place] for place in range(len(weights))], rate)
