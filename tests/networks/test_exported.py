import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from invariscope.core.errors import NetworkError
from invariscope.networks.load import load_network
from invariscope.networks.sites import find_sites
from invariscope.networks.tail import record_tail
from invariscope.networks.tap import tap


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.drop = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout()
        self.fc = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(x)).relu()
        return self.fc(self.drop((y + y.mean(1, keepdim=True).expand_as(y)).mean((2, 3))))


def export(path: Path, batch: object = torch.export.Dim.DYNAMIC) -> nn.Module:
    module = Net().eval()
    shapes = ({0: batch},) if batch else None
    torch.export.save(torch.export.export(module, (torch.rand(2, 3, 8, 6),), dynamic_shapes=shapes), path)
    return module


@pytest.mark.filterwarnings("ignore")
def test_an_exported_network_answers_as_its_source(tmp_path: Path) -> None:
    module = export(tmp_path / "net.pt2")
    network = load_network(str(tmp_path / "net.pt2"))
    images = torch.rand(5, 3, 8, 6)
    torch.testing.assert_close(network(images), module(images))
    assert network.recipe.size == (8, 6)
    sites = find_sites(network, images)
    assert [(site.kind, site.layout) for site in sites] == [
        ("activation", "channels-first"),
        ("sum", "channels-first"),
        ("output", "features"),
    ]
    seen: dict[str, Tensor] = {}
    with tap(network, [sites[0].name], lambda name, activation: seen.update({name: activation.clone()})):
        network(images)
    torch.testing.assert_close(seen[sites[0].name], module.bn(module.conv(images)).relu())
    with record_tail(network, sites[0].name) as recording:
        network(images)
    assert torch.equal(recording.tails[0](recording.tails[0].activation), recording.tails[0].logits)


@pytest.mark.filterwarnings("ignore")
def test_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2", batch=None)
    with pytest.raises(NetworkError, match="was exported for batches of 2 only"):
        load_network(str(tmp_path / "net.pt2"))


@pytest.mark.filterwarnings("ignore")
def test_pickled_objects_in_it_are_refused(tmp_path: Path) -> None:
    export(tmp_path / "net.pt2")
    with zipfile.ZipFile(tmp_path / "net.pt2", "a") as archive:
        archive.writestr("net/data/constants/custom_obj_0", b"code")
    with pytest.raises(NetworkError, match="holds pickled objects, and reading them would run code"):
        load_network(str(tmp_path / "net.pt2"))


def test_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(b"nothing")
    with pytest.raises(NetworkError, match=r"is no program of torch.export"):
        load_network(str(tmp_path / "net.pt2"))
    with zipfile.ZipFile(tmp_path / "net.pt2", "w") as archive:
        archive.writestr("x", b"")
    with pytest.raises(NetworkError, match=r"is no program that torch.export can load"):
        load_network(str(tmp_path / "net.pt2"))
