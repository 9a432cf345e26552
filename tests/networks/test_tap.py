import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from invariscope.networks.network import as_network
from invariscope.networks.tap import tap


def recorded(network: object, names: list[str], images: Tensor) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = {}
    network = as_network(network)
    with torch.no_grad(), tap(network, names, lambda name, activation: seen.update({name: activation.clone()})):
        network(images)
    return seen


class Overwriting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn(self.conv(x)))
        y += 1
        return y.mul_(0)


def test_in_place_operations_do_not_reach_what_was_recorded() -> None:
    module, images = Overwriting().eval(), torch.rand(2, 3, 6, 6)
    seen = recorded(module, ["conv", "bn", "relu", "output"], images)
    conv = module.conv(images)
    bn = module.bn(conv)
    assert torch.equal(seen["conv"], conv)
    assert torch.equal(seen["bn"], bn)
    assert bool((seen["bn"] < 0).any())
    assert torch.equal(seen["relu"], bn.relu())
    assert not seen["output"].any()


def test_reading_without_a_copy_shows_the_trap() -> None:
    # Guards the guard: were in-place operations harmless here, the test above would prove nothing.
    module, images = Overwriting().eval(), torch.rand(2, 3, 6, 6)
    kept: dict[str, Tensor] = {}
    with torch.no_grad(), tap(module, ["bn"], lambda name, activation: kept.update({name: activation})):
        module(images)
    assert not kept["bn"].any()


def test_every_call_of_a_module() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.relu(x - 0.5) - 0.25)

    images = torch.rand(2, 3, 2, 2)
    seen = recorded(Twice(), ["relu", "relu#2"], images)
    assert torch.equal(seen["relu"], (images - 0.5).relu())
    assert torch.equal(seen["relu#2"], ((images - 0.5).relu() - 0.25).relu())


def test_functions_and_sums_in_their_module() -> None:
    class Block(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = F.relu(x - 0.5)
            y += x
            return y

    images = torch.rand(2, 3, 2, 2)
    network = nn.Sequential(Block(), nn.Sequential(Block(), nn.Identity()))
    seen = recorded(network, ["0.relu()#1", "0.add()#1", "1.0.relu()#1", "1.0.add()#1"], images)
    first = (images - 0.5).relu() + images
    assert torch.equal(seen["0.relu()#1"], (images - 0.5).relu())
    assert torch.equal(seen["0.add()#1"], first)
    assert torch.equal(seen["1.0.relu()#1"], (first - 0.5).relu())
    assert torch.equal(seen["1.0.add()#1"], (first - 0.5).relu() + first)


def test_functions_inside_an_activation_module_are_not_sites_of_their_own() -> None:
    class ReLU(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x)

    images = torch.rand(2, 3, 2, 2)
    assert set(recorded(nn.Sequential(ReLU()), ["0", "0.relu()#1"], images)) == {"0"}


def test_parts_of_an_output() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> object:
            return {"a": x, "rest": (x + 1, [x + 2])}

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pair = Pair()

        def forward(self, x: Tensor) -> Tensor:
            return self.pair(x)["a"]

    images = torch.rand(2, 3, 2, 2)
    seen = recorded(Net(), ["pair[a]", "pair[rest][0]", "pair[rest][1][0]"], images)
    assert torch.equal(seen["pair[rest][0]"], images + 1)
    assert torch.equal(seen["pair[rest][1][0]"], images + 2)


@pytest.mark.parametrize("names", [["0"], ["0", "relu()#1", "add()#1"]])
def test_what_the_reader_computes_is_not_watched(names: list[str]) -> None:
    module = nn.Sequential(nn.Identity())
    seen: list[str] = []

    def read(name: str, activation: Tensor) -> None:
        seen.append(name)
        F.relu(activation + activation)

    with tap(module, names, read):
        module(torch.rand(2, 3, 2, 2))
    assert seen == ["0"]


def test_what_the_reader_returns_changes_nothing() -> None:
    module, images = nn.Sequential(nn.Flatten(), nn.ReLU()), torch.rand(2, 3, 2, 2)
    with tap(module, ["0", "1"], lambda name, activation: torch.zeros_like(activation)):  # type: ignore[arg-type]
        assert torch.equal(module(images), images.flatten(1))


def test_functions_outside_the_network_are_not_watched() -> None:
    module, seen = nn.Sequential(nn.Flatten()), []
    with tap(module, ["relu()#1", "0"], lambda name, activation: seen.append(name)):
        F.relu(torch.rand(2))
        module(torch.rand(2, 3))
        F.relu(torch.rand(2))
    assert seen == ["0"]


def test_hooks_are_gone_also_after_an_error() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with pytest.raises(RuntimeError), tap(module, ["1", "relu()#1"], lambda *_: None):
        module(torch.rand(1, 4, 4, 4))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_pass_that_fails_does_not_disturb_the_next() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(4, 3), nn.ReLU())

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.inner(x) - 0.1)

    module, seen = Net(), []
    with tap(module, ["relu()#1", "inner.1"], lambda name, activation: seen.append(name)):
        with pytest.raises(RuntimeError):
            module(torch.rand(2, 5))
        seen.clear()
        module(torch.rand(2, 4))
    assert seen == ["inner.1", "relu()#1"]


def test_recording_does_not_change_the_answer() -> None:
    import torchvision

    network, images = as_network(torchvision.models.resnet18().eval()), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        plain = network(images)
        with tap(network, ["relu", "layer1.0.relu#2", "layer2.0.add()#1"], lambda *_: None):
            assert torch.equal(network(images), plain)


def test_transformer_layers_of_torch_are_read_inside() -> None:
    # In evaluation torch fuses such a layer into one call; a tap must keep its parts apart.
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu").eval()
    network = nn.Sequential(nn.Flatten(2), layer)
    images = torch.rand(2, 5, 2, 4)
    with torch.no_grad():
        plain = network(images)
        seen = recorded(network, ["1.linear1", "1.gelu()#1", "output"], images)
    torch.testing.assert_close(seen["output"], plain)
    assert torch.equal(seen["1.gelu()#1"], F.gelu(seen["1.linear1"]))
