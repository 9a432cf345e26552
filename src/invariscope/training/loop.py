"""The training loop: stochastic gradient descent with momentum, one cycle of the learning rate."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from invariscope.core.errors import NetworkError
from invariscope.core.seeds import image_seeds
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.training.descent import Descent, one_cycle
from invariscope.training.paradigm import Draw, Sampler
from invariscope.transformations.base import Transformation


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns.

    Args:
        epochs: passes over as many draws as there are images.
        batch_size: images per step.
        learning_rate: the largest of the cycle: it rises over the first 30 % of the steps and falls to nothing.
        momentum: share of the last step that is kept.
        weight_decay: pull of every weight towards zero.

    Source: Jang et al. leave the optimiser open; with adaptive step sizes across-category accuracy stays low.
    """

    epochs: int = 6
    batch_size: int = 64
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4


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
    transformation: Transformation,
    magnitude: float,
    sampler: Sampler,
    schedule: Schedule,
    seed: int,
    after_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> None:
    """Train a network in place; transformations are drawn afresh at every pass.

    Args:
        network: the network to train; its weights change, and it is left in evaluation mode.
        images: the training images, at the network's size.
        labels: their classes, as indices of the network's outputs; shape (image,).
        transformation: what the drawn images are transformed with, before the network normalises them.
        magnitude: its magnitude.
        sampler: which images are shown, and which of them transformed.
        schedule: how long and how fast.
        seed: the network's seed, for random transformations.
        after_epoch: called with the epoch (from 1) and its mean loss; the network is then in evaluation mode.

    Raises:
        NetworkError: the loss is no longer a number.
    """
    module, device = network.module, network.device
    module.to(memory_format=torch.channels_last)
    labels = labels.to(device)
    descent = Descent(module.parameters(), schedule.momentum, schedule.weight_decay)
    step, steps = 0, sampler.steps_per_epoch * schedule.epochs
    with repeatable(device), drawing_from(seed, device):
        for epoch in range(1, schedule.epochs + 1):
            module.train()
            total = torch.zeros((), dtype=torch.float64, device=device)
            for draw in sampler.epoch():
                batch = shown(images, draw, transformation, magnitude, seed, device)
                logits = module(network.recipe.normalise(batch).contiguous(memory_format=torch.channels_last))
                loss = nn.functional.cross_entropy(logits, labels[draw.indices.to(device)])
                torch.autograd.backward(loss)
                descent.step(one_cycle(step, steps, schedule.learning_rate))
                step += 1
                total += loss.detach()
            mean = total.item() / sampler.steps_per_epoch
            if not math.isfinite(mean):
                raise NetworkError(
                    f"the loss of {network.spec} is no longer a number in epoch {epoch}; "
                    f"lower the learning rate (it was {schedule.learning_rate:g})."
                )
            module.eval()
            after_epoch(epoch, mean)
    module.eval()
    module.to(memory_format=torch.contiguous_format)


def shown(
    images: Prepared, draw: Draw, transformation: Transformation, magnitude: float, seed: int, device: torch.device
) -> Float[Tensor, "image channel height width"]:
    """The images of one batch as the network gets them, the transformed ones first.

    Args:
        images: all training images.
        draw: the batch.
        transformation: what its first images are transformed with.
        magnitude: the transformation's magnitude.
        seed: the network's seed; each place in training has a seed of its own for random transformations.
        device: where the network is.

    Returns:
        Images in [0,1], before normalisation; shape (image, channel, height, width).
    """
    batch = images.batch(draw.indices, device)
    n = draw.n_transformed
    if n:
        seeds = None
        if transformation.random:
            seeds = image_seeds(draw.places[:n].to(device), seed, f"training/{transformation.name}")
        batch[:n] = transformation(batch[:n], magnitude, seeds=seeds)
    return batch
