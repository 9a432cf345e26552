"""A network whose accuracy, agreement and thresholds under brightness follow from how it is built."""

import numpy as np
import torch
from torch import nn

from invariscope.images.images import Images


class Readout(nn.Module):
    """Calls an image bright (class 0) while its mean is above a half, else dark; the logits are 8 times the difference.

    Under brightness b a dark image of mean m flips exactly where m + b passes a half.
    """

    def __init__(self, outputs=2):
        super().__init__()
        self.outputs = outputs

    def forward(self, images):
        far = 8 * (images.mean((1, 2, 3)) - 0.5)
        rest = [torch.full_like(far, -99.0)] * (self.outputs - 2)
        return torch.stack([far, -far, *rest], 1)


class Features(nn.Module):
    """No class scores: the image's channel means as one position."""

    def forward(self, images):
        return images.mean((2, 3), keepdim=True)


def grey(means, labels, classes=("bright", "dark")):
    """Images of one grey value each."""
    pixels = np.repeat(np.asarray(means, np.float32), 16).reshape(-1, 1, 4, 4)
    return Images(pixels, labels, classes)


def dark(near=40, far=60):
    """Dark images, of which `near` flip at a brightness of 0.1 and `far` at 0.4; and bright ones that never flip."""
    means = [0.4] * near + [0.1] * far
    return grey(means, [1] * len(means))


def ladder(n=50, first=0.1, last=0.3):
    """Dark images that flip one after the other, evenly from `first` to `last`."""
    flips = np.linspace(first, last, n)
    return grey(0.5 - flips, [1] * n)


def require(*requirements, **more):
    return {"require": list(requirements), **more}


def bright(magnitude, at_least, **more):
    return {"transformation": "brightness", "magnitude": magnitude, "at_least": at_least, **more}
