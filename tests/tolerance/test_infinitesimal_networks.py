"""Forward mode through every builtin network and families of torchvision, against differences of two passes."""

import pytest
import torch

from invariscope.images.images import Images
from invariscope.networks.load import load_network
from invariscope.networks.sites import find_sites
from invariscope.networks.tap import tap
from invariscope.tolerance.infinitesimal import sensitivity
from invariscope.tolerance.infinitesimal_passes import push_batched
from invariscope.tolerance.infinitesimal_upstream import nearest_before

BUILTIN = {
    "builtin:cnn": (1, 16),
    "builtin:resnet18?size=16&channels=1&width=.125": (1, 16),
    "builtin:cifar-resnet20": (3, 32),
}
FAMILIES = {
    "torchvision:resnet18?pretrained=false": 64,
    "torchvision:squeezenet1_1?pretrained=false": 64,
    "torchvision:mobilenet_v3_small?pretrained=false": 64,
    "torchvision:vit_b_32?pretrained=false": 224,
    "torchvision:swin_t?pretrained=false": 64,
    "torchvision:convnext_tiny?pretrained=false": 64,
}
LARGE = {
    "builtin:alexnet": (3, 100),
    "builtin:alexnet-bvlc": (3, 227),
    "builtin:inception": (3, 64),
    "builtin:resnet50v2": (3, 64),
}


def read(site, activation, tangent, field):
    return {"tangent": tangent.flatten(1).clone()}


def differences(spec, pictures, direction, sites, step=1e-7):
    """The derivative at every site, from two passes in float64 so near that hardly a rectifier bends between them."""
    network = load_network(spec)
    network.module.double()
    found = {}
    for sign in (1, -1):

        def keep(name, activation, sign=sign):
            found[name] = found.get(name, 0) + sign * activation.flatten(1) / (2 * step)

        with torch.no_grad(), tap(network, sites, keep):
            network(pictures.double() + sign * step * direction.double())
    return found


def check(spec, channels, size):
    """Every site's derivative is that of a difference, and the public function runs."""
    network = load_network(spec)
    pictures = torch.rand(2, channels, size, size)
    sites = [site.name for site in find_sites(network, pictures)]
    directions = torch.randn(2, *pictures.shape)
    found = push_batched(network, pictures, directions, None, sites, read)
    for place, direction in enumerate(directions):
        expected = differences(spec, pictures, direction, sites)
        assert found.keys() == expected.keys()
        for site in sites:
            gap = (found[site]["tangent"][place].double() - expected[site]).norm()
            # In float32 another maximum of a pool may win, or a rectifier at 0 open.
            assert gap <= 0.05 * expected[site].norm() + 1e-6, site
    kept = sensitivity(network, Images(pictures), ["rotation", "brightness"], phase=False, replicates=5)
    assert kept.method == "batched"
    assert kept.layers["sensitivity"].notna().any()


@pytest.mark.parametrize("spec", BUILTIN)
def test_small_builtin_networks(spec):
    check(spec, *BUILTIN[spec])


@pytest.mark.slow
@pytest.mark.parametrize("spec", LARGE)
def test_large_builtin_networks(spec):
    check(spec, *LARGE[spec])


@pytest.mark.slow
@pytest.mark.parametrize("spec", FAMILIES)
def test_families_of_torchvision(spec):
    check(spec, 3, FAMILIES[spec])


def test_branches_and_sums_are_followed_to_their_sources():
    network = load_network("builtin:cifar-resnet20")
    names = ["relu", "layer1.0.relu1", "layer1.0.relu2", "output"]
    before = nearest_before(network, names, torch.rand(2, 3, 32, 32))
    assert before == {
        "relu": ("image",),
        "layer1.0.relu1": ("relu",),
        "layer1.0.relu2": ("relu", "layer1.0.relu1"),
        "output": ("layer1.0.relu2",),
    }
