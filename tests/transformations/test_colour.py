"""Changes of value and colour against colorsys, Pillow and torchvision."""

import colorsys

import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as vision
from PIL import Image, ImageOps

from invariscope.core.errors import ShapeError
from invariscope.transformations.brightness import Brightness
from invariscope.transformations.color_jitter import ColorJitter
from invariscope.transformations.colour import luma
from invariscope.transformations.contrast import Contrast, Gain
from invariscope.transformations.gamma import Gamma
from invariscope.transformations.hue import Hue
from invariscope.transformations.inversion import Inversion
from invariscope.transformations.saturation import Grayscale, Saturation


def images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(7))


def bytes_of(image: torch.Tensor) -> np.ndarray:
    return (image * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


GREYS = torch.tensor([0.0, 0.25, 0.5, 1.0])[None, None, None]


@pytest.mark.parametrize(
    ("transformation", "magnitude", "expected"),
    [
        (Brightness, 0.5, [0.5, 0.75, 1.0, 1.0]),
        (Brightness, -0.25, [0.0, 0.0, 0.25, 0.75]),
        (Gain, 2.0, [0.0, 0.5, 1.0, 1.0]),
        (Gain, 0.0, [0.0, 0.0, 0.0, 0.0]),
        (Contrast, 0.0, [0.4375] * 4),
        (Contrast, 2.0, [0.0, 0.0625, 0.5625, 1.0]),
        (Gamma, 2.0, [0.0, 0.0625, 0.25, 1.0]),
        (Gamma, 0.5, [0.0, 0.5, 0.5**0.5, 1.0]),
        (Inversion, 1.0, [1.0, 0.75, 0.5, 0.0]),
        (Inversion, 0.5, [0.5, 0.5, 0.5, 0.5]),
        (Inversion, 0.25, [0.25, 0.375, 0.5, 0.75]),
    ],
)
def test_values_by_hand(transformation, magnitude, expected):
    torch.testing.assert_close(transformation()(GREYS, magnitude)[0, 0, 0], torch.tensor(expected))


@pytest.mark.parametrize("degrees", [30.0, -60.0, 119.0, 180.0, -180.0, -150.0])
def test_hue_is_colorsys(degrees):
    given = images(1, 3, 10, 20).double()
    given[..., 0, :4] = given[:, :1, 0, :4]  # grey pixels have no hue
    given[..., 1, :2] = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])  # two channels alike
    expected = np.empty((10, 20, 3))
    for place in np.ndindex(10, 20):
        hue, saturation, value = colorsys.rgb_to_hsv(*given[0, :, place[0], place[1]].tolist())
        expected[place] = colorsys.hsv_to_rgb((hue + degrees / 360) % 1, saturation, value)
    np.testing.assert_allclose(Hue()(given, degrees)[0].permute(1, 2, 0), expected, atol=1e-12)


def test_half_a_turn_of_hue_is_the_sum_of_the_extremes_minus_the_value():
    given = images(3, 3, 8, 8)
    mirrored = given.amax(1, keepdim=True) + given.amin(1, keepdim=True) - given
    assert torch.equal(Hue()(given, 180.0), mirrored)
    mixed = Hue()(given, [180.0, 20.0, -180.0])
    assert torch.equal(mixed[::2], mirrored[::2])
    torch.testing.assert_close(mixed[1:2], Hue()(given[1:2], 20.0))


@pytest.mark.parametrize("degrees", [72.0, -100.0])
def test_hue_is_that_of_torchvision(degrees):
    given = images(2, 3, 16, 16)
    torch.testing.assert_close(Hue()(given, degrees), vision.adjust_hue(given, degrees / 360), atol=1e-5, rtol=0)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.7, 4.0])
def test_saturation_and_contrast_are_those_of_torchvision(factor):
    given = images(1, 3, 16, 16)
    # Its weights of luminance are rounded to four digits.
    expected = vision.adjust_saturation(given, factor)
    torch.testing.assert_close(Saturation()(given, factor), expected, atol=2e-3, rtol=0)
    torch.testing.assert_close(Contrast()(given, factor), vision.adjust_contrast(given, factor), atol=2e-3, rtol=0)


def test_gain_and_gamma_are_those_of_torchvision():
    given = images(1, 3, 16, 16)
    torch.testing.assert_close(Gain()(given, 1.5), vision.adjust_brightness(given, 1.5))
    torch.testing.assert_close(Gamma()(given, 2.2), vision.adjust_gamma(given, 2.2))


def test_grey_and_negative_are_pillows():
    given = images(1, 3, 16, 16)
    pillow = Image.fromarray(bytes_of(given[0]))
    grey = np.asarray(ImageOps.grayscale(pillow)) / 255
    np.testing.assert_allclose(Grayscale()(given, 1.0)[0, 0], grey, atol=1.5 / 255)
    negative = np.asarray(ImageOps.invert(pillow)) / 255
    np.testing.assert_allclose(Inversion()(given, 1.0)[0].permute(1, 2, 0), negative, atol=1 / 255)


def test_grey_has_three_equal_channels_and_half_way_is_half_way():
    given = images(2, 3, 6, 6)
    grey = Grayscale()(given, 1.0)
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert torch.equal(grey[:, 0], grey[:, 2])
    torch.testing.assert_close(Grayscale()(given, 0.5), (given + grey) / 2)


def test_luminance_weighs_colours_and_averages_anything_else():
    assert luma(torch.eye(3)[None, :, :, None]).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])
    assert luma(torch.eye(2)[None, :, :, None]).flatten().tolist() == [0.5, 0.5]


@pytest.mark.parametrize("transformation", [Hue, Saturation, Grayscale])
def test_colour_of_grey_images_does_not_change(transformation):
    given = images(2, 1, 6, 6)
    end = transformation.span[1] * 0.5
    assert torch.equal(transformation()(given, end), given)


@pytest.mark.parametrize("transformation", [Hue, Saturation, Grayscale, ColorJitter])
def test_other_numbers_of_channels_have_no_colour(transformation):
    with pytest.raises(ShapeError, match=r"takes colour images \(3 channels\) or grey ones \(1 channel\); got 4"):
        transformation()(images(2, 4, 6, 6), 0.5, seeds=torch.arange(2))


def test_gamma_keeps_the_sign_and_has_finite_gradients_at_black():
    given = torch.tensor([-0.25, 0.0, 0.25])[None, None, None].requires_grad_()
    magnitude = torch.tensor(0.5, requires_grad=True)
    out = Gamma()(given, magnitude)
    torch.testing.assert_close(out.detach().flatten(), torch.tensor([-0.5, 0.0, 0.5]))
    out.sum().backward()
    assert given.grad.isfinite().all()
    assert magnitude.grad.isfinite()


def test_jitter_is_within_its_ranges_and_grows_with_the_strength():
    given, seeds = images(1, 3, 8, 8).repeat(400, 1, 1, 1) * 0.5, torch.arange(400)
    grey = torch.full((400, 3, 1, 1), 0.5)
    # On a flat grey image contrast, saturation and hue do nothing: what is left is the gain, 1 ± 0.6.
    gains = ColorJitter()(grey, 1.0, seeds=seeds)[:, 0].flatten() / 0.5
    assert 0.4 - 1e-6 <= gains.min() < 0.45
    assert 1.55 < gains.max() <= 1.6 + 1e-6
    half = ColorJitter()(grey, 0.5, seeds=seeds)[:, 0].flatten() / 0.5
    torch.testing.assert_close(half - 1, (gains - 1) / 2, atol=1e-5, rtol=0)
    change = [(ColorJitter()(given, v, seeds=seeds) - given).abs().mean() for v in (0.1, 0.3, 0.6, 1.0)]
    assert change == sorted(change)


def test_jitter_of_grey_images_is_gain_and_contrast():
    given, seeds = images(2, 1, 8, 8), torch.tensor([3, 4])
    colour = ColorJitter()(given.expand(2, 3, 8, 8), 0.4, seeds=seeds)
    torch.testing.assert_close(ColorJitter()(given, 0.4, seeds=seeds).expand(2, 3, 8, 8), colour, atol=1e-5, rtol=0)
