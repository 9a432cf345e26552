"""Noise: its distribution, and the same draws at every magnitude, batch and size of step."""

import pytest
import torch
from scipy import stats

from invariscope.transformations.noise import GaussianNoise, SaltAndPepper


def test_gaussian_noise_is_gaussian_and_not_clipped():
    given = torch.full((10, 3, 50, 50), 0.9)
    noise = (GaussianNoise()(given, 0.3, seeds=torch.arange(10)) - given) / 0.3
    assert stats.kstest(noise.flatten().double(), "norm").pvalue > 0.01
    assert (given + 0.3 * noise).max() > 1
    channels = noise.permute(1, 0, 2, 3).flatten(1)
    assert torch.corrcoef(channels).triu(1).abs().max() < 0.03


def test_gaussian_noise_is_the_same_at_every_strength():
    given, seeds = torch.zeros(2, 3, 8, 8), torch.arange(2)
    once, twice = (GaussianNoise()(given, sigma, seeds=seeds) for sigma in (0.1, 0.2))
    torch.testing.assert_close(twice, 2 * once)


@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_salt_and_pepper_hits_its_share_in_all_channels_together(share):
    given = torch.full((10, 3, 60, 60), 0.5)
    out = SaltAndPepper()(given, share, seeds=torch.arange(10))
    assert torch.equal(out[:, 0], out[:, 2])
    hit = out[:, 0] != 0.5
    assert set(out[:, 0][hit].unique().tolist()) == {0.0, 1.0}
    assert hit.float().mean().item() == pytest.approx(share, abs=0.01)
    assert out[:, 0][hit].mean().item() == pytest.approx(0.5, abs=0.05)
    assert SaltAndPepper().kept(8, 8, share) == 1 - share


def test_what_is_hit_stays_hit_at_larger_shares():
    given, seeds = torch.full((2, 1, 20, 20), 0.5), torch.arange(2)
    few, many = (SaltAndPepper()(given, share, seeds=seeds) for share in (0.2, 0.6))
    hit = few != 0.5
    assert torch.equal(few[hit], many[hit])
    assert (many != 0.5).sum() > hit.sum()
