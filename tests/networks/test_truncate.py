import copy

import pytest
import torch
from torch import Tensor, nn

from invariscope.core.errors import NetworkError
from invariscope.networks.network import Network
from invariscope.networks.replay import replay_check
from invariscope.networks.sites import find_sites
from invariscope.networks.tail import record_tail
from invariscope.networks.truncate import truncate


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1), nn.ReLU())
        self.relu, self.attention = nn.ReLU(), nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = nn.Linear(4, 2)
        self.spare = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.stem(x) - 0.1)
        x = self.relu(x - 0.2).flatten(2).mT
        return self.head(self.attention(x, x, x)[0].mean(1))


IMAGES = torch.rand(2, 3, 6, 6)


def test_the_network_ends_there() -> None:
    whole = Net().eval()
    network = truncate(Network(copy.deepcopy(whole)), "stem.1", IMAGES)
    assert torch.equal(network(IMAGES), whole.stem[:2](IMAGES))
    assert list(network.module.state_dict()) == ["stem.0.weight", "stem.0.bias"]
    assert [site.name for site in find_sites(network, IMAGES)] == ["stem.0", "stem.1", "output"]


def test_at_a_later_call() -> None:
    whole = Net().eval()
    network = truncate(Network(copy.deepcopy(whole)), "relu#2", IMAGES)
    expected = ((whole.stem(IMAGES) - 0.1).relu() - 0.2).relu()
    assert torch.equal(network(IMAGES), expected)
    assert torch.equal(network(IMAGES), expected)


def test_a_last_module_keeps_weights_that_it_reads_itself() -> None:
    whole = Net().eval()
    network = truncate(Network(copy.deepcopy(whole)), "attention", IMAGES)
    x = (whole.relu(whole.stem(IMAGES) - 0.1) - 0.2).relu().flatten(2).mT
    with torch.no_grad():
        torch.testing.assert_close(network(IMAGES), whole.attention(x, x, x)[0])
    assert "attention.out_proj.weight" in network.module.state_dict()
    assert "head.weight" not in network.module.state_dict()


def test_it_can_be_tapped_copied_and_replayed() -> None:
    network = truncate(Network(Net().eval()), "relu", IMAGES)
    assert max(row.absolute for row in replay_check(network, IMAGES)) == 0
    assert torch.equal(copy.deepcopy(network)(IMAGES), network(IMAGES))
    with record_tail(network, "stem.1") as recording:
        network(IMAGES)
    tail = recording.tails[0]
    assert torch.equal(tail(tail.activation), network(IMAGES))


def test_gradients_pass() -> None:
    network = truncate(Network(Net().eval()), "stem.0", IMAGES)
    images = IMAGES.clone().requires_grad_()
    network(images).sum().backward()
    assert images.grad is not None
    assert images.grad.any()


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("stem.9", "no layer of Net is called 'stem.9'. Did you mean 'stem"),
        ("spare", "Net never runs 'spare', so that it cannot end there."),
        ("relu#3", "Net never runs 'relu#3'"),
        ("relu#b", "such as features.17 or relu#2; got 'relu#b'"),
        ("", "no layer of Net is called ''"),
    ],
)
def test_messages(until: str, message: str) -> None:
    with pytest.raises(NetworkError) as error:
        truncate(Network(Net()), until, IMAGES)
    assert message in str(error.value)
