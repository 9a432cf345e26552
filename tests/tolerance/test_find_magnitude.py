import math

import numpy as np
import pytest
import torch
from torch import nn

from invariscope.core.errors import MagnitudeError, NetworkError, SettingError, UnknownNameError
from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe
from invariscope.tolerance.find_magnitude import find_magnitude
from invariscope.transformations.gaussian_blur import GaussianBlur


class Bright(nn.Module):
    """Class 1 where the mean of the image is above one half."""

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([0.5 - mean, mean - 0.5], dim=1)


# 20 images of class 1, with means from .51 to .7: brightness −v loses those below .5 + v
MEANS = torch.linspace(0.51, 0.70, 20)
ARRAY = MEANS[:, None, None, None].expand(20, 3, 4, 6).clone()
LABELLED = Images(ARRAY, np.ones(20, dtype=np.int64))


def test_bisection_finds_the_flip_in_closed_form():
    found = find_magnitude(Bright(), LABELLED, "brightness", accuracy=0.5, towards=-1.0)
    assert found.reached
    assert found.magnitude == pytest.approx(-0.1, abs=0.002)
    assert found.accuracy == 0.5
    assert found.bracket[1] == found.magnitude < found.bracket[0]


def test_steps_stop_at_the_first_one_below():
    found = find_magnitude(Bright(), LABELLED, "brightness", accuracy=0.5, step=0.032, towards=-1.0)
    assert found.magnitude == pytest.approx(-0.128)
    assert [value for value, _ in found.tried] == pytest.approx([0, -0.032, -0.064, -0.096, -0.128])
    assert [accuracy for _, accuracy in found.tried] == pytest.approx([1, 0.85, 0.7, 0.55, 0.4])


def test_says_when_it_cannot():
    found = find_magnitude(Bright(), LABELLED, GaussianBlur())
    assert not found.reached
    assert math.isnan(found.magnitude)
    assert "does not fall to 0.1" in found.message


def test_without_labels_agreement_takes_the_place_of_accuracy():
    found = find_magnitude(Bright(), Images(ARRAY), "brightness", accuracy=0.5, towards=-1.0)
    assert found.magnitude == pytest.approx(-0.1, abs=0.002)
    assert "agreement" in found.message


def test_batches_do_not_matter_for_noise():
    class Sign(nn.Module):
        def forward(self, images):
            side = images[:, 0, 0, 0] - 0.5
            return torch.stack([-side, side], dim=1)

    found = [
        find_magnitude(Sign(), LABELLED, "gaussian-noise", accuracy=0.7, step=0.1, batch_size=size, seed=3).tried
        for size in (3, 20)
    ]
    assert found[0] == found[1]


def test_takes_a_network_with_its_recipe():
    network = Network(Bright(), recipe=Recipe(mean=(0.0,) * 3, std=(1.0,) * 3))
    found = find_magnitude(network, LABELLED, "brightness", accuracy=0.5, towards=-1.0)
    assert found.magnitude == pytest.approx(-0.1, abs=0.002)


def test_mistakes_are_told():
    with pytest.raises(UnknownNameError, match="Did you mean 'brightness'"):
        find_magnitude(Bright(), LABELLED, "brigtness")
    with pytest.raises(SettingError, match="share from 0 to 1; got 10"):
        find_magnitude(Bright(), LABELLED, "brightness", accuracy=10.0)
    with pytest.raises(MagnitudeError, match="brightness takes magnitudes from -1 to 1"):
        find_magnitude(Bright(), LABELLED, "brightness", towards=-3.0)
    with pytest.raises(
        NetworkError, match=r"needs class scores, \(image, class\); the network returns \(20, 3, 4, 6\)"
    ):
        find_magnitude(nn.Identity(), LABELLED, "brightness")


def test_outputs_that_are_not_finite_are_refused():
    class Fragile(Bright):
        def forward(self, images):
            return super().forward(images) / (images.mean(dim=(1, 2, 3))[:, None] > 0.55)

    with pytest.raises(NetworkError, match="clean images; check its weights"):
        find_magnitude(Fragile(), LABELLED, "brightness")
