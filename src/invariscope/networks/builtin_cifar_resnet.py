"""Residual networks for CIFAR, with parameter-free shortcuts."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from invariscope.networks.build import BUILTIN_NETWORKS, IMAGENET_MEAN, IMAGENET_STD, Order, drawing
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Shortcut(nn.Module):
    """Every `stride`-th row and column, and zero channels in front and behind: option A, which has no weights.

    Source: He et al. 2015, section 3.3.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride, self.padding = stride, (after - before) // 2

    def forward(self, x: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image more rows columns"]:
        """Subsampled and padded."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padding, self.padding))


class Block(nn.Module):
    """Two convolutions of 3×3 and a shortcut around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = Shortcut(before, after, stride) if stride > 1 else nn.Identity()
        self.relu2 = nn.ReLU()

    def forward(self, x: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image more rows columns"]:
        """relu(f(x) + shortcut(x))."""
        inside = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        rectified: Tensor = self.relu2(inside + self.shortcut(x))
        return rectified


class CifarResNet(nn.Module):
    """Depth 6n + 2: a convolution, three groups of n blocks with 16, 32 and 64 channels, a linear read-out."""

    def __init__(self, blocks: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = _group(16, 16, blocks, 1)
        self.layer2 = _group(16, 32, blocks, 2)
        self.layer3 = _group(32, 64, blocks, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(64, classes)

    def forward(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image output"]:
        """Logits."""
        x = self.layer3(self.layer2(self.layer1(self.relu(self.bn1(self.conv1(images))))))
        logits: Tensor = self.linear(self.flatten(self.pool(x)))
        return logits


def _group(before: int, after: int, blocks: int, stride: int) -> nn.Sequential:
    return nn.Sequential(Block(before, after, stride), *(Block(after, after, 1) for _ in range(blocks - 1)))


def _build(order: Order, blocks: int) -> Network:
    classes = order.options.integer("classes", 10, 1)
    with drawing(order):
        module = CifarResNet(blocks, classes)
    recipe = Recipe(size=(32, 32), resize=32, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return Network(module, recipe=recipe, classes=CIFAR10 if classes == 10 else None)


@BUILTIN_NETWORKS.add("cifar-resnet20")
def cifar_resnet20(order: Order) -> Network:
    """The residual network of 20 layers for CIFAR-10, option A shortcuts (classes)."""
    return _build(order, 3)


@BUILTIN_NETWORKS.add("cifar-resnet32")
def cifar_resnet32(order: Order) -> Network:
    """The residual network of 32 layers for CIFAR-10, option A shortcuts (classes)."""
    return _build(order, 5)


@BUILTIN_NETWORKS.add("cifar-resnet44")
def cifar_resnet44(order: Order) -> Network:
    """The residual network of 44 layers for CIFAR-10, option A shortcuts (classes)."""
    return _build(order, 7)


@BUILTIN_NETWORKS.add("cifar-resnet56")
def cifar_resnet56(order: Order) -> Network:
    """The residual network of 56 layers for CIFAR-10, option A shortcuts (classes)."""
    return _build(order, 9)
