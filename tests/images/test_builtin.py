"""Digits and glyphs: what is in them, and that it is always the same."""

import time

import numpy as np
import pytest
import torch
from matplotlib.ft2font import FT2Font
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from invariscope.images.artwork import FACES, draw_signs
from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.builtin_glyphs import GLYPHS
from invariscope.images.bundled import matplotlib_font
from invariscope.images.load import load_images
from invariscope.images.photographs import photograph_crops, photographs
from invariscope.networks.recipe import Recipe

ANY = Recipe(channels=0)


def pixels(spec: str) -> torch.Tensor:
    return load_images(spec).fit(ANY).pixels


@pytest.mark.parametrize("name", BUILTIN_IMAGES)
def test_a_set_is_the_same_every_time_and_another_with_another_seed(name):
    first, again, other = (load_images(f"builtin:{name}?seed={seed}") for seed in (3, 3, 4))
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
    assert first.classes == other.classes


@pytest.mark.parametrize("name", BUILTIN_IMAGES)
def test_training_and_test_images_are_different_ones(name):
    train, test = (pixels(f"builtin:{name}?split={split}") for split in ("train", "test"))
    together = torch.cat([train, test]).flatten(1).unique(dim=0)
    assert len(together) == len(train) + len(test)


@pytest.mark.parametrize("name", BUILTIN_IMAGES)
def test_every_class_is_there_and_the_first_images_show_all(name):
    images = load_images(f"builtin:{name}")
    counts = np.bincount(images.labels, minlength=images.n_classes)
    assert counts.min() > 0
    assert set(images.labels[: images.n_classes].tolist()) == set(range(images.n_classes))


@pytest.mark.parametrize("name", BUILTIN_IMAGES)
def test_every_option_has_a_sentence(name):
    assert BUILTIN_IMAGES[name].__doc__.splitlines()[0].endswith(".")
    for option in ("split", "seed"):
        assert f"{option}: " in BUILTIN_IMAGES[name].__doc__


def test_the_digits_are_scikit_learns():
    images = load_images("builtin:digits?split=all")
    found = images.fit(ANY).pixels[:, 0].numpy() / (255 / 16)
    expected = load_digits()
    key = [(*row, label) for row, label in zip(np.round(found).reshape(-1, 64).tolist(), images.labels, strict=True)]
    truth = [(*row, label) for row, label in zip(expected.data.tolist(), expected.target, strict=True)]
    assert sorted(key) == sorted(truth)


def test_the_splits_of_the_digits_are_a_third_and_two_of_each_class():
    test, train = (np.bincount(load_images(f"builtin:digits?split={s}").labels) for s in ("test", "train"))
    assert (test + train).tolist() == np.bincount(load_digits().target).tolist()
    assert np.abs(test - (test + train) / 3).max() <= 0.5


def test_the_photographs_are_scikit_learns():
    for ours, theirs in zip(photographs(), load_sample_images().images, strict=True):
        assert np.array_equal(np.asarray(ours), theirs)


def test_crops_for_training_and_testing_share_no_pixel(monkeypatch):
    # A photograph whose pixels say which field they lie in: fields of one split must never show in the other's crops.
    rows = np.arange(400) // 100
    columns = np.arange(600) // 100
    board = Image.fromarray(((rows[:, None] + columns) % 2 * 255).astype(np.uint8)).convert("RGB")
    monkeypatch.setattr("invariscope.images.photographs.photographs", lambda: (board,))
    assert photograph_crops(200, 8, "train", 0).unique().tolist() == [0]
    assert photograph_crops(200, 8, "test", 0).unique().tolist() == [255]


def test_every_glyph_is_in_every_face():
    for face in FACES:
        charmap = FT2Font(str(matplotlib_font(face))).get_charmap()
        assert [sign for sign in GLYPHS if ord(sign) not in charmap] == []


def test_there_are_sixty_different_glyphs_and_none_is_another_after_a_quarter_turn():
    assert len(GLYPHS) == len(set(GLYPHS)) == 60
    ink = draw_signs(GLYPHS, FACES[:1], size=32)[:, 0].float().flatten(1)
    ink = ink / ink.norm(dim=1, keepdim=True)
    turned = torch.rot90(ink.reshape(60, 32, 32), 1, (1, 2)).flatten(1)
    assert (ink @ ink.T - 2 * torch.eye(60)).max() < 0.97
    assert (ink @ turned.T).max() < 0.9


def test_signs_are_centred_and_as_large_as_asked():
    ink = draw_signs("AJ♀∞", FACES[:4], size=40, share=0.75)
    for picture in ink.reshape(-1, 40, 40):
        rows, columns = (picture > 10).nonzero(as_tuple=True)
        extent = [int(axis.max() - axis.min()) + 1 for axis in (rows, columns)]
        assert 28 <= max(extent) <= 30
        for axis in (rows, columns):
            assert abs((int(axis.min()) + int(axis.max())) / 2 - 19.5) <= 1.5


def test_glyphs_are_lighter_than_what_is_behind_them():
    images = pixels("builtin:glyphs?split=train").float() / 255
    assert images.shape == (2400, 1, 16, 16)
    assert (images.flatten(1).amax(1) > 0.5).float().mean() > 0.95
    assert images.flatten(1).median(1).values.mean() < 0.35


def test_the_options_of_the_glyphs_do_what_they_say():
    assert pixels("builtin:glyphs?per_class=3&size=24").shape == (180, 1, 24, 24)
    assert len(load_images("builtin:glyphs")) == 1200


def test_the_demonstration_set_is_drawn_in_two_seconds():
    load_images("builtin:glyphs?per_class=1")
    start = time.process_time()
    load_images("builtin:glyphs?split=train")
    load_images("builtin:glyphs?split=test")
    assert time.process_time() - start < 2
