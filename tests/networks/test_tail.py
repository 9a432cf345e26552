import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from invariscope.core.errors import LayerError
from invariscope.networks.network import as_network
from invariscope.networks.sites import find_sites, last_hidden_site
from invariscope.networks.tail import Tail, record_tail
from invariscope.networks.watch import watch


def tail_of(network: object, site: str, images: Tensor) -> Tail:
    network = as_network(network)
    with record_tail(network, site) as recording:
        network(images)
    (tail,) = recording.tails
    return tail


def put_in_place(network: object, site: str, activation: Tensor, images: Tensor) -> Tensor:
    """The reference: the whole network, with the activation in place of the site's."""
    network = as_network(network)
    with torch.no_grad(), watch(network.module, lambda event: activation.clone(), {site}):
        return network(images)


class Awkward(nn.Module):
    """Overwrites what it hands on, uses it again later, goes through views and writes into a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.after, self.drop, self.fc = nn.Conv2d(4, 4, 1), nn.Dropout(), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        early = x.mean((2, 3))
        skip = self.conv(x)
        y = self.relu(self.bn(skip))
        first, second = self.after(y).chunk(2, 1)
        first.relu_()
        y = self.drop(y)
        y += skip
        pooled = torch.zeros(len(x), 8)
        pooled[:, :4] = y.amax((2, 3))
        pooled[:, 4:6] = (first * second).mean((2, 3))
        pooled[:, 6:].copy_(early[:, :2])
        early.mul_(0)
        return self.fc(pooled)


def names(network: object, size: int) -> list[str]:
    return [site.name for site in find_sites(network, torch.rand(1, 3, size, size))]


@pytest.mark.parametrize("site", ["conv", "bn", "relu", "after", "relu()#1", "drop", "add()#1", "fc", "output"])
def test_awkward_networks_are_replayed_exactly(site: str) -> None:
    network, images = Awkward().eval(), torch.rand(2, 3, 5, 5)
    assert site in names(network, 5)
    with torch.no_grad():
        plain = as_network(network)(images)
    tail = tail_of(network, site, images)
    assert torch.equal(tail.logits, plain)
    assert torch.equal(tail(tail.activation), plain)
    changed = torch.rand_like(tail.activation)
    before = changed.clone()
    if site != "relu()#1":  # there the function is called for its effect alone, and the reference is of no use
        assert torch.equal(tail(changed), put_in_place(network, site, changed, images))
    assert not torch.equal(tail(changed), plain)
    assert torch.equal(changed, before)
    assert torch.equal(tail(tail.activation), plain)


def test_a_function_called_for_its_effect() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x - 0.5
            y.relu_()
            return y.flatten(1)

    tail = tail_of(Net(), "relu()#1", torch.rand(2, 3, 2, 2))
    assert torch.equal(tail(torch.ones(2, 3, 2, 2)), torch.ones(2, 12))


def test_a_module_that_hands_its_input_through() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout()

        def forward(self, x: Tensor) -> Tensor:
            y = x * 2
            return (y + self.drop(y)).flatten(1)

    images = torch.rand(2, 3, 2, 2)
    tail = tail_of(Net().eval(), "drop", images)
    # Only what left through the module is replaced; the way around it is not.
    assert torch.equal(tail(torch.zeros(2, 3, 2, 2)), (images * 2).flatten(1))


def test_one_part_of_a_larger_tensor() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            query, key = (x * 2).flatten(1).chunk(2, 1)
            return self.query(query) + 10 * key

    images = torch.rand(2, 2, 2, 2)
    tail = tail_of(Net(), "query", images)
    assert torch.equal(tail(torch.zeros(2, 4)), 10 * (images * 2).flatten(1)[:, 4:])


def test_by_hand() -> None:
    network = nn.Sequential(nn.Flatten(), nn.ReLU(inplace=True), nn.Linear(3, 1, bias=False))
    nn.init.constant_(network[2].weight, 1.0)
    tail = tail_of(network, "1", torch.tensor([-1.0, 2.0, 4.0]).reshape(1, 1, 1, 3))
    assert tail.activation.tolist() == [[0.0, 2.0, 4.0]]
    assert tail.logits.tolist() == [[6.0]]
    assert tail(torch.tensor([[5.0, 0.0, 4.0]])).tolist() == [[9.0]]


NETWORKS = {
    "resnet18": (lambda: torchvision.models.resnet18(), 32, 16),
    "squeezenet1_1": (lambda: torchvision.models.squeezenet1_1(), 48, 12),
    "a small densenet": (lambda: torchvision.models.DenseNet(8, (2, 2, 2), 16), 32, 15),
    "vit": (lambda: timm.create_model("vit_tiny_patch16_224", img_size=32, depth=2), 32, 5),
    "a small swin": (lambda: torchvision.models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4]), 32, 10),
    "convnext_atto": (lambda: timm.create_model("convnext_atto"), 32, 60),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_real_networks_are_replayed_exactly(name: str) -> None:
    build, size, every = NETWORKS[name]
    network, images = as_network(build().eval()), torch.rand(2, 3, size, size)
    sites = find_sites(network, images)
    for site in [*sites[::every], last_hidden_site(sites)]:
        tail = tail_of(network, site.name, images)
        assert torch.equal(tail(tail.activation), tail.logits), site
        changed = tail.activation * (torch.rand_like(tail.activation) > 0.5)
        assert torch.equal(tail(changed), put_in_place(network, site.name, changed, images)), site


def test_a_network_that_looks_at_values() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flat = nn.Flatten()

        def forward(self, x: Tensor) -> Tensor:
            y = self.flat(x)
            return y * 2 if y.sum() > 0 else y * 3

    tail = tail_of(Net(), "flat", torch.ones(1, 1, 1, 2))
    assert tail.logits.tolist() == [[2.0, 2.0]]
    assert tail(torch.tensor([[-1.0, -1.0]])).tolist() == [[-3.0, -3.0]]


def test_a_rest_that_does_not_use_the_site() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.side = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            self.side(x * 2)
            return x.flatten(1)

    images = torch.rand(2, 1, 1, 2)
    assert torch.equal(tail_of(Net(), "side", images)(torch.zeros(2, 1, 1, 2)), images.flatten(1))


def test_one_tail_for_each_pass() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with record_tail(network, "0") as recording:
        for _ in range(3):
            network(torch.rand(2, 1, 2, 2))
    assert len(recording.tails) == 3
    for tail in recording.tails:
        assert torch.equal(tail(tail.activation), network[1](tail.activation))


def test_recorded_in_inference_mode() -> None:
    network, images = Awkward().eval(), torch.rand(2, 3, 5, 5)
    with torch.inference_mode():
        tail = tail_of(network, "relu", images)
        inside = tail(tail.activation * 0)
    assert torch.equal(inside, put_in_place(network, "relu", tail.activation * 0, images))
    assert torch.equal(tail(tail.activation * 0), inside)


def test_a_site_that_never_runs() -> None:
    with pytest.raises(LayerError, match="never ran 'nothing'"):
        tail_of(nn.Flatten(), "nothing", torch.rand(1, 1, 2, 2))
