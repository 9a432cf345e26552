"""Networks that ignore one thing: the net must find it, and nothing else."""

import numpy as np
import pytest
import torch
from learned_world import (
    OneProjection,
    OnGrid,
    Recogniser,
    colour_fields,
    degrees,
    grid_images,
    pattern,
    recognised,
)
from torch import nn

from invariscope.images.images import Images
from invariscope.learned.family import matrices
from invariscope.learned.learn import learn_transformer
from invariscope.networks.recipe import Recipe

SEEDS = [0, 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_that_reads_one_projection_of_the_colours(seed):
    network = OneProjection()
    learned = learn_transformer(
        network, colour_fields(network), heads="colour", steps=300, batch_size=32, seed=seed, k_grid=3, holdout=0.3
    )
    deviation = matrices(learned.module, "colour", [(1.0, 1.0)])[0] - np.eye(3, 4)
    assert np.linalg.norm(deviation) > 0.3
    principal = np.linalg.svd(deviation)[0][:, 0]
    # What moves colours along the direction that is read is seen; the rest is the null space.
    assert 90 - degrees(abs(principal @ network.direction.numpy())) < 10
    assert learned.scale > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_that_is_blind_to_the_place_from_left_to_right(seed):
    network = Recogniser()
    clean = torch.cat([pattern(torch.eye(2, 3)), pattern(torch.tensor([[1, 0, 20 / 64], [0, 1.0, 0]]))])[:, None]
    assert (network(clean).diff(dim=0).abs() < 0.01).all()
    learned = learn_transformer(
        network,
        recognised(),
        heads="spatial",
        steps=500,
        batch_size=32,
        learning_rate=2e-3,
        seed=seed,
        k_grid=3,
        holdout=0.3,
        fill=0.0,
    )
    deviation = matrices(learned.module, "spatial", [(1.0, 1.0)])[0] - np.eye(2, 3)
    left, _, right = np.linalg.svd(deviation)
    assert degrees(abs(left[0, 0])) < 10
    assert degrees(abs(right[0, 2])) < 10
    assert np.abs(deviation[0, 2]) > 0.15


@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_that_sees_everything_leaves_nothing(seed):
    learned = learn_transformer(OnGrid(), grid_images(), steps=30, seed=seed, k_grid=2, holdout=0.3)
    assert learned.baseline == 1
    assert learned.scale == 0
    assert learned.strength.displacement == learned.strength.colour == 0
    assert learned.certified.mean == 1
    network = Recogniser(blind=False)
    learned = learn_transformer(
        network,
        recognised(),
        heads="spatial",
        steps=200,
        batch_size=32,
        seed=seed,
        k_grid=2,
        holdout=0.3,
        fill=0.0,
    )
    assert learned.strength.displacement < 0.7


class TwoUnits(nn.Module):
    """Unit 0 reads red, unit 1 green and blue."""

    def __init__(self):
        super().__init__()
        self.read = nn.Conv2d(3, 2, 1, bias=False)
        self.read.weight.data = torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5]])[:, :, None, None]
        self.relu = nn.ReLU()

    def forward(self, images):
        return self.relu(self.read(images)).mean((2, 3))


def test_what_keeps_one_unit_may_change_another():
    images = Images(colour_fields(OneProjection(), n=120).fit(Recipe()).pixels)
    learned = learn_transformer(
        TwoUnits(),
        images,
        heads="colour",
        target="unit",
        layer="relu",
        unit=0,
        reduce="mean",
        steps=200,
        batch_size=32,
        learning_rate=3e-3,
        k_grid=3,
        holdout=0.3,
        driving=0.8,
    )
    pixels = images.fit(Recipe()).pixels[torch.cat(learned.held_out)]
    changed = TwoUnits()(learned.module(pixels, k_colour=torch.ones(2))) / TwoUnits()(pixels) - 1
    kept, other = changed.detach().abs().mean(0).tolist()
    assert kept < 0.06
    assert other > 5 * kept
    assert learned.baseline == 1
    assert set(learned.certificate.query("part == 'certify'").n) == {len(learned.held_out[1])}
    assert learned.certified.worst >= 0.95


def test_a_layer_keeps_its_direction():
    images = Images(torch.rand(80, 3, 4, 4, generator=torch.Generator().manual_seed(0)))
    learned = learn_transformer(
        TwoUnits(),
        images,
        heads=("colour", "spatial"),
        target="layer",
        layer="relu",
        reduce="mean",
        steps=60,
        batch_size=32,
        learning_rate=3e-3,
        k_grid=2,
        holdout=0.3,
    )
    assert learned.certified.worst >= 0.95
    assert learned.certified.clean == 1


def test_a_network_that_reads_the_mean_leaves_the_detail_to_the_convolution():
    generator = torch.Generator().manual_seed(0)
    images = Images(torch.rand(80, 1, 8, 8, generator=generator) * 0.6 + 0.2)
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
    network[2].weight.data, network[2].bias.data = torch.tensor([[40.0], [-40.0]]), torch.tensor([-20.0, 20.0])
    learned = learn_transformer(
        network,
        images,
        target="agreement",
        heads="convolution",
        steps=150,
        batch_size=32,
        learning_rate=3e-3,
        k_grid=2,
        holdout=0.3,
    )
    parts = learned.family.query("k1 == 1 and k2 == 1 and part == 'action'").set_index("parameter").value
    assert parts["sum"] == pytest.approx(1, abs=1e-5)
    assert parts["distance"] > 0.3
