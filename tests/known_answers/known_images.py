"""Images in multiples of 1/64, and images with given means."""

import numpy as np
import torch

from invariscope.images.images import Images


def random_images(seed, count=10, channels=3, side=9, low=0, high=64):
    draw = torch.Generator().manual_seed(1000 + seed)
    return torch.randint(low, high + 1, (count, channels, side, side), generator=draw).float() / 64


def vary_down_alone(seed, count=10, side=9):
    """Every row of an image has one value per channel."""
    return random_images(seed, count, side=side)[..., :1].expand(count, 3, side, side).contiguous()


def labelled(pixels, classes=("zero", "one")):
    labels = [place % len(classes) for place in range(len(pixels))]
    return Images(pixels.numpy(), labels, classes)


def with_means(means, seed=0, side=8):
    """One-channel images with exactly these means, and something to see: one half up, the other half down by 1/32."""
    draw = torch.Generator().manual_seed(seed)
    change = torch.tensor([1.0, -1.0] * (side * side // 2)) / 32
    shuffled = [change[torch.randperm(side * side, generator=draw)] for _ in means]
    return torch.as_tensor(means, dtype=torch.float32)[:, None, None, None] + torch.stack(shuffled).reshape(
        -1, 1, side, side
    )


def two_halves(counts=(12, 12), seed=0):
    """Dark 8 × 8 images with a brighter left half (class 0) or right half (class 1), and their classes.

    Means lie within 1/32 of 1/4 and the halves differ by 1/8 to 1/4, so that the detectors of other kinds are silent.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    labels = np.repeat(np.arange(2), counts)
    means = 0.25 + draw.integers(-2, 3, len(labels)) / 64
    contrast = draw.integers(4, 9, len(labels)) / 32
    signed = np.where(labels == 0, contrast, -contrast)
    left, right = (np.repeat((means + side * signed / 2)[:, None], 4, axis=1) for side in (1, -1))
    rows = np.concatenate([left, right], axis=1)
    pixels = np.repeat(rows[:, None, None, :], 8, axis=2).astype(np.float32)
    return pixels, labels


def inverted_set(counts=(12, 12), seed=0):
    pixels, labels = two_halves(counts, seed)
    return Images(pixels, labels, ("zero", "one"))
