"""Networks whose invariance follows from how they are built.

No function has an argument that must be given, so that `known_networks.py:NAME?seed=3` is a network of the command
line; the seed draws the instance.

Weights are small whole numbers and images multiples of 1/64, so that sums in float32 are exact, whatever their order.
"""

import torch
from torch import nn
from torch.nn.utils import skip_init


def whole(shape, low, high, generator=None):
    return torch.randint(low, high + 1, shape, generator=generator).float()


def convolution(weights, **settings):
    outputs, inputs, height, width = weights.shape
    layer = skip_init(nn.Conv2d, inputs, outputs, (height, width), bias=False, **settings)
    layer.weight = nn.Parameter(weights)
    return layer


def linear(weights, bias=None):
    weights = torch.as_tensor(weights, dtype=torch.float32)
    layer = skip_init(nn.Linear, weights.shape[1], weights.shape[0])
    layer.weight = nn.Parameter(weights)
    layer.bias = nn.Parameter(torch.as_tensor(bias or [0.0] * len(weights), dtype=torch.float32))
    return layer


def pooled(layer, generator, pool):
    """The layer's channels pooled over the image, a hidden layer of as many, and two outputs."""
    units = layer.out_channels
    hidden, output = (linear(whole((count, units), 1, 3, generator)) for count in (units, 2))
    return nn.Sequential(layer, nn.ReLU(), pool, nn.Flatten(), hidden, nn.ReLU(), output)


def oriented_filters(generator=None, units=6, channels=3):
    """Filters whose columns sum to 0, so that they do not answer to what varies along rows alone."""
    profile = whole((units, channels, 3, 1), 1, 3, generator)
    profile[:, :, 1] = -profile[:, :, 0] - profile[:, :, 2]
    return profile * whole((units, channels, 1, 3), 1, 3, generator)


def oriented(generator=None):
    return pooled(convolution(oriented_filters(generator), padding=1), generator, nn.AdaptiveMaxPool2d(1))


def rotation_symmetric(generator=None, pool=nn.AdaptiveMaxPool2d):
    """Every filter is the sum over its four quarter turns."""
    filters = oriented_filters(generator)
    orbit = sum(filters.rot90(turn, (2, 3)) for turn in range(4))
    return pooled(convolution(orbit, padding=1), generator, pool(1))


def balanced_filters(generator=None):
    """Filters that sum to 0: some place of an image that is not constant drives them."""
    filters = whole((6, 3, 3, 3), -3, 3, generator)
    filters[:, 0, 0, 0] -= filters.sum((1, 2, 3))
    return filters


def zero_mean(generator=None):
    """Filters that sum to 0 and never see the border."""
    return pooled(convolution(balanced_filters(generator)), generator, nn.AdaptiveAvgPool2d(1))


def circular(generator=None, pool=nn.AdaptiveAvgPool2d):
    return pooled(convolution(balanced_filters(generator), padding=1, padding_mode="circular"), generator, pool(1))


def padded(generator=None):
    """Filters that look further than the border, where they see nothing."""
    return pooled(convolution(whole((6, 3, 3, 3), -3, 3, generator), padding=1), generator, nn.AdaptiveAvgPool2d(1))


def brightness_readout():
    """Two outputs, the mean of the image and 1 less it: the prediction flips where the mean passes a half."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear([[1.0], [-1.0]], [0.0, 1.0]))


def never_third():
    """As the read-out, with a third output that is never the largest."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear([[1.0], [-1.0], [0.0]], [0.0, 1.0, -9.0]))


def window():
    """Predicts the second class only while the mean lies within 1/16 of 5/8."""
    distance = nn.Sequential(linear([[1.0], [-1.0]], [-0.625, 0.625]), nn.ReLU(), linear([[1.0, 1.0], [0.0, 0.0]]))
    distance[2].bias = nn.Parameter(torch.tensor([0.0, 1 / 16]))
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), distance)


def linear_unit():
    """Three rectified units: the mean of the image, one that is dead, and one that is constant."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        linear([[1.0], [0.0], [0.0]], [0.0, -1.0, 0.25]),
        nn.ReLU(),
        linear([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], [0.0, 0.5]),
    )


def whole_image(generator=None, side=5, units=6):
    """A convolution as large as the image: every channel has one position."""
    layer = convolution(whole((units, 3, side, side), -2, 2, generator))
    hidden = linear(whole((4, units), -2, 2, generator))
    return nn.Sequential(layer, nn.ReLU(), nn.Flatten(), hidden, nn.ReLU(), linear(whole((2, 4), -2, 2, generator)))


# What follows sees 8 × 8 images of `known_images.two_halves`: dark ones, of which the left half is brighter (class 0)
# or the right half (class 1). Inversion makes them bright and swaps the halves.


def detectors():
    """Four rectified units: one per class that answers to clean images alone, one per class for inverted ones.

    l − r + (1/2 − m) − 1/4 is positive for clean images of class 0 only, and so on with other signs.
    """
    contrast, mean = torch.tensor([1.0] * 4 + [-1.0] * 4).repeat(8) / 32, torch.ones(64) / 64
    signs = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    weights = torch.stack([side * contrast - dark * mean for side, dark in signs])
    return nn.Sequential(nn.Flatten(), linear(weights, [dark / 2 - 0.25 for _, dark in signs]), nn.ReLU())


def judged(mixture, readout):
    """Detectors, a rectified mixture of them, and a read-out of the mixture."""
    return nn.Sequential(*detectors(), linear(mixture), nn.ReLU(), linear(readout))


def of(clean_0=0.0, clean_1=0.0, inverted_0=0.0, inverted_1=0.0):
    return [clean_0, clean_1, inverted_0, inverted_1]


PAIRS = [of(clean_0=1.0), of(clean_1=1.0), of(inverted_0=1.0), of(inverted_1=1.0)]
INVARIANT = [of(clean_0=1.0, inverted_0=1.0), of(clean_1=1.0, inverted_1=1.0)]
# (1 − 3/8) / (1 + 3/8) = 5/11 is neither above a half nor below a third.
WEAKER = [of(clean_0=1.0, inverted_0=0.375), of(clean_1=1.0, inverted_1=0.375)]


def specialized_pairs():
    """Clean and inverted images of a class drive different units."""
    return judged(PAIRS, [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]])


def invariant_units():
    return judged(INVARIANT, [[1.0, 0.0], [0.0, 1.0]])


def weaker_units():
    """The class is told by units that answer to inverted images at three eighths of their clean response."""
    return judged(WEAKER, [[1.0, 0.0], [0.0, 1.0]])


def clean_only():
    return judged(PAIRS[:2], [[1.0, 0.0], [0.0, 1.0]])


def few_invariant_units():
    """Eight invariant units decide (any of a class is enough), eighteen that are neither kind do not matter."""
    return judged(INVARIANT * 4 + WEAKER * 9, [[1.0, 0.0] * 4 + [0.0] * 18, [0.0, 1.0] * 4 + [0.0] * 18])


def few_specialized_pairs():
    """Sixteen specialized units decide, forty that are neither kind do not matter."""
    return judged(PAIRS * 4 + WEAKER * 20, [[1.0, 0.0] * 8 + [0.0] * 40, [0.0, 1.0] * 8 + [0.0] * 40])


def invariant_for_class_0():
    """One unit answers to class 0 whether inverted or not, and to class 1 only when clean."""
    return judged([of(1.0, 1.0, 1.0), of(1.0, 1.0, 1.0, 1.0)], [[1.0, 0.0], [0.0, 1.0]])
