"""Random numbers that depend on an image's seed alone."""

import pytest
import torch
from scipy import stats

from invariscope.core import seeds as module
from invariscope.core.seeds import image_seeds, normal, uniform


def by_whole_tensors(seeds: torch.Tensor, count: int, stream: int) -> torch.Tensor:
    """The definition, which other devices than the CPU use."""
    starts = module._mix(module._mix(seeds) + stream)
    bits = module._mix(starts[:, None] + torch.arange(count))
    return ((bits >> 40) & (1 << 24) - 1).float() / (1 << 24)


@pytest.mark.parametrize("count", [0, 1, 7, 1 << 14, (1 << 14) + 1, 40_000])
def test_blocks_give_the_numbers_of_whole_tensors(count):
    seeds = torch.tensor([0, 1, -1, 2**62, -(2**63)])
    assert torch.equal(uniform(seeds, (count,), 3), by_whole_tensors(seeds, count, 3))


def test_splitmix_of_its_first_state_is_the_published_number():
    # The first output of splitmix64 seeded with 0 is the finaliser of the golden-ratio increment.
    golden = torch.tensor(0x9E3779B97F4A7C15 - 2**64)
    assert module._mix(golden).item() == 0xE220A8397B1DCDAF - 2**64


def test_a_batch_is_its_images():
    seeds = torch.tensor([5, 8, 13])
    assert torch.equal(normal(seeds, (3, 4, 5))[1], normal(seeds[1:2], (3, 4, 5))[0])


def test_uniform_numbers_are_uniform_and_normal_ones_normal():
    drawn = uniform(torch.arange(20), (5000,)).flatten().double()
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert stats.kstest(drawn, "uniform").pvalue > 0.01
    assert stats.kstest(normal(torch.arange(20), (5000,)).flatten().double(), "norm").pvalue > 0.01


def test_neighbouring_places_seeds_and_streams_are_uncorrelated():
    drawn = uniform(torch.arange(200), (500,)).double() - 0.5
    other = uniform(torch.arange(200), (500,), 1).double() - 0.5
    for a, b in ((drawn[:, 1:], drawn[:, :-1]), (drawn[1:], drawn[:-1]), (drawn, other)):
        assert abs((a * b).mean().item() * 12) < 0.012  # four standard errors of 100 000 pairs


def test_image_seeds_differ_by_image_run_and_transformation():
    indices = torch.arange(1000)
    of = {(run, name): image_seeds(indices, run, name) for run in (0, 1) for name in ("elastic", "occlusion")}
    assert torch.cat(list(of.values())).unique().numel() == 4000
    assert torch.equal(image_seeds(indices[5:7], 0, "elastic"), of[0, "elastic"][5:7])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_draws_the_same_numbers():
    seeds = torch.arange(7)
    assert torch.equal(uniform(seeds.cuda(), (3, 50)).cpu(), uniform(seeds, (3, 50)))
