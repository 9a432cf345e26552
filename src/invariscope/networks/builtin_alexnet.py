"""AlexNet as Jang et al. changed it: no pooling after the first two convolutional layers."""

from collections import OrderedDict

import torch
from torch import nn

from invariscope.networks.build import BUILTIN_NETWORKS, Order, drawing
from invariscope.networks.builtin_form import Form, asked_form
from invariscope.networks.network import Network

SMALL = 96
"""Images with a shorter side than this get the small form."""


@BUILTIN_NETWORKS.add("alexnet")
def alexnet(order: Order) -> Network:
    """AlexNet without its first two poolings, as Jang et al. have it (size, channels, width, classes, dense, dropout).

    Five convolutional and two dense layers, rectified; response normalisation after the first two; pooling after the
    fifth. Images of fewer than 96 pixels a side meet 5×5 filters two pixels apart in place of 11×11 filters four apart,
    and weights are drawn as wide as their number of inputs asks for, not with 0.01.

    Source: Jang et al., appendix B; Krizhevsky et al. 2012, sections 3 and 5.
    """
    form = asked_form(order, 100)
    dense = order.options.integer("dense", 2, 1, 2)
    dropout = order.options.flag("dropout") is not False
    # Hundreds of millions of weights are not drawn twice.
    with torch.device("meta"):
        features = _features(form)
        outputs = features(torch.empty(1, form.channels, *form.size)).numel()
        module = nn.Sequential(OrderedDict([*features.named_children(), *_dense(form, outputs, dense, dropout)]))
    with drawing(order):
        _initialise(module.to_empty(device="cpu"), ("conv2", "conv4", "conv5", "fc6", "fc7")[: 3 + dense], form)
    return Network(module, recipe=form.recipe)


def _features(form: Form) -> nn.Sequential:
    one, two, three, four, five = (form.wide(channels) for channels in (96, 256, 384, 384, 256))
    first = nn.Conv2d(form.channels, one, 5, 2, 2) if form.below(SMALL) else nn.Conv2d(form.channels, one, 11, 4, 2)
    return nn.Sequential(
        OrderedDict(
            conv1=first,
            relu1=nn.ReLU(),
            norm1=_response_norm(),
            conv2=nn.Conv2d(one, two, 5, padding=2, groups=2),
            relu2=nn.ReLU(),
            norm2=_response_norm(),
            conv3=nn.Conv2d(two, three, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(three, four, 3, padding=1, groups=2),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(four, five, 3, padding=1, groups=2),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
        )
    )


def _dense(form: Form, inputs: int, layers: int, dropout: bool) -> list[tuple[str, nn.Module]]:
    parts: list[tuple[str, nn.Module]] = []
    units = form.wide(4096)
    for number in range(6, 6 + layers):
        parts += [(f"fc{number}", nn.Linear(inputs, units)), (f"relu{number}", nn.ReLU())]
        parts += [(f"drop{number}", nn.Dropout())] if dropout else []
        inputs = units
    return [*parts, (f"fc{6 + layers}", nn.Linear(inputs, form.classes))]


def _response_norm() -> nn.LocalResponseNorm:
    # PyTorch divides alpha by the five channels; the original, with 1e-4, does not.
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


def _initialise(module: nn.Sequential, raised: tuple[str, ...], form: Form) -> None:
    original = form.width == 1 and not form.below(SMALL)
    for name, part in module.named_children():
        if isinstance(part, nn.Conv2d | nn.Linear):
            if original:
                nn.init.normal_(part.weight, std=0.01)
            else:
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            assert part.bias is not None
            nn.init.constant_(part.bias, (1.0 if original else 0.1) if name in raised else 0.0)
