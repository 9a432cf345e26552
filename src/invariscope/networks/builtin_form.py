"""What the networks of Jang et al. can be asked for: size, channels, width, classes."""

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from invariscope.core.errors import NetworkError
from invariscope.networks.build import Order
from invariscope.networks.recipe import Recipe

_LEAST, _STEP = 8, 8


@dataclass(frozen=True)
class Form:
    """The size and the width of a network.

    Args:
        size: height and width of its images, pixels.
        channels: of its images, 1 to 4.
        width: share of the original's channels and units; in eighths.
        classes: outputs.

    Example:
        >>> Form((32, 32), channels=1, width=0.25, classes=60).wide(96)
        24
    """

    size: tuple[int, int]
    channels: int
    width: float
    classes: int

    @property
    def original(self) -> bool:
        """Whether channels and width are those of the original, so that its weights fit where its form does."""
        return self.channels == 3 and self.width == 1

    @property
    def recipe(self) -> Recipe:
        """The input recipe: the whole image at that size, standardised."""
        return Recipe(size=self.size, channels=self.channels, standardise=True)

    def below(self, pixels: int) -> bool:
        """Whether the shorter side of its images is shorter than that."""
        return min(self.size) < pixels

    def wide(self, channels: int) -> int:
        """How many channels or units take the place of so many of the original."""
        return round(channels * self.width)


def asked_form(order: Order, side: int = 224) -> Form:
    """What the options of a specifier ask for: size, channels (3), width (1), classes (1000).

    Args:
        order: whose options they are.
        side: of the images, pixels, unless they say another.

    Returns:
        The form.

    Raises:
        NetworkError: an option has a value that no network could be built with.
    """
    options = order.options
    size = options.size() or (side, side)
    if min(size) < _LEAST:
        raise NetworkError(
            f"builtin:{order.name} takes images of {_LEAST} pixels a side or more; got {size[0]}x{size[1]}."
        )
    given = options.numbers("width") or (1.0,)
    width = given[0]
    if len(given) > 1 or not 1 / _STEP <= width <= 16 or width * _STEP != round(width * _STEP):
        raise NetworkError(
            f"width is the share of the channels of builtin:{order.name}, in eighths from 0.125 to 16; "
            f"got width={options.text('width')}."
        )
    return Form(size, options.integer("channels", 3, 1, 4), width, options.integer("classes", 1000, 1))


def pooled() -> nn.Sequential:
    """The mean over positions, rectified: the layer in front of the read-out, as a site of its own.

    The mean of rectified numbers is never below 0, so that rectifying it changes nothing.

    Example:
        >>> import torch
        >>> pooled()(torch.ones(1, 2, 3, 3))
        tensor([[1., 1.]])
    """
    return nn.Sequential(OrderedDict(mean=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), relu=nn.ReLU()))
