"""A published network on real images: what it ignores, certified on images that it was not trained on."""

from pathlib import Path

import pytest

from invariscope.images.load import load_images
from invariscope.learned.learn import learn_transformer
from invariscope.networks.load import load_network


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_residual_network_ignores_transformations_of_more_than_a_pixel(shared_data: Path, seed: int):
    network = load_network(f"builtin:cifar-resnet20?weights={shared_data}/weights/cifar10_resnet20.safetensors")
    learned = learn_transformer(
        network,
        load_images(shared_data / "cifar10" / "lossless_train4000.parquet"),
        held_out=load_images(shared_data / "cifar10" / "lossless_test1000.parquet", limit=600),
        seed=seed,
        k_grid=3,
        scales=(0.25, 0.5, 0.75, 1.0),
    )
    certified = learned.certified
    assert certified.clean > 0.88
    assert learned.scale >= 0.25
    assert certified.worst >= 0.95 * certified.clean - 1e-9
    assert learned.strength.displacement >= 1 or learned.strength.colour_full >= 0.2
