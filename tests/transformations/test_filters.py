"""Linear filters against scipy, block means and compression against Pillow."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from invariscope.transformations.filters import HighPass, HorizontalFilter, Sharpen, VerticalFilter
from invariscope.transformations.gaussian_blur import GaussianBlur
from invariscope.transformations.jpeg import Jpeg
from invariscope.transformations.pixelate import Pixelate
from invariscope.transformations.separable import kernel_matrices, mirrored


def images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def gaussian(given: torch.Tensor, sigma: float) -> np.ndarray:
    """The mirror on the last pixel is "mirror" in scipy; radius ⌈3σ⌉."""
    radius = int(np.ceil(3 * sigma))
    return ndimage.gaussian_filter(given.numpy(), sigma, mode="mirror", radius=radius, axes=(2, 3))


@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0, 1.7, 3.0])
def test_blur_is_scipys(sigma):
    given = images(2, 3, 12, 17)
    np.testing.assert_allclose(GaussianBlur()(given, sigma), gaussian(given, sigma), atol=1e-10)


def test_blurs_of_many_widths_share_a_batch():
    given = images(4, 3, 16, 16)
    out = GaussianBlur()(given, [0.0, 0.5, 4.0, 1.0])
    assert torch.equal(out[0], given[0])
    for place, sigma in ((1, 0.5), (2, 4.0), (3, 1.0)):
        np.testing.assert_allclose(out[place : place + 1], gaussian(given[place : place + 1], sigma), atol=1e-10)


def test_blur_keeps_flat_images_flat():
    assert (GaussianBlur()(torch.full((1, 1, 9, 9), 0.25, dtype=torch.float64), 2.0) - 0.25).abs().max() < 1e-12


def test_the_limits_and_the_grid_grow_with_the_image():
    assert GaussianBlur().limits(32, 48) == (0.0, 8.0)
    assert GaussianBlur().default_grid(64, 64) == (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
    assert GaussianBlur().default_grid(8, 32) == (0.0, 0.5, 1.0, 1.5, 2.0)
    assert Pixelate().limits(9, 30) == (1.0, 4.0)
    assert Pixelate().default_grid(8, 8) == (1.0, 2.0, 4.0)


def test_the_derivative_of_blur_at_the_identity_is_half_the_laplacian():
    given = images(1, 2, 9, 12)
    expected = ndimage.laplace(given.numpy(), mode="mirror", axes=(2, 3)) / 2
    np.testing.assert_allclose(GaussianBlur().derivative(given, 0.0), expected, atol=1e-12)


def test_the_derivative_of_blur_mixes_identity_and_others():
    given = images(2, 1, 12, 12)
    out = GaussianBlur().derivative(given, [0.0, 1.5])
    torch.testing.assert_close(out[:1], GaussianBlur().derivative(given[:1], 0.0))
    step = 1e-5
    expected = (GaussianBlur()(given[1:], (2.25 + step) ** 0.5) - GaussianBlur()(given[1:], (2.25 - step) ** 0.5)) / (
        2 * step
    )
    torch.testing.assert_close(out[1:], expected, atol=1e-8, rtol=1e-5)


def test_sharpening_adds_what_blur_takes_away():
    given = images(2, 3, 32, 64)
    expected = (given.numpy() + 2 * (given.numpy() - gaussian(given, 2.0))).clip(0, 1)
    np.testing.assert_allclose(Sharpen()(given, 2.0), expected, atol=1e-10)


def test_high_pass_blends_with_the_detail_on_grey():
    given = images(2, 3, 16, 32)
    filtered = given.numpy() - gaussian(given, 2.0) + 0.5
    np.testing.assert_allclose(HighPass()(given, 1.0), filtered, atol=1e-10)
    np.testing.assert_allclose(HighPass()(given, 0.25), 0.75 * given.numpy() + 0.25 * filtered, atol=1e-10)


def test_the_papers_kernel_is_the_literal_one():
    given = images(1, 3, 12, 15)
    taps = [-1, 2, 4, 2, -1]
    expected = ndimage.correlate(given.numpy(), np.outer(taps, taps)[None, None], mode="mirror")
    np.testing.assert_allclose(HighPass(kernel="paper")(given, 1.0), expected, atol=1e-10)


@pytest.mark.parametrize(("transformation", "axis"), [(HorizontalFilter, 3), (VerticalFilter, 2)])
def test_filters_are_prewitts(transformation, axis):
    given = images(2, 3, 9, 12)
    kernel = np.tile([-1.0, 0.0, 1.0], (3, 1)) / 6
    kernel = kernel if axis == 3 else kernel.T
    expected = ndimage.correlate(given.numpy(), kernel[None, None], mode="mirror") + 0.5
    np.testing.assert_allclose(transformation()(given, 1.0), expected, atol=1e-10)
    np.testing.assert_allclose(transformation()(given, 0.5), (given.numpy() + expected) / 2, atol=1e-10)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("taps", [1, 3, 9, 21])
def test_matrices_of_kernels_are_correlations_at_any_size(size, taps):
    kernel, signal = images(1, 1, 1, taps).flatten(), images(1, 1, 1, size).flatten()
    expected = ndimage.correlate1d(signal.numpy(), kernel.numpy(), mode="mirror")
    np.testing.assert_allclose(kernel_matrices(kernel[None], size)[0] @ signal, expected, atol=1e-10)


def test_mirrors_are_numpys():
    for size in (1, 2, 5):
        expected = np.pad(np.arange(size), 11, mode="reflect") if size > 1 else np.zeros(23, int)
        np.testing.assert_array_equal(mirrored(torch.arange(-11, size + 11), size), expected)


def test_pixels_are_means_of_blocks():
    given = images(2, 3, 10, 12)
    out = Pixelate()(given, [4, 2])
    for place, side in ((0, 4), (1, 2)):
        for top in range(0, 10, side):
            for left in range(0, 12, side):
                block = (place, slice(None), slice(top, top + side), slice(left, left + side))
                mean = given[block].mean((1, 2), keepdim=True)
                torch.testing.assert_close(out[block], mean.expand_as(out[block]))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [1, 10, 75, 99])
def test_jpeg_is_pillows(quality, channels):
    given = images(3, channels, 20, 27).float()
    out = Jpeg()(given, [100, quality, 50])
    assert torch.equal(out[0], given[0])
    pixels = (given[1] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    stream = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(stream, format="jpeg", quality=quality)
    expected = np.asarray(Image.open(stream)).reshape(20, 27, channels)
    np.testing.assert_allclose(out[1].permute(1, 2, 0), expected / 255, atol=1e-6)


def test_jpeg_passes_no_gradient():
    given = images(1, 3, 8, 8).requires_grad_()
    assert not Jpeg()(given, 50).requires_grad
