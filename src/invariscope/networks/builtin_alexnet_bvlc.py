"""AlexNet as Caffe has it: two groups of filters and response normalisation."""

from collections import OrderedDict

from torch import nn

from invariscope.networks.build import (
    BUILTIN_NETWORKS,
    IMAGENET_MEAN,
    IMAGENET_STD,
    Order,
    drawing,
    imagenet_classes,
)
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe


def _response_norm() -> nn.LocalResponseNorm:
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)


def _features() -> list[tuple[str, nn.Module]]:
    return [
        ("conv1", nn.Conv2d(3, 96, 11, 4)),
        ("relu1", nn.ReLU()),
        ("norm1", _response_norm()),
        ("pool1", nn.MaxPool2d(3, 2)),
        ("conv2", nn.Conv2d(96, 256, 5, padding=2, groups=2)),
        ("relu2", nn.ReLU()),
        ("norm2", _response_norm()),
        ("pool2", nn.MaxPool2d(3, 2)),
        ("conv3", nn.Conv2d(256, 384, 3, padding=1)),
        ("relu3", nn.ReLU()),
        ("conv4", nn.Conv2d(384, 384, 3, padding=1, groups=2)),
        ("relu4", nn.ReLU()),
        ("conv5", nn.Conv2d(384, 256, 3, padding=1, groups=2)),
        ("relu5", nn.ReLU()),
    ]


def _classifier(classes: int) -> list[tuple[str, nn.Module]]:
    return [
        ("pool5", nn.MaxPool2d(3, 2)),
        ("flatten", nn.Flatten()),
        ("fc6", nn.Linear(256 * 6 * 6, 4096)),
        ("relu6", nn.ReLU()),
        ("drop6", nn.Dropout()),
        ("fc7", nn.Linear(4096, 4096)),
        ("relu7", nn.ReLU()),
        ("drop7", nn.Dropout()),
        ("fc8", nn.Linear(4096, classes)),
    ]


@BUILTIN_NETWORKS.add("alexnet-bvlc")
def alexnet_bvlc(order: Order) -> Network:
    """Caffe's AlexNet, 227×227; it ends at relu5 when its weights end at conv5 (classes)."""
    classes = order.options.integer("classes", 1000, 1)
    headless = order.weights is not None and "fc6.weight" not in order.weights
    with drawing(order):
        module = nn.Sequential(OrderedDict(_features() + ([] if headless else _classifier(classes))))
    names, wnids = imagenet_classes() if classes == 1000 and not headless else (None, None)
    recipe = Recipe(size=(227, 227), resize=256, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return Network(module, recipe=recipe, classes=names, wnids=wnids)
