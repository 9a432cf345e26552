"""Resize and crop against torchvision and Pillow."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from invariscope.core.errors import ImageError
from invariscope.images.geometry import fit_images, resized_size
from invariscope.networks.recipe import Recipe


def picture(height: int, width: int) -> torch.Tensor:
    draw = np.random.Generator(np.random.PCG64(0))
    coarse = Image.fromarray(draw.integers(0, 256, (height // 6 + 2, width // 6 + 2, 3), dtype=np.uint8))
    return torch.from_numpy(np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))).permute(2, 0, 1)


@pytest.mark.parametrize(("height", "width"), [(300, 401), (401, 300), (256, 256), (100, 333), (231, 900)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
def test_resize_and_crop_are_torchvisions(height, width, interpolation):
    image = picture(height, width)
    mode = v2.InterpolationMode(interpolation)
    expected = v2.Compose([v2.Resize(256, interpolation=mode, antialias=True), v2.CenterCrop(224)])(image)
    found = fit_images(image[None], Recipe(size=(224, 224), resize=256, interpolation=interpolation))[0]
    assert torch.equal(found, expected)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos", "box", "hamming"])
def test_the_resize_is_pillows_within_rounding(interpolation):
    image = picture(300, 400)
    pillow = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((120, 90), Image.Resampling[interpolation.upper()])
    found = fit_images(image[None], Recipe(size=(90, 120), resize=90, interpolation=interpolation))[0]
    gap = (found.permute(1, 2, 0).int() - torch.from_numpy(np.array(pillow)).int()).abs()
    assert gap.max() <= 2
    assert gap.float().mean() < 0.1


@given(st.integers(4, 200), st.integers(4, 200), st.integers(4, 64), st.integers(4, 64))
@settings(max_examples=60, deadline=None)
def test_a_size_alone_is_just_covered_and_cropped(height, width, rows, columns):
    recipe = Recipe(size=(rows, columns))
    covered = resized_size(height, width, recipe)
    assert covered[0] >= rows
    assert covered[1] >= columns
    assert covered[0] == rows or covered[1] == columns
    assert fit_images(torch.zeros(1, 3, height, width, dtype=torch.uint8), recipe).shape == (1, 3, rows, columns)


def test_the_shorter_side_becomes_the_resize():
    assert resized_size(375, 500, Recipe(resize=256)) == (256, 341)
    assert resized_size(500, 375, Recipe(resize=256)) == (341, 256)


def test_an_image_of_the_right_size_is_not_touched():
    images = picture(32, 32)[None]
    assert fit_images(images, Recipe(size=(32, 32))) is images
    assert fit_images(images, Recipe()) is images


def test_a_crop_larger_than_the_image_is_padded_as_torchvision_pads():
    image = picture(20, 24)
    expected = v2.CenterCrop(32)(v2.Resize(20, antialias=True)(image))
    assert torch.equal(fit_images(image[None], Recipe(size=(32, 32), resize=20))[0], expected)


def test_float_images_stay_within_their_range_after_bicubic():
    images = (torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    enlarged = fit_images(images, Recipe(size=(64, 64), resize=64, interpolation="bicubic"))
    assert enlarged.min() >= 0
    assert enlarged.max() <= 1


def test_grey_becomes_as_many_channels_as_the_network_takes():
    grey = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4)
    assert torch.equal(fit_images(grey, Recipe())[0, 2], grey[0, 0])
    assert fit_images(grey, Recipe(channels=0)) is grey


def test_colour_becomes_luma_for_a_grey_network():
    primaries = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=torch.uint8)[:, :, None, None]
    assert fit_images(primaries, Recipe(channels=1)).flatten().tolist() == [76, 150, 29]


def test_four_channels_lose_the_fourth():
    images = torch.arange(4, dtype=torch.uint8).reshape(1, 4, 1, 1)
    assert fit_images(images, Recipe()).flatten().tolist() == [0, 1, 2]
    assert fit_images(images, Recipe(channels=4)) is images


def test_channels_that_cannot_be_made_are_refused():
    with pytest.raises(ImageError, match="the images have 3 channels and the network takes 5"):
        fit_images(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), Recipe(channels=5))


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(ImageError, match=r"'sinc' interpolation; known: nearest, .*lanczos"):
        fit_images(torch.zeros(1, 3, 4, 4), Recipe(size=(2, 2), interpolation="sinc"))


def test_lanczos_of_float_images_is_refused():
    with pytest.raises(ImageError, match="lanczos interpolation takes 8-bit images"):
        fit_images(torch.zeros(1, 3, 4, 4), Recipe(size=(2, 2), interpolation="lanczos"))
