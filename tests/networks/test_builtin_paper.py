"""AlexNet, ResNet-18 and Inception as Jang et al. have them: sizes, parameters, sites, training, files."""

from pathlib import Path

import pytest
import torch
from torch import nn

from invariscope.core.errors import NetworkError
from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network
from invariscope.networks.replay import replay_check
from invariscope.networks.sites import find_sites, last_hidden_site
from invariscope.training.descent import Descent

NAMES = ("alexnet", "resnet18", "inception")
SMALL = "size=16&width=0.125&channels=1&classes=5"


def noise(network: object, n: int = 2) -> torch.Tensor:
    recipe = network.recipe
    return torch.rand(n, recipe.channels, *recipe.size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", ["size=8", "size=16&channels=1", "size=32x24", "size=64&channels=4"])
def test_sizes_and_channels(name: str, options: str) -> None:
    network = load_network(f"builtin:{name}?width=0.125&classes=7&{options}")
    assert network.recipe.standardise
    images = noise(network)
    assert network(images).shape == (2, 7)
    assert network(images).isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_every_site_equals_its_replay(name: str) -> None:
    network = load_network(f"builtin:{name}?{SMALL}")
    rows = replay_check(network, noise(network))
    assert len(rows) == len(find_sites(network, noise(network)))
    assert max(row.absolute for row in rows) == 0


@pytest.mark.parametrize(
    ("name", "site", "units"),
    [
        ("alexnet", "relu7", 512),
        ("alexnet?dense=1", "relu6", 512),
        ("resnet18", "avgpool.relu", 64),
        ("inception", "avgpool.relu", 128),
    ],
)
def test_the_last_hidden_site_is_the_layer_in_front_of_the_read_out(name: str, site: str, units: int) -> None:
    network = load_network(f"builtin:{name}{'&' if '?' in name else '?'}{SMALL}")
    found = last_hidden_site(find_sites(network, noise(network)))
    assert (found.name, found.kind, found.shape, found.layout) == (site, "activation", (units,), "features")
    read_out = [part for part in network.module.modules() if isinstance(part, nn.Linear)][-1]
    assert read_out.in_features == units


@pytest.mark.parametrize("name", NAMES)
def test_it_learns(name: str) -> None:
    network = load_network(f"builtin:{name}?{SMALL}&dropout=false" if name != "resnet18" else f"builtin:{name}?{SMALL}")
    module, images, labels = network.module.train(), network.recipe.normalise(noise(network, 10)), torch.arange(10) % 5
    losses = []
    descent = Descent(module.parameters())
    for _ in range(8):
        logits = module(images)
        assert type(logits) is torch.Tensor
        loss = nn.functional.cross_entropy(logits, labels)
        torch.autograd.backward(loss)
        assert all(weights.grad is not None and weights.grad.isfinite().all() for weights in module.parameters())
        descent.step(0.02)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_network_is_the_same(name: str, tmp_path: Path) -> None:
    network = load_network(f"builtin:{name}?{SMALL}&seed=3")
    save_network(network, tmp_path / "kept.safetensors")
    again = load_network(str(tmp_path / "kept.safetensors"))
    assert again.fingerprint == network.fingerprint
    assert torch.equal(again(noise(network)), network(noise(network)))


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_weights(name: str) -> None:
    first, again, other = (load_network(f"builtin:{name}?{SMALL}&seed={seed}").fingerprint for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("size=7", "takes images of 8 pixels a side or more; got 7x7"),
        ("width=0.3", "in eighths from 0.125 to 16; got width=0.3"),
        ("width=0", "got width=0"),
        ("channels=5", "channels is a whole number from 1 to 4"),
        ("widthh=1", "Did you mean 'width'?"),
    ],
)
def test_impossible_wishes(name: str, option: str, message: str) -> None:
    with pytest.raises(NetworkError) as error:
        load_network(f"builtin:{name}?{option}" + ("&size=16" if "size" not in option else ""))
    assert message in str(error.value)
