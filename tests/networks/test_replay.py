"""Every site of ten networks of ten families equals its operation, run again on its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from invariscope.networks.network import as_network
from invariscope.networks.replay import replay_check
from invariscope.networks.sites import find_sites
from invariscope.networks.tap import tap

NETWORKS = {
    "torchvision:resnet18": (lambda: torchvision.models.resnet18(), 32),
    "torchvision:squeezenet1_1": (lambda: torchvision.models.squeezenet1_1(), 48),
    "torchvision:mobilenet_v3_small": (lambda: torchvision.models.mobilenet_v3_small(), 32),
    "torchvision:mnasnet0_5": (lambda: torchvision.models.mnasnet0_5(), 32),
    "torchvision:googlenet": (lambda: torchvision.models.googlenet(init_weights=False), 32),
    "torchvision:shufflenet_v2_x0_5": (lambda: torchvision.models.shufflenet_v2_x0_5(), 32),
    "timm:convnext_atto": (lambda: timm.create_model("convnext_atto"), 32),
    "timm:vit_tiny_patch16_224": (lambda: timm.create_model("vit_tiny_patch16_224", img_size=48), 48),
    "timm:mixer_s32_224": (lambda: timm.create_model("mixer_s32_224", img_size=64), 64),
    "timm:test_efficientnet": (lambda: timm.create_model("test_efficientnet"), 32),
    "a small densenet": (lambda: torchvision.models.DenseNet(8, (2, 2, 2), 16), 32),
    "a small swin": (lambda: torchvision.models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [4, 4]), 32),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_site_equals_its_replay(name: str) -> None:
    build, size = NETWORKS[name]
    module = build().eval()
    rows = replay_check(module, torch.rand(2, 3, size, size))
    assert len(rows) == len(find_sites(module, torch.rand(1, 3, size, size)))
    assert max(row.relative for row in rows) < 1e-5


def test_the_check_finds_a_tap_that_reads_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def late_tap(network: object, names: list[str], read: Callable[[str, Tensor], None]) -> Iterator[None]:
        kept: list[tuple[str, Tensor]] = []
        with tap(network, names, lambda name, activation: kept.append((name, activation))):
            yield
        for name, activation in kept:
            read(name, activation)

    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))
    images = torch.randn(2, 3, 4, 4)
    assert max(row.absolute for row in replay_check(module, images)) == 0
    monkeypatch.setattr("invariscope.networks.replay.tap", late_tap)
    wrong = {row.site for row in replay_check(module, images) if row.absolute > 0}
    assert wrong == {"1"}


def test_the_check_finds_a_tap_that_misses_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf_tap(network: object, names: list[str], read: Callable[[str, Tensor], None]) -> object:
        return tap(network, [name for name in names if name != "1"], read)

    monkeypatch.setattr("invariscope.networks.replay.tap", deaf_tap)
    rows = replay_check(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), torch.rand(2, 3, 4, 4))
    assert {row.site: row.absolute for row in rows} == {"0": 0, "output": 0, "1": float("inf")}


def test_a_network_in_place_throughout() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Hardswish(inplace=True), nn.Dropout(inplace=True), nn.ReLU6(True)
    )
    rows = replay_check(as_network(module), torch.randn(2, 3, 4, 4))
    assert [row.site for row in rows] == ["0", "1", "2", "3", "4", "output"]
    assert max(row.absolute for row in rows) == 0
