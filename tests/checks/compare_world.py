"""Pairs of networks whose thresholds differ by a known amount, and answers drawn without any difference."""

import numpy as np
import pandas as pd
import torch
from torch import nn

import invariscope as inv
from invariscope.checks.compare_images import Answered, Pair
from invariscope.tolerance.outputs import Groups

STEP = 1 / 32
# Odd multiples of 1/64: images whose means are multiples of 1/32 flip in the middle between two of them.
GRID = [(2 * step + 1) / 64 for step in range(-9, 9)]
QUICK = {"device": "cpu", "replicates": 100, "controls": 1, "layers": "output"}
CLASSES = ("bright", "dark")


class Readout(nn.Module):
    """Class 0 where the mean of the image passes 1/2 less `steps`/32."""

    def __init__(self, steps: int = 0) -> None:
        super().__init__()
        self.bound = nn.Parameter(torch.tensor(0.5 - steps * STEP), requires_grad=False)

    def forward(self, images):
        mean = images.mean((1, 2, 3))[:, None]
        return torch.cat([mean - self.bound, self.bound - mean], 1)


class Hidden(nn.Module):
    """As `Readout`, behind two rectified units."""

    def __init__(self, steps: int = 0, gain: float = 1.0) -> None:
        super().__init__()
        self.readout, self.relu = Readout(steps), nn.ReLU()
        self.gain = nn.Parameter(torch.tensor(gain), requires_grad=False)
        self.read = nn.Linear(2, 2, bias=False)
        nn.init.eye_(self.read.weight)

    def forward(self, images):
        both = self.readout(images)
        lifted = torch.stack([both[:, 0], both[:, 1] + (self.gain - 1) * both[:, 1].clamp(min=0)], 1)
        return self.read(self.relu(lifted))


def images(n=30, seed=0, labelled=True):
    """Half of them dark (class "dark") and 3 to 7 steps below 1/2, the others as far above it."""
    draw = np.random.default_rng(seed)
    steps = draw.integers(3, 8, n) * STEP
    means = np.concatenate([0.5 - steps, 0.5 + steps])
    order = draw.permutation(2 * n)
    pixels = np.broadcast_to(means[order].astype(np.float32)[:, None, None, None], (2 * n, 1, 8, 8)).copy()
    labels = np.array([1] * n + [0] * n)[order]
    return inv.Images(pixels, labels if labelled else None, CLASSES if labelled else None)


def measured(out, steps=0, *, network=None, pictures=None, grids=None, **settings):
    """A run of a read-out on those images, under brightness."""
    grids = grids or {"brightness": GRID}
    pictures = images() if pictures is None else pictures
    chosen = {**QUICK, **settings}
    return inv.measure(network or Readout(steps), pictures, transformations=grids, out=out, **chosen)


def answered(flips, right, labels, magnitudes):
    """Answers that keep their first class up to a distance, and then change it."""
    far = np.abs(magnitudes)[:, None] > flips
    first = np.where(right, labels, labels + 1)
    predicted = np.where(far, first + 1, first)
    softmax = np.where(right, 0.9, 0.3) * np.exp(-np.abs(magnitudes)[:, None] / flips)
    clean = int(np.flatnonzero(magnitudes == 0)[0])
    names = labels.astype(str).astype(object)
    predicted = predicted.astype(np.int64)
    return Answered(
        magnitudes, clean, np.arange(len(labels)), names, predicted, predicted == labels, softmax.astype(np.float32)
    )


def drawn_pair(seed, n=200, shift=0.0, correlation=0.5):
    """Two networks whose flips come from one distribution; the second's are smaller by a share."""
    draw = np.random.default_rng(seed)
    magnitudes, labels, common = np.linspace(-60, 60, 13), draw.integers(0, 2, n), draw.normal(size=n)
    both = []
    for share in (0.0, shift):
        own = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * draw.normal(size=n)
        both.append(answered(np.exp(3 + 0.6 * own) * (1 - share), draw.random(n) < 0.9, labels, magnitudes))
    return Pair(*both, Groups(("0", "1"), labels.astype(np.int64), np.arange(2)))


def table(out, name="compare"):
    return pd.read_parquet(out / f"{name}.parquet")


def row(rows, **where):
    for column, value in where.items():
        rows = rows[rows[column] == value]
    [found] = rows.to_dict("records")
    return found


def case(criterion="accuracy", level=0.5, side="+", of="dark"):
    return {"criterion": criterion, "level": level, "side": side, "class": of}
