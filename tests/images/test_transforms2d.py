"""Pictorial objects, their backgrounds, and that colour alone does not tell them apart."""

import numpy as np
import pytest
import torch
from matplotlib.ft2font import FT2Font
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from invariscope.core.errors import SettingError
from invariscope.images.backgrounds import POOL, background_pool
from invariscope.images.builtin_transforms2d import paste, premultiplied
from invariscope.images.bundled import matplotlib_font
from invariscope.images.load import load_images
from invariscope.images.placing import Jitter, place
from invariscope.images.prototypes import LIVERIES, object_prototypes
from invariscope.images.symbols import SYMBOLS
from invariscope.images.textures import PATTERNS, pattern
from invariscope.networks.recipe import Recipe

STILL = Jitter(shift=0.0, zoom=(1.0, 1.0), tilt=0.0)


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_there_are_seventy_signs_with_distinct_names_in_order():
    charmap = FT2Font(str(matplotlib_font("DejaVuSans"))).get_charmap()
    assert [name for name, sign in SYMBOLS.items() if ord(sign) not in charmap] == []
    assert len(SYMBOLS) == len(set(SYMBOLS.values())) == 70
    assert list(SYMBOLS) == sorted(SYMBOLS, key=str.casefold)


def test_every_object_has_a_pattern_of_two_colours_and_clear_edges():
    objects = object_prototypes()
    assert objects.shape == (70, len(LIVERIES), 4, 96, 96)
    opacity = objects[:, :, 3].float() / 255
    assert opacity[..., 0, :].max() == opacity[..., :, 0].max() == 0
    assert (opacity.mean((2, 3)) > 0.05).all()
    assert (objects[:, :, 3] == objects[:, :1, 3]).all()
    weight = opacity[:, :, None] / opacity.sum((2, 3))[:, :, None, None, None]
    mean = (objects[:, :, :3].float() * weight).sum((3, 4), keepdim=True)
    spread = ((objects[:, :, :3].float() - mean) ** 2 * weight).sum((2, 3, 4)).sqrt()
    assert spread.min() > 30


def test_objects_differ_from_each_other():
    shapes = object_prototypes(48)[:, 0].float().flatten(1)
    assert torch.cdist(shapes, shapes).add(1e9 * torch.eye(70)).min() > 0.1 * shapes.norm(dim=1).mean()


def test_pools_are_large_disjoint_and_repeatable():
    train, test = background_pool("train"), background_pool("test")
    assert len(train) == len(test) == POOL >= 200
    assert len(torch.cat([train, test]).flatten(1).unique(dim=0)) == 2 * POOL
    assert torch.equal(train, background_pool("train"))
    assert not torch.equal(train, background_pool("train", seed=1))


@pytest.mark.parametrize("kind", PATTERNS)
def test_a_pattern_mixes_both_colours_and_repeats(kind):
    weights = pattern(kind, 64, 16.0, 30.0, draw())
    assert weights.shape == (64, 64)
    assert weights.min() >= 0
    assert weights.max() <= 1
    assert 0.15 < weights.mean() < 0.85
    assert np.array_equal(weights, pattern(kind, 64, 16.0, 30.0, draw()))


def test_stripes_have_their_period_and_angle():
    upright = pattern("stripes", 64, 16.0, 0.0, draw())
    assert np.allclose(upright, upright[:1])
    assert np.allclose(upright[:, 16:], upright[:, :-16])
    assert np.allclose(pattern("stripes", 64, 16.0, 90.0, draw()), pattern("stripes", 64, 16.0, 90.0, draw())[:, :1])


def test_pasting_weighs_by_opacity():
    objects = torch.tensor([200, 100, 0, 51], dtype=torch.uint8).reshape(1, 4, 1, 1)
    behind = torch.tensor([0, 100, 50], dtype=torch.uint8).reshape(1, 3, 1, 1)
    # 51/255 = 0.2: 0.2·200 + 0.8·0, 0.2·100 + 0.8·100, 0.2·0 + 0.8·50
    assert paste(premultiplied(objects), behind).flatten().tolist() == [40, 100, 40]


def test_a_still_placement_is_an_average():
    pictures = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.avg_pool2d(pictures, 3)
    torch.testing.assert_close(place(pictures, STILL, draw(), 16), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "jitter", [Jitter(0.1, (1.0, 1.0), 0.0), Jitter(0.0, (0.8, 1.2), 0.0), Jitter(0.0, (1.0, 1.0), 10.0)]
)
def test_jitter_stays_within_its_bounds(jitter):
    square = torch.zeros(200, 1, 64, 64)
    square[:, :, 16:48, 16:48] = 1
    placed = place(square, jitter, draw(), 64)
    rows = torch.arange(64.0)[:, None] + 0.5 - 32
    mass = placed.sum((1, 2, 3))
    centre = (placed[:, 0] * rows).sum((1, 2)) / mass
    side = mass.sqrt() / 32
    assert centre.abs().max() <= 64 * jitter.shift + 0.1
    assert centre.abs().max() >= 0.9 * 64 * jitter.shift
    assert side.min() >= jitter.zoom[0] - 0.02
    assert side.max() <= jitter.zoom[1] + 0.02
    assert side.max() - side.min() >= 0.9 * (jitter.zoom[1] - jitter.zoom[0])


def test_mean_colour_does_not_tell_the_category():
    sets = {split: load_images(f"builtin:transforms2d?split={split}") for split in ("train", "test")}
    mean = {split: s.fit(Recipe()).pixels.float().mean((2, 3)).numpy() / 255 for split, s in sets.items()}
    for classifier in (LogisticRegression(max_iter=500), RandomForestClassifier(20, random_state=0)):
        classifier.fit(mean["train"], sets["train"].labels)
        assert classifier.score(mean["test"], sets["test"].labels) < 3 / 70


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("split=val", "got 'val'"),
        ("size=8", "16 to 256 pixels a side; got size=8"),
        ("per_class=-2", "got per_class=-2"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(SettingError, match=message):
        load_images(f"builtin:transforms2d?{options}")
