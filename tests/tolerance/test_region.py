"""A box of magnitudes: how it is written, its grid, and points drawn from it."""

import pytest
import torch

from invariscope.core.errors import MagnitudeError, SettingError, UnknownNameError
from invariscope.tolerance.region import Region
from invariscope.transformations.rotation import Rotation

SIZE = (8, 12)


def test_a_number_reaches_to_both_sides_and_is_cut_at_the_limits():
    region = Region.of({"rotation": 30, "gaussian-blur": 1.5, "zoom": (0.8, 1.25)}, SIZE)
    assert region.names == ("rotation", "gaussian-blur", "zoom")
    assert (region.low, region.high) == ((-30.0, 0.0, 0.8), (30.0, 1.5, 1.25))


def test_fill_is_its_own_or_one_for_all():
    assert Region.of({Rotation(fill=0.0): 30}, SIZE).joint.steps == (Rotation(fill=0.0),)
    assert Region.of({Rotation(fill=0.0): 30}, SIZE, fill="border").joint.steps == (Rotation(fill="border"),)


def test_the_grid_is_every_combination_but_the_identity_farthest_first():
    points = Region.of({"rotation": 30, "zoom": (0.8, 1.25)}, SIZE).points({"rotation": 3, "zoom": 2})
    assert sorted(points.tolist()) == [[-30, 0.8], [-30, 1.25], [0, 0.8], [0, 1.25], [30, 0.8], [30, 1.25]]
    assert {tuple(row) for row in points[:4].tolist()} == {(-30, 0.8), (-30, 1.25), (30, 0.8), (30, 1.25)}
    square = Region.of({"translation-x": 0.1, "translation-y": 0.2}, SIZE).points(5)
    assert len(square) == 24
    assert [0.0, 0.0] not in square.tolist()


def test_an_axis_of_whole_magnitudes_has_no_others():
    points = Region.of({"horizontal-flip": (0, 1), "rotation": 10}, SIZE).points(3)
    assert sorted(points.tolist()) == [[0, -10], [0, 10], [1, -10], [1, 0], [1, 10]]


def test_shares_and_magnitudes_are_inverse_and_exact_at_the_ends():
    region = Region.of({"rotation": 33.3, "zoom": (0.7, 1.25)}, SIZE)
    shares = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.25, 0.6]], dtype=torch.float64)
    magnitudes = region.at(shares)
    assert magnitudes[:2].tolist() == [[-33.3, 1.25], [33.3, 0.7]]
    torch.testing.assert_close(region.shares(magnitudes), shares)


def test_random_points_fill_the_region_and_belong_to_their_images():
    region = Region.of({"rotation": 30, "zoom": (0.8, 1.25), "horizontal-flip": (0, 1)}, SIZE)
    points = region.random(torch.arange(500), 4, seed=1)
    low, high = points.amin((0, 1)).tolist(), points.amax((0, 1)).tolist()
    assert low == pytest.approx([-30, 0.8, 0], abs=0.1)
    assert high == pytest.approx([30, 1.25, 1], abs=0.1)
    assert points.mean((0, 1)).tolist() == pytest.approx([0, 1.025, 0.5], abs=1)
    assert set(points[..., 2].unique().tolist()) == {0.0, 1.0}
    assert torch.equal(region.random(torch.tensor([7, 3]), 4, seed=1), points[:, [7, 3]])
    assert torch.equal(region.random(torch.arange(500), 2, seed=1), points[:2])
    assert not torch.equal(region.random(torch.arange(500), 4, seed=2), points)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({}, SettingError, "at least one transformation"),
        ({"rotaton": 30}, UnknownNameError, "Did you mean 'rotation'"),
        ({"rotation": 300}, MagnitudeError, r"rotation takes magnitudes from -180 to 180 \(degrees\); got 300"),
        ({"zoom": (0.1, 1)}, MagnitudeError, "zoom takes magnitudes from 0.25"),
        ({"zoom": 0.2}, SettingError, r"zoom of 1 changes nothing, so a region needs its lowest and highest"),
        ({"rotation": 0}, SettingError, "reaches some way from the identity; got 0 for rotation"),
        ({"rotation": (5, 20)}, SettingError, r"past the identity \(0\); got 5 to 20 for rotation"),
        ({"rotation": (20, -20)}, SettingError, "from a lower to a higher"),
        ({"rotation": 30, Rotation(fill=0.0): 20}, SettingError, "rotation stands twice"),
    ],
)
def test_what_it_refuses(given, error, words):
    with pytest.raises(error, match=words):
        Region.of(given, SIZE)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (1, "at least 2 steps on every axis; got 1 for rotation"),
        ({"rotation": 5}, "zoom is missing"),
        ({"rotation": 5, "zoom": 3, "shear": 3}, "shear is no axis"),
    ],
)
def test_steps_it_refuses(steps, words):
    with pytest.raises(SettingError, match=words):
        Region.of({"rotation": 30, "zoom": (0.8, 1.25)}, SIZE).points(steps)
