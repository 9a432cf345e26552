"""The region of affine and colour changes that a network stands, found at random, and how much of it was learned."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from invariscope.images.prepared import Prepared
from invariscope.learned.controls import grid
from invariscope.learned.learn import Learned
from invariscope.learned.objective import Objective
from invariscope.networks.network import Network
from invariscope.studies.transformer_observed import changes
from invariscope.transformations.base import TRANSFORMATIONS
from invariscope.transformations.find_magnitude import find_magnitude

STANDS, NEAR = 0.05, 0.1
_FINE, _SCALES, _BATCH = 11, (0.25, 0.5, 0.75, 1.0), 250


def accuracy_of(
    learned: Learned, network: Network, images: Prepared, objective: Objective, deviations: dict[str, Tensor]
) -> float:
    """Accuracy of the images that certify, under one set of parameters.

    Args:
        learned: whose net and images these are.
        network: what the images pass after the net.
        images: the set.
        objective: what shall stay, on this set.
        deviations: A − I by head.
    """
    right = 0.0
    with torch.no_grad():
        for places, batch in images.batches(_BATCH, network.device, learned.held_out[1]):
            spread = {head: value.to(batch).expand(len(batch), *value.shape) for head, value in deviations.items()}
            right += float(objective(learned.module.transform(batch, spread), places).quality.sum())
    return right / len(learned.held_out[1])


def region_rows(
    learned: Learned, network: Network, images: Prepared, objective: Objective, draws: int, seed: int
) -> pd.DataFrame:
    """Random changes as long as the learned ones: whether the network stands them, and how near the family comes.

    A change is drawn for one head at a time: its length is that of the learned change at a random k and the scale up to
    which the family is certified (1 where none is), its direction uniform.

    Args:
        learned: the family.
        network: on its device.
        images: the set that the held-out images stand in.
        objective: what shall stay, on this set.
        draws: for each head.
        seed: of the draws.

    Returns:
        A row per draw: head, length, loss (of accuracy, against clean), stands (loses at most 5 points), distance (to
        the nearest learned change, as a share of its length), near (at most 0.1).
    """
    clean = accuracy_of(learned, network, images, objective, {})
    scale = learned.scale or 1.0
    random = np.random.Generator(np.random.PCG64([seed, 4]))
    rows = []
    for head in learned.module.heads:
        family = np.concatenate([_flat(learned, head, scale * part) for part in _SCALES])
        lengths = np.linalg.norm(_flat(learned, head, scale), axis=1)
        lengths = lengths[lengths > 0]
        shape = learned.module.identity(head).shape
        for vector in _directions(random, draws if len(lengths) else 0, family.shape[1]):
            length = float(random.choice(lengths))
            moved = length * vector
            asked = {head: torch.from_numpy(moved).float().reshape(shape)}
            loss = clean - accuracy_of(learned, network, images, objective, asked)
            distance = float(np.linalg.norm(family - moved, axis=1).min()) / length
            stands = loss <= STANDS + 1e-9
            rows.append(
                {
                    **{"head": head, "length": length, "loss": loss, "stands": stands},
                    **{"distance": distance, "near": distance <= NEAR},
                }
            )
    return pd.DataFrame(rows, columns=["head", "length", "loss", "stands", "distance", "near"])


def colour_changes(learned: Learned, network: Network, images: Prepared, objective: Objective) -> dict[str, float]:
    """Root mean square changes of pixels: under the colour head at k = (1, 1), and under a gain that matters.

    That gain brightens until the accuracy of the held-out images falls to nine tenths of the clean one; where it never
    falls so far, it is the strongest of the default grid.

    Args:
        learned: the family, with a colour head.
        network: on its device.
        images: the set that the held-out images stand in.
        objective: what shall stay, on this set.

    Returns:
        "colour" and "gain".
    """
    held, gain = learned.held_out[1], TRANSFORMATIONS["gain"]()

    def accuracy(magnitude: float) -> float:
        with torch.no_grad():
            batches = images.batches(_BATCH, network.device, held)
            right = sum(float(objective(gain(batch, magnitude), places).quality.sum()) for places, batch in batches)
        return right / len(held)

    level = 0.9 * accuracy_of(learned, network, images, objective, {})
    reached = find_magnitude(accuracy, gain, accuracy=level, towards=max(gain.grid))
    magnitude = reached.magnitude if reached.reached else max(gain.grid)
    batch = images.batch(held, network.device)
    with torch.no_grad():
        moved = learned.module(batch, {"colour": torch.ones(2, device=network.device)})
    return {"colour": _rms(moved - batch), "gain": _rms(gain(batch, magnitude) - batch)}


def _rms(difference: Tensor) -> float:
    return math.sqrt(float(difference.double().square().mean()))


def _flat(learned: Learned, head: str, scale: float) -> Float[ndarray, "k entry"]:
    moved = changes(learned.module, head, grid(_FINE), scale)
    return moved.reshape(len(moved), -1)


def _directions(random: np.random.Generator, count: int, size: int) -> Iterator[ndarray]:
    for _ in range(count):
        vector = random.standard_normal(size)
        yield vector / np.linalg.norm(vector)
