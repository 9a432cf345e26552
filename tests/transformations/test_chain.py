"""Transformations one after another."""

import pytest
import torch

from invariscope.core.errors import MagnitudeError, SeedError, SettingError
from invariscope.transformations.brightness import Brightness
from invariscope.transformations.chain import Chain
from invariscope.transformations.contrast import Gain
from invariscope.transformations.flips import HorizontalFlip
from invariscope.transformations.noise import GaussianNoise, SaltAndPepper
from invariscope.transformations.occlusion import Occlusion
from invariscope.transformations.rotation import Rotation
from invariscope.transformations.translation import TranslationX


def images() -> torch.Tensor:
    return 0.2 + 0.5 * torch.rand(3, 3, 8, 12, generator=torch.Generator().manual_seed(1))


def test_at_one_it_is_the_composition_first_step_first():
    given = images()
    out = Chain((Rotation(), 30.0), (Gain(), 0.5), (Brightness(), 0.25))(given, 1.0)
    torch.testing.assert_close(out, Brightness()(Gain()(Rotation()(given, 30.0), 0.5), 0.25))


def test_on_the_way_every_step_goes_its_share():
    given = images()
    out = Chain((Rotation(), 40.0), (Gain(), 3.0))(given, [0.0, 0.5, 0.25])
    assert torch.equal(out[0], given[0])
    torch.testing.assert_close(out[1:2], Gain()(Rotation()(given[1:2], 20.0), 2.0))
    torch.testing.assert_close(out[2:], Gain()(Rotation()(given[2:], 10.0), 1.5))


def test_its_traits_are_those_of_its_steps():
    plain = Chain((Rotation(), 30.0), (Brightness(), 0.2))
    assert (plain.smooth, plain.random, plain.resamples) == (True, False, True)
    assert plain.name == "rotation(30)+brightness(0.2)"
    assert plain.summary == "Apply rotation 30, then brightness 0.2."
    mixed = Chain((HorizontalFlip(), 1.0), (SaltAndPepper(), 0.1))
    assert (mixed.smooth, mixed.random, mixed.resamples) == (False, True, False)
    assert Chain((Brightness(), 0.2)).near_identity(8, 8) is None
    assert plain.near_identity(8, 12) == pytest.approx(Rotation().near_identity(8, 12) / 30)
    assert plain.default_grid(8, 12) == (0.0, 0.25, 0.5, 0.75, 1.0)


def test_whole_steps_switch_half_way():
    given = images()
    chain = Chain((HorizontalFlip(), 1.0))
    assert torch.equal(chain(given, 0.4), given)
    assert torch.equal(chain(given, 0.6), given.flip(-1))


def test_every_step_draws_from_seeds_of_its_own():
    given, seeds = torch.zeros(3, 1, 8, 8), torch.arange(3)
    chain = Chain((GaussianNoise(), 0.1), (GaussianNoise(), 0.1))
    with pytest.raises(SeedError, match="draws random numbers"):
        chain(given, 1.0)
    twice, once = chain(given, 1.0, seeds=seeds), GaussianNoise()(given, 0.2, seeds=seeds)
    assert not torch.allclose(twice, once)
    assert torch.equal(twice[1:2], chain(given[1:2], 1.0, seeds=seeds[1:2]))


def test_gradient_and_derivative_follow_every_step():
    given = images().double()
    chain = Chain((Rotation(), 40.0), (Gain(), 1.2))
    tangent = chain.derivative(given, 0.5)
    expected = (chain(given, 0.5 + 1e-6) - chain(given, 0.5 - 1e-6)) / 2e-6
    torch.testing.assert_close(tangent, expected, rtol=1e-4, atol=1e-4)
    magnitude = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(chain(given, magnitude).sum(), magnitude)
    torch.testing.assert_close(gradient, tangent.sum())


def test_fill_region_and_share_go_through_the_steps():
    given = images()
    chain = Chain((TranslationX(), 0.25), (TranslationX(), -0.25)).with_fill(0.0)
    assert chain == Chain((TranslationX(fill=0.0), 0.25), (TranslationX(fill=0.0), -0.25))
    valid = chain.valid_region(given, 1.0)
    assert valid[..., :9].all()
    assert not valid[..., 9:].any()
    assert chain.kept(8, 12, 1.0) == pytest.approx(0.75)


def test_what_is_not_valid_moves_with_later_steps():
    chain = Chain((TranslationX(), 0.25), (HorizontalFlip(), 1.0), (Brightness(), 0.1))
    valid = chain.valid_region(images(), 1.0)
    assert valid[..., :9].all()
    assert not valid[..., 9:].any()
    covered = Chain((Occlusion(), 0.5), (HorizontalFlip(), 1.0))
    seeds = torch.arange(3)
    changed = (covered(images(), 1.0, seeds=seeds) != images().flip(-1)).any(1, keepdim=True)
    assert torch.equal(covered.valid_region(images(), 1.0, seeds=seeds), ~changed)


def test_mistakes_are_said():
    with pytest.raises(SettingError, match="at least one step"):
        Chain()
    with pytest.raises(MagnitudeError, match=r"rotation takes magnitudes from -180 to 180 \(degrees\); got 200"):
        Chain((Rotation(), 200.0))(images(), 1.0)
