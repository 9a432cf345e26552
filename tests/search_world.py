"""A network that is quickly trained, read-outs whose thresholds are known, and the dense sweep to compare with."""

import numpy as np
import torch
from torch import nn

from invariscope.core.seeds import image_seeds
from invariscope.images.load import load_images
from invariscope.networks.network import as_network
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.search_steps import outward_sides


def digits(limit=60):
    return load_images("builtin:digits?split=test").limit(limit, 0)


def ridge(images, gain=6.0):
    """A linear classifier of all pixels in closed form, with logits steep enough for a telling softmax."""
    prepared = images.fit(as_network(nn.Flatten()).recipe)
    pixels = prepared.batch(range(len(prepared))).flatten(1).double()
    targets = torch.eye(len(images.classes), dtype=torch.float64)[torch.as_tensor(prepared.labels)] - 0.1
    centred = pixels - 0.5
    weights = torch.linalg.solve(centred.T @ centred + 10 * torch.eye(pixels.shape[1]), centred.T @ targets)
    layer = nn.Linear(pixels.shape[1], len(images.classes))
    layer.weight.data = (gain * weights.T).float()
    layer.bias.data = (-gain * weights.sum(0) / 2).float()
    return nn.Sequential(nn.Flatten(), layer)


def readout(cuts, gain=20.0):
    """Classes along the mean brightness, one between each two cuts: every quality falls once on each side."""
    cuts = torch.as_tensor(cuts)
    places = torch.arange(len(cuts) + 1.0)
    # Neighbouring straight lines cross at the cuts.
    offsets = torch.cat([torch.zeros(1), -cuts.cumsum(0)])
    layer = nn.Linear(1, len(places))
    layer.weight.data, layer.bias.data = gain * places[:, None], gain * offsets
    return nn.Sequential(MeanBrightness(), layer)


class MeanBrightness(nn.Module):
    def forward(self, images):
        return images.mean(dim=(1, 2, 3))[:, None]


class CentreOfMass(nn.Module):
    """Left (class 0) or right (class 1) of the middle, by the centre of mass along the rows."""

    def forward(self, images):
        place = torch.arange(images.shape[3]) - (images.shape[3] - 1) / 2
        moment = (images.mean(1) * place).sum((1, 2))
        return torch.stack([-moment, moment], dim=1)


class Lying(nn.Module):
    """Whether the image is wider than it is high (class 1): the same upside down."""

    def forward(self, images):
        place = torch.arange(images.shape[3]) - (images.shape[3] - 1) / 2
        mean = images.mean(1)
        wide, high = (mean * place**2).sum((1, 2)), (mean * place[:, None] ** 2).sum((1, 2))
        return torch.stack([high - wide, wide - high], dim=1)


def dense(network, images, name, resolution, within=None, seed=0):
    """What a sweep over every step answers."""
    network = as_network(network)
    prepared = images.fit(network.recipe)
    ways = outward_sides([name], (prepared.height, prepared.width), {name: resolution}, within and {name: within})
    magnitudes = sorted({float(value) for way in ways for value in way.magnitudes})
    family = ways[0].family.with_fill(network.recipe.fill)
    every = torch.arange(len(prepared))
    seeds = image_seeds(every, seed, family.name) if family.random else None
    with torch.no_grad():
        pixels = prepared.batch(every)
        outputs = torch.stack([network(family(pixels, value, seeds=seeds)) for value in magnitudes])
    labels = None if prepared.labels is None else torch.as_tensor(prepared.labels)
    return Sweep(
        family.name, tuple(magnitudes), family.identity, family.unit_of_measure, outputs, labels, prepared.classes
    )


def first_flips(sweep, side):
    """The step at which each image's prediction first differs from the clean one; the number of steps for never."""
    changed = 1 - sweep.agreement[sweep.side(side)]
    return np.where(changed.any(0), changed.argmax(0), len(changed))
