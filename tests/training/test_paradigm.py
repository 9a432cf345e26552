from itertools import pairwise

import pytest
import torch

from invariscope.core.errors import SettingError
from invariscope.training.paradigm import Sampler, generator, seen_classes


@pytest.mark.parametrize("seed", range(5))
def test_seen_sets_are_nested(seed):
    sets = [set(seen_classes(60, k, seed)) for k in (0, 1, 15, 30, 45, 54, 60)]
    assert [len(seen) for seen in sets] == [0, 1, 15, 30, 45, 54, 60]
    assert all(small < large for small, large in pairwise(sets))


def test_seen_sets_differ_between_seeds():
    assert len({seen_classes(60, 5, seed) for seed in range(10)}) == 10


@pytest.mark.parametrize("k", [-1, 61])
def test_more_seen_classes_than_there_are(k):
    with pytest.raises(SettingError, match=f"from 0 to all 60; got k = {k}"):
        seen_classes(60, k, 0)


def test_generators_of_other_purposes_are_independent():
    draws = {torch.rand(1, generator=generator(seed, name)).item() for seed in range(3) for name in ("order", "coin")}
    assert len(draws) == 6


def draw_many(sampler, epochs):
    draws = [draw for _ in range(epochs) for draw in sampler.epoch()]
    indices = torch.cat([draw.indices for draw in draws])
    transformed = torch.cat([torch.arange(len(draw.indices)) < draw.n_transformed for draw in draws])
    return indices, transformed, torch.cat([draw.places for draw in draws])


def test_classes_are_drawn_evenly_even_when_images_are_not():
    labels = torch.tensor([0] * 300 + [1] * 30 + [2] * 70)
    indices, transformed, _ = draw_many(Sampler(labels, 3, (1,), seed=4, batch_size=50), 50)
    shares = torch.bincount(labels[indices]) / len(indices)
    # 20,000 draws: the standard deviation of a share is 0.0033.
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), atol=0.015, rtol=0)
    assert not transformed[labels[indices] != 1].any()
    assert abs(transformed[labels[indices] == 1].float().mean() - 0.5) < 0.03
    counts = torch.bincount(indices[labels[indices] == 1], minlength=330)[300:]
    assert counts.min() > 130, "every image of a class is drawn about 222 times"


def test_places_never_repeat():
    places = draw_many(Sampler(torch.arange(10) % 5, 5, (0, 1), seed=0, batch_size=4), 7)[2]
    assert places.sort().values.tolist() == list(range(len(places))) == list(range(7 * 2 * 4))


def test_larger_seen_sets_share_images_and_coins():
    labels = torch.arange(120) % 6
    by_place = []
    for seen in ((2,), (1, 2, 5)):
        indices, transformed, places = (part.tolist() for part in draw_many(Sampler(labels, 6, seen, 1, 8), 2))
        by_place.append(dict(zip(places, zip(indices, transformed, strict=True), strict=True)))
    assert {place: image for place, (image, _) in by_place[0].items()} == {
        place: image for place, (image, _) in by_place[1].items()
    }
    first = {place for place, (_, transformed) in by_place[0].items() if transformed}
    second = {place for place, (_, transformed) in by_place[1].items() if transformed}
    assert first < second
    assert {place for place in second if int(labels[by_place[1][place][0]]) == 2} == first


def test_a_class_without_images():
    with pytest.raises(SettingError, match="class 1 has no training image"):
        Sampler(torch.tensor([0, 2]), 3, (), seed=0, batch_size=1)


def test_fewer_images_than_a_batch():
    draws = list(Sampler(torch.tensor([0, 1, 1]), 2, (), seed=0, batch_size=64).epoch())
    assert [len(draw.indices) for draw in draws] == [3]
