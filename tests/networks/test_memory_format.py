"""Channels last changes the speed, not the numbers, and leaves the network as it was."""

import torch
from torch import Tensor, nn

from invariscope.networks.memory_format import channels_last
from invariscope.networks.network import Network
from invariscope.networks.units import reduce_units


def _network() -> Network:
    return Network(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3)))


class _Viewer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images).view(len(images), -1)


def test_activations_are_channels_last_within_and_numbers_stay() -> None:
    network, images = _network(), torch.rand(2, 3, 9, 12)
    with torch.no_grad():
        before = network(images)
        with channels_last(network, images):
            within = network(images)
        after = network(images)
    assert within.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(within, before)
    assert torch.equal(after, before)


def test_the_weights_lie_as_they_lay_also_after_an_error() -> None:
    network, images = _network(), torch.rand(2, 3, 9, 12)
    already = nn.Conv2d(8, 4, 3).to(memory_format=torch.channels_last)
    network.module[3] = already
    try:
        with channels_last(network, images):
            raise KeyError("an error of the measurement")
    except KeyError:
        pass
    assert network.module[0].weight.is_contiguous()
    assert already.weight.is_contiguous(memory_format=torch.channels_last)


def test_a_network_that_views_its_activations_stays_planar() -> None:
    network, images = Network(_Viewer()), torch.rand(2, 3, 9, 12)
    with channels_last(network, images):
        assert network.module.conv.weight.is_contiguous()
        assert network(images).shape == (2, 4 * 7 * 10)


def test_the_largest_of_few_channels_is_the_same_however_they_lie() -> None:
    for channels in (3, 32, 33):
        planar = torch.randn(4, channels, 7, 5)
        last = planar.contiguous(memory_format=torch.channels_last)
        assert torch.equal(reduce_units(last, "channels-first"), planar.amax((2, 3)))
