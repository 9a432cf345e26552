"""A small network for small images, with which the demo trains."""

import math
from collections import OrderedDict

from torch import nn

from invariscope.networks.build import BUILTIN_NETWORKS, Order, drawing
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe
from invariscope.networks.standardise import Standardise

WIDTHS, DENSE = (16, 24, 32), 128


@BUILTIN_NETWORKS.add("cnn")
def cnn(order: Order) -> Network:
    """Three convolutions (16, 24, 32) and a dense layer (128) for small images (channels, size, classes)."""
    channels = order.options.integer("channels", 1, 1, 4)
    height, width = order.options.size() or (16, 16)
    classes = order.options.integer("classes", 10, 1)
    parts: list[tuple[str, nn.Module]] = [("standardise", Standardise())]
    with drawing(order):
        for number, (before, after) in enumerate(zip((channels, *WIDTHS), WIDTHS, strict=False), 1):
            parts.append((f"conv{number}", nn.Conv2d(before, after, 3, padding=1, bias=False)))
            parts.append((f"bn{number}", nn.BatchNorm2d(after)))
            parts.append((f"relu{number}", nn.ReLU()))
            if number < len(WIDTHS):
                parts.append((f"pool{number}", nn.MaxPool2d(2, ceil_mode=True)))
        positions = math.ceil(height / 4) * math.ceil(width / 4)
        parts.append(("flatten", nn.Flatten()))
        parts.append(("fc1", nn.Linear(WIDTHS[-1] * positions, DENSE)))
        parts.append(("relu4", nn.ReLU()))
        parts.append(("fc2", nn.Linear(DENSE, classes)))
    return Network(nn.Sequential(OrderedDict(parts)), recipe=Recipe(size=(height, width), channels=channels))
