"""ResNet-18 for ImageNet, and for small images."""

from typing import Any

from torch import nn

from invariscope.networks.build import BUILTIN_NETWORKS, Order, drawing
from invariscope.networks.builtin_form import Form, asked_form, pooled
from invariscope.networks.network import Network

SMALL = 128
"""Images with a shorter side than this get the small form."""


@BUILTIN_NETWORKS.add("resnet18")
def resnet18(order: Order) -> Network:
    """ResNet-18; below 128 pixels a side, 3×3 filters and no pooling come first (size, channels, width, classes).

    It is torchvision's, and takes its weights where size, channels and width are those of ImageNet.

    Source: Jang et al., appendix B; He et al. 2016.
    """
    from torchvision.models.resnet import BasicBlock, ResNet

    form = asked_form(order)
    with drawing(order):
        module = ResNet(BasicBlock, [2, 2, 2, 2], num_classes=form.classes)
        if not form.original or form.below(SMALL):
            _reshape(module, form)
    module.avgpool = pooled()
    return Network(module, recipe=form.recipe)


def _reshape(module: Any, form: Form) -> None:
    """Other channels and another first layer; the rest, and how weights are drawn, as torchvision has it."""
    from torchvision.models.resnet import BasicBlock

    kernel, stride = (3, 1) if form.below(SMALL) else (7, 2)
    module.inplanes = form.wide(64)
    module.conv1 = nn.Conv2d(form.channels, module.inplanes, kernel, stride, kernel // 2, bias=False)
    module.bn1 = nn.BatchNorm2d(module.inplanes)
    if form.below(SMALL):
        module.maxpool = nn.Identity()
    for number, channels in enumerate((64, 128, 256, 512), 1):
        layer = module._make_layer(BasicBlock, form.wide(channels), 2, stride=1 if number == 1 else 2)
        setattr(module, f"layer{number}", layer)
    module.fc = nn.Linear(form.wide(512), form.classes)
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
