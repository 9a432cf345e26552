"""The training loop: stochastic gradient descent with momentum."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from invariscope.core.errors import NetworkError, SettingError
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.training.checkpoint import Keeper, State
from invariscope.training.descent import RATES, Descent
from invariscope.training.mixture import Mixture
from invariscope.training.paradigm import Draw, Sampler
from invariscope.training.precision import Arithmetic, choose_precision
from invariscope.training.steps import JOINT, Step, readout


class DivergedError(NetworkError):
    """A network's loss is no longer a number."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns.

    Args:
        epochs: passes over as many draws as there are images.
        batch_size: images per step.
        learning_rate: the largest; see `rate`.
        momentum: share of the last step that is kept.
        weight_decay: pull of every weight towards zero.
        rate: how the learning rate goes: "one-cycle" rises over the first 30 % of the steps and falls to nothing,
            "constant" stays, "steps" falls to a tenth after half of the steps and again after three quarters.
        precision: "float32", "bfloat16", "float16", or "auto": 16 bits on a CUDA device and 32 elsewhere.

    Raises:
        SettingError: a rate or precision that there is not, or a number that no training can have.

    Source: Jang et al. leave the optimiser open; with adaptive step sizes across-category accuracy stays low.
    """

    epochs: int = 6
    batch_size: int = 64
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    rate: str = "one-cycle"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.rate not in RATES:
            raise SettingError(f"the learning rate goes by {', '.join(RATES)}; got {self.rate!r}.")
        choose_precision(self.precision, torch.device("cpu"))
        for name, least in (("epochs", 1), ("batch_size", 1), ("learning_rate", 0), ("weight_decay", 0)):
            if not getattr(self, name) >= least:
                raise SettingError(f"{name.replace('_', ' ')} takes {least} or more; got {getattr(self, name):g}.")


@contextmanager
def drawing_from(seed: int, device: torch.device) -> Iterator[None]:
    """Within the block, modules that draw (initial weights, dropout) draw from this seed; others notice nothing."""
    gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if gpu else []):
        torch.default_generator.manual_seed(seed)
        if gpu:
            torch.cuda.manual_seed_all(seed)
        yield


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Within the block, convolutions on a GPU take their repeatable algorithms."""
    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield


def train(
    network: Network,
    images: Prepared,
    labels: Int[Tensor, " image"],
    mixture: Mixture,
    sampler: Sampler,
    schedule: Schedule,
    seed: int,
    after_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
    *,
    step: Step = JOINT,
    keeper: Keeper | None = None,
) -> None:
    """Train a network in place; transformations are drawn afresh at every pass.

    Args:
        network: the network to train; its weights change, and it is left in evaluation mode.
        images: the training images, at the network's size.
        labels: their classes, as indices of the network's outputs; shape (image,).
        mixture: what the drawn images are transformed with, before the network normalises them.
        sampler: which images are shown, and which of them transformed.
        schedule: how long and how fast.
        seed: the network's seed, for random transformations.
        after_epoch: called with the epoch (from 1) and its mean loss; the network is then in evaluation mode.
        step: what learns, and which outputs compete.
        keeper: writes checkpoints, and goes on from the one it has.

    Raises:
        DivergedError: the loss is no longer a number.
        NetworkError: no layer reads out the classes, and a step freezes the others.
    """
    module, device = network.module, network.device
    module.to(memory_format=torch.channels_last)
    arithmetic = Arithmetic(choose_precision(schedule.precision, device), device)
    frozen = readout(network, step) if step.freezes else None
    descent = Descent(module.parameters(), schedule.momentum, schedule.weight_decay)
    targets = step.targets(labels).to(device)
    outputs = None if step.outputs is None else torch.tensor(step.outputs, device=device)
    done, steps, rate = 0, sampler.steps_per_epoch * schedule.epochs, RATES[schedule.rate]
    with repeatable(device), drawing_from(step.seed(seed), device):
        state, first = State(module, descent, sampler, arithmetic, device), 0
        if keeper is not None:
            first = keeper.restore(step.name, state)
            done = first * sampler.steps_per_epoch
        if frozen is not None:
            frozen.hold()
        for epoch in range(first + 1, schedule.epochs + 1):
            module.train(frozen is None)
            total = torch.zeros((), dtype=torch.float64, device=device)
            for draw in sampler.epoch():
                batch = network.recipe.normalise(shown(images, labels, draw, mixture, seed, device))
                with arithmetic.forward():
                    logits = module(batch.contiguous(memory_format=torch.channels_last))
                competing = logits if outputs is None else logits[:, outputs]
                loss = nn.functional.cross_entropy(competing.float(), targets[draw.indices.to(device)])
                arithmetic.step(loss, descent, rate(done, steps, schedule.learning_rate))
                if frozen is not None:
                    frozen.put_back()
                done += 1
                total += loss.detach()
            mean = total.item() / sampler.steps_per_epoch
            if not math.isfinite(mean):
                raise DivergedError(
                    f"the loss of {network.spec} is no longer a number in epoch {epoch}; "
                    f"lower the learning rate (it was {schedule.learning_rate:g})."
                )
            module.eval()
            after_epoch(epoch, mean)
            if keeper is not None and keeper.due(epoch):
                keeper.save(step.name, epoch, state)
    module.eval()
    module.requires_grad_(True)
    module.to(memory_format=torch.contiguous_format)


def shown(
    images: Prepared, labels: Int[Tensor, " every"], draw: Draw, mixture: Mixture, seed: int, device: torch.device
) -> Float[Tensor, "image channel height width"]:
    """The images of one batch as the network gets them, the transformed ones first.

    Args:
        images: all training images.
        labels: classes of all training images; shape (every,).
        draw: the batch.
        mixture: what its first images are transformed with.
        seed: the network's seed; each place in training has a seed of its own for random transformations.
        device: where the network is.

    Returns:
        Images in [0,1], before normalisation; shape (image, channel, height, width).
    """
    batch = images.batch(draw.indices, device)
    n = draw.n_transformed
    if n:
        batch[:n] = mixture(batch[:n], draw.places[:n], labels[draw.indices[:n]], seed, "training/")
    return batch
