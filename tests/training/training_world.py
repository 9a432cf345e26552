"""A tiny world in which networks learn in a second: bright bars on dark ground, one orientation and place per class."""

import numpy as np
import torch
from torch import nn

from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe

N_CLASSES = 6


def bars(n_per_class: int, seed: int) -> Images:
    random = np.random.Generator(np.random.PCG64(seed))
    labels = np.repeat(np.arange(N_CLASSES), n_per_class)
    images = random.integers(0, 60, (len(labels), 8, 8, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        place = 1 + label % 3 * 2
        view = image if label < 3 else image.transpose(1, 0, 2)
        view[place] = random.integers(180, 255)
    return Images(images, labels, [f"class {label}" for label in range(N_CLASSES)])


def tiny(seed: int = 0) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 16),
            nn.ReLU(),
            nn.Linear(16, N_CLASSES),
        )
    return Network(module, spec="tiny", recipe=Recipe(mean=(0.5,), std=(0.5,), channels=1))
