"""Inception (GoogLeNet) for ImageNet, and for small images."""

from functools import partial
from typing import Any

from torch import nn

from invariscope.networks.build import BUILTIN_NETWORKS, Order, drawing
from invariscope.networks.builtin_form import asked_form, pooled
from invariscope.networks.network import Network

SMALL = 128
"""Images with a shorter side than this get the small form."""


@BUILTIN_NETWORKS.add("inception")
def inception(order: Order) -> Network:
    """Inception; below 128 pixels a side, 3×3 filters come first (size, channels, width, classes, dropout).

    It is torchvision's GoogLeNet without auxiliary heads (batch normalisation, and 3×3 filters where the original has
    5×5), and takes its weights where size, channels and width are those of ImageNet. The small form has neither the
    first stride nor the first pooling.

    Source: Jang et al., section 3.2 and appendix D; Szegedy et al. 2015.
    """
    from torchvision.models.googlenet import BasicConv2d, GoogLeNet, Inception, InceptionAux

    form = asked_form(order)
    dropout = 0.0 if order.options.flag("dropout") is False else 0.2
    small = form.below(SMALL)

    def convolution(inputs: int, outputs: int, **shape: Any) -> nn.Module:
        if inputs == 3 and small:
            shape = {"kernel_size": 3, "padding": 1}
        before = form.channels if inputs == 3 else form.wide(inputs)
        made: nn.Module = BasicConv2d(before, form.wide(outputs), **shape)
        return made

    blocks = [convolution, partial(Inception, conv_block=convolution), InceptionAux]
    with drawing(order):
        module = GoogLeNet(form.classes, aux_logits=False, init_weights=True, blocks=blocks, dropout=dropout)
        if small or not form.original:
            module.fc = nn.Linear(form.wide(1024), form.classes)
            for part in module.modules():
                # With few inputs, weights of 0.01 give less variance than batch normalisation adds to it.
                if isinstance(part, nn.Conv2d):
                    nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    if small:
        module.maxpool1 = nn.Identity()
    module.avgpool = pooled()
    return Network(module, recipe=form.recipe)
