"""The glyphs in colour: colour is there, changes what it should, and tells nothing of the class."""

import colorsys

import numpy as np
import pytest
import torch

from invariscope.core.errors import SettingError
from invariscope.images.builtin_glyphs import _colours
from invariscope.images.load import load_images
from invariscope.networks.recipe import LUMA, Recipe
from invariscope.transformations.hue import Hue
from invariscope.transformations.saturation import Grayscale

SPEC = "builtin:glyphs?color=true"


@pytest.fixture(scope="module")
def coloured() -> dict[str, torch.Tensor]:
    sets = {split: load_images(f"{SPEC}&split={split}") for split in ("train", "test")}
    found = {split: images.fit(Recipe()).pixels.float() / 255 for split, images in sets.items()}
    return {**found, **{f"{split} labels": torch.as_tensor(images.labels) for split, images in sets.items()}}


def test_the_colour_of_a_hue_is_that_of_another_library():
    random = np.random.default_rng(0)
    hues, saturations = random.random(50), random.random(50)
    expected = [colorsys.hsv_to_rgb(h, s, 1.0) for h, s in zip(hues, saturations, strict=True)]
    assert _colours(hues, saturations).flatten(1).numpy() == pytest.approx(np.array(expected), abs=1e-6)


def test_shapes_and_options():
    images = load_images(f"{SPEC}&per_class=2&size=24")
    assert images.fit(Recipe()).pixels.shape == (120, 3, 24, 24)
    assert "color=true" in images.spec
    assert images.fingerprint != load_images("builtin:glyphs?per_class=2&size=24").fingerprint
    grey = load_images("builtin:glyphs?per_class=2&color=false")
    assert grey.fingerprint == load_images("builtin:glyphs?per_class=2").fingerprint
    with pytest.raises(SettingError, match="'color' of builtin:glyphs is true or false; got 'perhaps'"):
        load_images("builtin:glyphs?color=perhaps")


def test_the_grey_set_is_as_it_was():
    assert load_images("builtin:glyphs").fingerprint == "61a33da2029c192724471fd136dab8e6"


def test_the_same_signs_at_the_same_places(coloured: dict[str, torch.Tensor]):
    grey = load_images("builtin:glyphs").fit(Recipe(channels=1)).pixels[:, 0].float() / 255
    luma = (coloured["test"] * torch.tensor(LUMA).view(3, 1, 1)).sum(1)
    pairs = torch.stack([grey.flatten(1), luma.flatten(1)])
    centred = pairs - pairs.mean(2, keepdim=True)
    alike = (centred[0] * centred[1]).sum(1) / (centred[0].norm(dim=1) * centred[1].norm(dim=1))
    assert float(alike.median()) > 0.95


def test_hue_and_grayscale_change_every_image(coloured: dict[str, torch.Tensor]):
    images = coloured["test"]
    for changed in (Hue()(images, 180.0), Grayscale()(images, 1.0)):
        difference = (changed - images).abs().flatten(1).mean(1)
        assert float(difference.median()) > 0.04
        assert float(difference.min()) > 0.005


def test_signs_are_warm_and_lighter_than_what_is_behind_them(coloured: dict[str, torch.Tensor]):
    images = coloured["train"]
    mean = images.mean((0, 2, 3))
    assert mean[0] > mean[1] > mean[2]
    sign = images.flatten(2).amax(1).topk(20, dim=1)
    colours = images.flatten(2).gather(2, sign.indices[:, None].expand(-1, 3, -1)).mean(2)
    assert bool((colours[:, 0] >= 0.8 * colours.amax(1)).float().mean() > 0.97)
    behind = images.flatten(2).amax(1).quantile(0.3, dim=1)
    assert float((sign.values.mean(1) - behind).min()) > 0.1
    assert float((sign.values.mean(1) - behind).median()) > 0.5


def test_colours_are_of_the_drawn_range():
    images = load_images(f"{SPEC}&per_class=1&size=64").fit(Recipe()).pixels.float() / 255
    # The brightest place lies inside a sign, where there is its colour alone.
    brightest = images.flatten(2).amax(1).argmax(1)
    colours = images.flatten(2)[torch.arange(60), :, brightest]
    hues = np.array([colorsys.rgb_to_hsv(*colour)[0] for colour in colours.tolist()])
    assert bool((((hues + 0.06) % 1) < 0.27).all())
    assert hues.std() > 0.05


def test_colour_alone_tells_nothing_of_the_class(coloured: dict[str, torch.Tensor]):
    def described(images: torch.Tensor) -> torch.Tensor:
        flat = images.flatten(2)
        # The mean colour, and that of the brightest pixels, without their brightness.
        bright = flat.gather(2, flat.sum(1, keepdim=True).topk(20, dim=2).indices.expand(-1, 3, -1)).mean(2)
        mean = flat.mean(2)
        return torch.cat([mean / mean.sum(1, keepdim=True), bright / bright.sum(1, keepdim=True)], dim=1)

    train, labels = described(coloured["train"]), coloured["train labels"]
    prototypes = torch.stack([train[labels == label].mean(0) for label in range(60)])
    nearest = torch.cdist(described(coloured["test"]), prototypes).argmin(1)
    # Chance is 1.7 %; five standard deviations of 1200 draws above it are 3.5 %.
    assert float((nearest == coloured["test labels"]).float().mean()) < 0.035
