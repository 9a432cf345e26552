"""Answers of networks whose numbers are known, and how a row is found among many."""

import numpy as np
import torch

from invariscope.studies.tolerance_sweeps import Swept
from invariscope.tolerance.outputs import Sweep
from invariscope.transformations.base import TRANSFORMATIONS


def swept(softmax: np.ndarray, labels, name="gaussian-noise", magnitudes=None, identity=0.0, change=None, classes=None):
    """A network whose softmax is given; shape (magnitude, image, output)."""
    magnitudes = tuple(float(m) for m in (range(len(softmax)) if magnitudes is None else magnitudes))
    logits = torch.from_numpy(np.log(np.maximum(softmax, 1e-12))).float()
    unit = TRANSFORMATIONS[name].unit_of_measure
    sweep = Sweep(name, magnitudes, identity, unit, logits, torch.tensor(labels), classes)
    return Swept(sweep, np.abs(np.array(magnitudes) - identity) / 10 if change is None else np.array(change), 200)


def two_way(true: np.ndarray, labels) -> np.ndarray:
    """The softmax of two classes in which the true one has a given share; shape of `true` is (magnitude, image)."""
    out = np.empty((*true.shape, 2))
    for image, label in enumerate(labels):
        out[:, image, label], out[:, image, 1 - label] = true[:, image], 1 - true[:, image]
    return out


def value(rows, quantity, **where):
    (found,) = [
        row
        for row in rows
        if row["quantity"] == quantity and all(row.get(name) == each for name, each in where.items())
    ]
    return found
