"""Channels last in memory: the same numbers, up to twice as fast."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from invariscope.networks.network import Network


@contextmanager
def channels_last(network: Network, images: Float[Tensor, "image channel height width"]) -> Iterator[None]:
    """Within the block, convolutions keep channels last in memory, where the network can run so.

    On a processor, convolution and pooling then take half of the time. A network that looks at its activations' memory
    (`view` after a convolution) cannot, and stays as it is.

    Args:
        network: whose weights are laid out anew; their values, and after the block their layout, stay.
        images: on which it is tried; on the network's device.

    Yields:
        Nothing.

    Example:
        >>> network = Network(nn.Conv2d(3, 4, 3))
        >>> with channels_last(network, torch.zeros(2, 3, 8, 8)):
        ...     network.module.weight.is_contiguous(memory_format=torch.channels_last)
        True
        >>> network.module.weight.is_contiguous()
        True
    """
    planar = [
        weight
        for module in network.module.modules()
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))
        for weight in [module.weight]
        if weight.is_contiguous()
    ]
    _lay_out(planar, torch.channels_last)
    try:
        with torch.no_grad():
            network(images)
    except RuntimeError:
        # Not this context's to report: if the network cannot run at all, measuring will say so.
        _lay_out(planar, torch.contiguous_format)
    try:
        yield
    finally:
        _lay_out(planar, torch.contiguous_format)


def _lay_out(weights: list[Tensor], memory_format: torch.memory_format) -> None:
    for weight in weights:
        weight.data = weight.data.contiguous(memory_format=memory_format)
