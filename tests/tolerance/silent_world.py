"""Networks that read classes from pixels, so that what silencing a unit costs follows from how they are built."""

import numpy as np
import torch
from torch import nn

from invariscope.images.images import Images


def readout(weights, bias):
    """Each pixel is a unit; `weights` has a row per class."""
    weights = torch.as_tensor(weights, dtype=torch.float32)
    layer = nn.Linear(weights.shape[1], weights.shape[0])
    layer.weight, layer.bias = nn.Parameter(weights), nn.Parameter(torch.as_tensor(bias, dtype=torch.float32))
    return nn.Sequential(nn.Flatten(), nn.ReLU(), layer)


def row_images(rows, labels, classes=("zero", "one")):
    pixels = torch.as_tensor(np.asarray(rows), dtype=torch.float32)[:, None, None, :]
    return Images(pixels.numpy(), labels, classes)


class HalfAndHalf:
    """Eight units under a horizontal flip: 0, 1, 6, 7 carry the class and are invariant, the rest are specialized.

    Units 2 and 3 answer to clean images alone, 4 and 5 to flipped ones alone, and none of these four is read out.
    """

    invariant, clean, flipped = (0, 1, 6, 7), (2, 3), (4, 5)

    def __init__(self, n=40, seed=0):
        draw = np.random.default_rng(seed)
        self.labels = np.arange(n) % 2
        strength, side = draw.uniform(0.5, 1, n), draw.uniform(0.5, 1, (n, 2))
        rows = np.zeros((n, 8))
        rows[np.arange(n), self.labels] = strength
        rows[np.arange(n), 7 - self.labels] = strength
        rows[:, 2:4] = side
        self.images = row_images(rows, self.labels.tolist())
        weights = np.zeros((2, 8))
        weights[0, [0, 7]] = weights[1, [1, 6]] = 1
        # Without any activity the answer is the first class: chance, with two classes alike.
        self.network = readout(weights, [0.1, 0.0])
        self.clean_rows, self.flipped_rows = (torch.tensor(part.copy()).float() for part in (rows, rows[:, ::-1]))


class Levels:
    """One unit per class; an image of class 1 drives its unit to its own level, and the bias says class 0.

    Silencing what is at most τ loses exactly the images of class 1 whose level is at most τ.
    """

    def __init__(self, levels, n_zero=0):
        levels = np.asarray(levels, dtype=np.float64)
        rows = np.concatenate([np.stack([0 * levels, levels], axis=1), np.tile([1.0, 0.0], (n_zero, 1))])
        self.labels = [1] * len(levels) + [0] * n_zero
        self.images = row_images(rows, self.labels)
        self.network = readout(np.eye(2), [1e-4, 0.0])


class Tail:
    """The end of a read-out for activations that are given."""

    def __init__(self, activation, weights, bias):
        self.activation, self._weights, self._bias = activation, weights, bias

    def __call__(self, activation):
        return activation @ self._weights + self._bias


def random_tails(n=60, units=12, classes=5, cuts=(60,), seed=0):
    """Tails of a random read-out, its labels, and the activation of all images."""
    draw = torch.Generator().manual_seed(seed)
    activation = torch.rand(n, units, generator=draw) * (torch.rand(n, units, generator=draw) < 0.6)
    weights, bias = torch.randn(units, classes, generator=draw), torch.randn(classes, generator=draw) / 10
    labels = torch.randint(classes, (n,), generator=draw)
    tails = [Tail(part, weights, bias) for part in activation.split(list(cuts))]
    return tails, labels, activation
