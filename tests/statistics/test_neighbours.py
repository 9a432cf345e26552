"""Neighbours in processing order: the null's partners."""

import pytest
import torch

from invariscope.statistics.derangement import neighbours


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 9, 31])
def test_neighbours_are_others_and_lie_next_to_each_other(n: int) -> None:
    partner = neighbours(n)
    assert partner is not None
    assert sorted(partner.tolist()) == list(range(n))
    assert bool((partner != torch.arange(n)).all())
    assert int((partner - torch.arange(n)).abs().max()) <= (2 if n % 2 else 1)


def test_a_single_image_has_no_neighbour() -> None:
    assert neighbours(1) is None
