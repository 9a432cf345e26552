"""ResNet-50 with normalisation and rectification before each convolution, as Gluon has it."""

from jaxtyping import Float
from torch import Tensor, nn

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

STAGES = ((3, 256, 1), (4, 512, 2), (6, 1024, 2), (3, 2048, 2))


class Block(nn.Module):
    """A bottleneck whose three convolutions each follow their normalisation and ReLU.

    Source: He et al. 2016 (identity mappings), figure 1b.
    """

    def __init__(self, before: int, after: int, stride: int, first: bool) -> None:
        super().__init__()
        inner = after // 4
        self.bn1 = nn.BatchNorm2d(before)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(before, inner, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(inner)
        self.relu3 = nn.ReLU()
        self.conv3 = nn.Conv2d(inner, after, 1, bias=False)
        self.downsample = nn.Conv2d(before, after, 1, stride, bias=False) if first else None

    def forward(self, x: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image more rows columns"]:
        """f(x) + x, or f(x) + downsample(relu(bn1(x))) where a stage begins."""
        rectified = self.relu1(self.bn1(x))
        shortcut = x if self.downsample is None else self.downsample(rectified)
        inside = self.conv2(self.relu2(self.bn2(self.conv1(rectified))))
        outside: Tensor = self.conv3(self.relu3(self.bn3(inside))) + shortcut
        return outside


class ResNetV2(nn.Module):
    """Stem, stages of blocks, a last normalisation and ReLU, and a read-out where there are classes."""

    def __init__(self, stages: int, classes: int | None) -> None:
        super().__init__()
        self.bn_data = nn.BatchNorm2d(3)
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = 64
        for number, (blocks, after, stride) in enumerate(STAGES[:stages], 1):
            first = Block(before, after, stride, first=True)
            setattr(
                self,
                f"layer{number}",
                nn.Sequential(first, *(Block(after, after, 1, False) for _ in range(blocks - 1))),
            )
            before = after
        self.bn_out = nn.BatchNorm2d(before)
        self.relu_out = nn.ReLU()
        self.head = nn.Sequential() if classes is None else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        if classes is not None:
            self.fc = nn.Linear(before, classes)
        self.stages = stages

    def forward(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image ..."]:
        """Logits, or the last rectified map where there is no read-out."""
        x: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(self.bn_data(images)))))
        for number in range(1, self.stages + 1):
            x = getattr(self, f"layer{number}")(x)
        x = self.head(self.relu_out(self.bn_out(x)))
        return self.fc(x) if hasattr(self, "fc") else x


@BUILTIN_NETWORKS.add("resnet50v2")
def resnet50v2(order: Order) -> Network:
    """The pre-activation ResNet-50; it ends at relu_out when its weights end before the read-out (classes)."""
    classes = order.options.integer("classes", 1000, 1)
    weights = order.weights
    headless = weights is not None and "fc.weight" not in weights
    stages = sum(f"layer{number}.0.conv1.weight" in weights for number in range(1, 5)) if weights and headless else 4
    with drawing(order):
        module = ResNetV2(max(stages, 1), None if headless else classes)
    names, wnids = imagenet_classes() if classes == 1000 and not headless else (None, None)
    recipe = Recipe(size=(224, 224), resize=256, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return Network(module, recipe=recipe, classes=names, wnids=wnids)
