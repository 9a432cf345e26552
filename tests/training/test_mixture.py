from collections import Counter

import pytest
import torch
from training_world import bars, tiny

from invariscope.core.errors import MagnitudeError, SettingError, UnknownNameError
from invariscope.training.mixture import Mixture, make_parts, own_parts, plain_magnitudes
from invariscope.training.paradigm import seen_classes
from invariscope.transformations.base import TRANSFORMATIONS

PLACES = torch.arange(4000)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [1, 4, 7, 30, 60])
def test_each_seen_class_has_its_own_transformation_in_equal_numbers(seed, k):
    own = own_parts(60, 4, seed)
    counts = Counter(own[label] for label in seen_classes(60, k, seed))
    assert max(counts.values()) - min(counts.get(part, 0) for part in range(4)) <= 1


def test_other_seeds_assign_otherwise():
    assert len({own_parts(12, 3, seed) for seed in range(8)}) == 8


def grey(values):
    return torch.tensor(values).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone()


def test_classes_get_their_own_transformation():
    mixture = Mixture(make_parts("inversion+brightness", (1.0, 0.25)), own=(1, 0, 1))
    labels = torch.tensor([0, 1, 2, 1])
    changed = mixture(grey([0.5, 0.25, 0.5, 1.0]), PLACES[:4], labels, 0)
    assert changed[:, 0, 0, 0].tolist() == [0.75, 0.75, 0.75, 0.0]


def test_every_transformation_is_drawn_alike_and_again_the_same():
    mixture = Mixture(make_parts("inversion+brightness+rotation", (1.0, 0.25, 90.0)))
    labels = torch.zeros(len(PLACES), dtype=torch.int64)
    which = mixture.which(PLACES, labels, 0, "training/")
    # 4000 draws: the standard deviation of a share is 0.0075.
    torch.testing.assert_close(torch.bincount(which) / len(which), torch.full((3,), 1 / 3), atol=0.03, rtol=0)
    assert torch.equal(which, mixture.which(PLACES, labels, 0, "training/"))
    for other in (mixture.which(PLACES, labels, 1, "training/"), mixture.which(PLACES, labels, 0, "")):
        assert abs((which == other).float().mean().item() - 1 / 3) < 0.04


def test_magnitudes_are_uniform_on_their_range_and_fresh_at_every_place():
    (part,) = make_parts("brightness", (0.1, 0.3))
    got = part(torch.zeros(4000, 1, 1, 1), PLACES, 0, "training/").flatten()
    assert got.min() >= 0.1
    assert got.max() <= 0.3
    shares = torch.histc(got, 4, 0.1, 0.3) / 4000
    torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.03, rtol=0)
    assert len(got.unique()) > 3900
    assert torch.equal(got, part(torch.zeros(4000, 1, 1, 1), PLACES, 0, "training/").flatten())
    later = part(torch.zeros(4000, 1, 1, 1), PLACES + 4000, 0, "training/").flatten()
    assert abs(torch.corrcoef(torch.stack([got, later]))[0, 1]) < 0.05


def test_whole_magnitudes_are_drawn_whole_and_evenly():
    name = next(name for name, kind in TRANSFORMATIONS.items() if kind.whole and kind.span[1] >= 4)
    (part,) = make_parts(name, (1.0, 4.0))
    seen = []

    class Spy:
        name, random, whole = part.transformation.name, False, True

        def __call__(self, images, magnitude, *, seeds=None):
            seen.append(magnitude)
            return images

    object.__setattr__(part, "transformation", Spy())
    part(torch.zeros(4000, 1, 1, 1), PLACES, 0, "")
    counts = Counter(seen[0].tolist())
    assert sorted(counts) == [1.0, 2.0, 3.0, 4.0]
    assert min(counts.values()) > 850


def test_one_fixed_transformation_is_just_that():
    images = bars(3, seed=0).fit(tiny().recipe).batch(list(range(18)))
    labels = torch.arange(18) % 6
    changed = Mixture(make_parts("rotation", 90.0))(images, PLACES[:18], labels, 0)
    assert torch.equal(changed, TRANSFORMATIONS["rotation"]()(images, 90.0))


def test_magnitudes_in_plain_form():
    assert plain_magnitudes("rotation", 90) == 90.0
    assert plain_magnitudes("rotation", [15, 15]) == 15.0
    assert plain_magnitudes("hue+rotation", [[30, 60], 90]) == ((30.0, 60.0), 90.0)


@pytest.mark.parametrize(
    ("names", "magnitude", "kind", "message"),
    [
        ("hue+rotation", 1.0, SettingError, "2 transformations and take one magnitude each; got 1.0"),
        ("hue+rotation", (1.0, 2.0, 3.0), SettingError, "take one magnitude each"),
        ("rotation", (1.0, 2.0, 3.0), SettingError, "the two ends of a range"),
        ("rotation", "much", SettingError, "rotation takes a magnitude"),
        ("hue+hue", (1.0, 2.0), SettingError, "hue is named twice"),
        ("hue+rotaton", (1.0, 2.0), UnknownNameError, "Did you mean 'rotation'"),
        ("rotation", (15.0, 1e9), MagnitudeError, "rotation takes magnitudes from"),
        ("rotation", (0.0, 0.0), SettingError, "rotation 0 changes no image"),
    ],
)
def test_bad_magnitudes(names, magnitude, kind, message):
    with pytest.raises(kind, match=message):
        make_parts(names, plain_magnitudes(names, magnitude))
