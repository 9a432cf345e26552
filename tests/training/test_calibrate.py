import math

import pytest
import torch
from torch import nn
from training_world import N_CLASSES, bars, tiny

from invariscope.core.errors import SettingError
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe
from invariscope.training.calibrate import calibrated_magnitude, clean_training
from invariscope.training.loop import Schedule
from invariscope.training.sets import make_sets
from invariscope.training.train import train_network
from invariscope.transformations.base import TRANSFORMATIONS


class Bright(nn.Module):
    """Says the class of bars truly while the darkest pixel is below a level, and nonsense above it."""

    def __init__(self, level: float, labels: torch.Tensor) -> None:
        super().__init__()
        self.level, self.labels, self.next = level, labels, 0

    def forward(self, images):
        rows = torch.arange(self.next, self.next + len(images)) % len(self.labels)
        self.next += len(images)
        truth = self.labels[rows]
        said = torch.where(images.amin((1, 2, 3)) < self.level, truth, (truth + 1) % N_CLASSES)
        return nn.functional.one_hot(said, N_CLASSES).float()


@pytest.fixture
def known():
    sets = make_sets(bars(5, seed=1), bars(5, seed=2), tiny().recipe)
    return Network(Bright(0.5, sets.test_labels), recipe=Recipe(channels=1)), sets


def test_the_magnitude_of_a_network_that_is_known(known):
    network, sets = known
    darkest = sets.test.batch(range(len(sets.test))).amin((1, 2, 3)).sort(descending=True).values
    found = calibrated_magnitude(network, sets, "brightness", 0.1)
    # 27 of 30 images must be wrong: all but the 3 darkest reach the level.
    assert found.magnitude == pytest.approx(0.5 - darkest[26].item(), abs=2e-3)
    assert found.accuracy <= 0.1


def test_the_level_may_be_a_share_of_the_way_from_chance(known):
    network, sets = known
    absolute = calibrated_magnitude(network, sets, "brightness", 1 / 6 + 0.5 * 5 / 6)
    relative = calibrated_magnitude(network, sets, "brightness", 0.5, above_chance=True)
    assert relative.magnitude == absolute.magnitude


def test_blur_goes_in_the_steps_of_the_paper_and_says_when_they_end():
    training = clean_training("builtin:cnn?size=8", schedule=Schedule(epochs=4, batch_size=16))
    sets = make_sets(bars(30, seed=1), bars(10, seed=2), Recipe(size=(8, 8), channels=1))
    network = train_network(training, sets).network
    found = calibrated_magnitude(network, sets, "gaussian-blur", 0.0)
    assert [magnitude for magnitude, _ in found.tried] == [0.0, 0.5, 1.0], "an eighth of 8 pixels is the end"
    assert math.isnan(found.magnitude)
    assert "does not fall to 0" in found.message
    assert found.message.endswith("chance is 1/6.")
    noise = calibrated_magnitude(network, sets, "gaussian-noise", 0.5)
    assert [magnitude for magnitude, _ in noise.tried] == pytest.approx([25 / 255 * i for i in range(len(noise.tried))])
    assert noise.tried[-1][1] <= 0.5 < noise.tried[-2][1]
    step = TRANSFORMATIONS["gaussian-noise"].span[1] / 4
    coarse = calibrated_magnitude(network, sets, "gaussian-noise", 0.5, step=step)
    assert coarse.tried[1][0] == step


def test_one_clean_network_serves_all_transformations():
    training = clean_training("builtin:cnn", seed=3)
    assert (training.k, training.seed) == (0, 3)
    assert training == clean_training("builtin:cnn", seed=3)


def test_a_target_that_is_no_share(known):
    with pytest.raises(SettingError, match="a share from 0 to 1; got 10"):
        calibrated_magnitude(*known, "brightness", 10)
