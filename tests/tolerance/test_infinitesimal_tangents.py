"""Directions at the identity: against differences in float64, by hand, and the laws of random ones."""

import numpy as np
import pytest
import torch

from invariscope.core.seeds import image_seeds
from invariscope.tolerance.infinitesimal_tangents import (
    grid_step,
    motion,
    moves_places,
    random_phase,
    tangent_at_identity,
    unit_of_derivative,
    velocity,
    white_noise,
)
from invariscope.transformations.base import TRANSFORMATIONS
from invariscope.transformations.brightness import Brightness
from invariscope.transformations.elastic import Elastic
from invariscope.transformations.gaussian_blur import GaussianBlur
from invariscope.transformations.magnitude import Magnitude
from invariscope.transformations.occlusion import Occlusion
from invariscope.transformations.rotation import Rotation
from invariscope.transformations.thinning import Thinning
from invariscope.transformations.translation import TranslationX

SMOOTH = [name for name, kind in TRANSFORMATIONS.items() if kind.smooth]
GEOMETRIC = [name for name in SMOOTH if moves_places(TRANSFORMATIONS[name]())]


def pictures(count=3, height=10, width=12):
    return torch.rand(count, 3, height, width, dtype=torch.float64) * 0.8 + 0.1


def seeds_of(family, images):
    return image_seeds(torch.arange(len(images)), 0, family.name) if family.random else None


@pytest.mark.parametrize("fill", ["zero", 0.25, "mean", "border"])
@pytest.mark.parametrize("name", GEOMETRIC)
def test_what_moves_pixels_is_the_limit_of_a_difference_to_both_sides(name, fill):
    family, images = TRANSFORMATIONS[name](fill=fill), pictures()
    seeds, step = seeds_of(family, images), 1e-5 * grid_step(family, 10, 12)

    def at(value):
        magnitude = Magnitude(torch.full((3,), value, dtype=torch.float64), (value,) * 3)
        return family.transform(images, magnitude, seeds)

    expected = (at(family.identity + step) - at(family.identity - step)) / (2 * step)
    found = tangent_at_identity(family, images, seeds)
    assert (found - expected).abs().max() < 1e-3 * expected.abs().max()
    assert found.abs().max() > 0


@pytest.mark.parametrize("name", sorted(set(SMOOTH) - set(GEOMETRIC) - {"thinning", "occlusion"}))
def test_where_values_change_smoothly_it_is_the_derivative(name):
    family, images = TRANSFORMATIONS[name](), pictures()
    seeds = seeds_of(family, images)
    expected = family.derivative(images, family.identity, seeds=seeds)
    assert torch.allclose(tangent_at_identity(family, images, seeds), expected, atol=1e-5)


def test_a_clipped_value_goes_half_way_where_only_one_side_is_open():
    images = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3)
    assert tangent_at_identity(Brightness(), images).flatten().tolist() == pytest.approx([0.5, 1.0, 0.5])


def test_a_ramp_moves_by_its_slope_and_the_kink_of_bilinear_reading_is_gone():
    ramp = torch.arange(6.0).expand(1, 1, 4, 6) / 10
    inner = tangent_at_identity(TranslationX(), ramp)[..., 1:-1]
    assert torch.allclose(inner, torch.full_like(inner, -0.6))  # 0.1 per pixel, 6 pixels to a width
    comb = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, 1.0]).expand(1, 1, 4, 6)
    assert tangent_at_identity(TranslationX(), comb)[..., 1:-1].abs().max() == 0


def test_a_rotation_moves_places_round_the_centre():
    field = velocity(Rotation(), torch.zeros(1, 1, 5, 7), None)[0]
    y, x = torch.meshgrid(torch.arange(5.0) - 2, torch.arange(7.0) - 3, indexing="ij")
    assert torch.allclose(field, torch.stack([-y, x]) * np.pi / 180, atol=1e-6)


def test_every_image_has_its_own_field_where_the_family_draws():
    seeds = torch.tensor([1, 2])
    field = velocity(Elastic(), torch.zeros(2, 1, 8, 8), seeds)
    assert field.shape == (2, 2, 8, 8)
    assert not torch.allclose(field[0], field[1])
    alone = velocity(Elastic(), torch.zeros(1, 1, 8, 8), seeds[1:])
    assert torch.allclose(field[1], alone[0])


def test_what_covers_an_area_has_no_derivative_at_the_identity():
    images = pictures()
    assert not tangent_at_identity(Occlusion(), images, torch.arange(3)).any()


def test_thinning_ends_at_its_identity_and_counts_towards_smaller_magnitudes():
    images = pictures().float()
    step = 1e-4
    expected = (images - Thinning()(images, 1 - step)) / step
    assert torch.allclose(tangent_at_identity(Thinning(), images), expected, atol=0.05)


def test_a_blur_counts_in_its_square():
    assert unit_of_derivative(GaussianBlur()) == "pixels squared"
    assert unit_of_derivative(Brightness()) == "of the range"
    spot = torch.zeros(1, 1, 5, 5)
    spot[..., 2, 2] = 1
    assert tangent_at_identity(GaussianBlur(), spot)[0, 0, 2].tolist() == [0.0, 0.5, -2.0, 0.5, 0.0]


def test_fill_comes_in_at_the_border():
    maps, field = torch.ones(1, 1, 3, 3), torch.ones(1, 2, 3, 3)
    assert motion(maps, field, "border").abs().max() == 0
    assert motion(maps, field, 0.0)[0, 0].tolist() == [[1.0, 0.5, 0.0], [0.5, 0.0, -0.5], [0.0, -0.5, -1.0]]


def test_noise_has_length_one_and_follows_the_image():
    images = torch.zeros(4, 3, 8, 8)
    noise = white_noise(images, torch.arange(4), 0)
    assert noise.square().mean((1, 2, 3)).sqrt().tolist() == pytest.approx([1.0] * 4)
    assert torch.equal(white_noise(images[:1], torch.tensor([2]), 0)[0], noise[2])
    assert not torch.equal(white_noise(images, torch.arange(4), 1), noise)


@pytest.mark.parametrize("size", [(8, 8), (7, 10)])
def test_random_phases_keep_the_power_of_every_frequency_and_channel(size):
    tangent = torch.randn(2, 3, *size)
    turned = random_phase(tangent, torch.tensor([0, 1]), 0)
    power, found = (torch.fft.fft2(each).abs() for each in (tangent, turned))
    assert torch.allclose(found, power, atol=1e-4)
    assert not torch.allclose(turned, tangent, atol=0.1)
    flat = torch.full((1, 3, *size), 0.5)
    assert torch.allclose(random_phase(flat, torch.tensor([0]), 0).abs(), flat, atol=1e-6)
