"""Geometric transformations against independent references: signs, pixel centres, borders."""

import math

import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as vision
from scipy import ndimage
from torchvision.transforms import InterpolationMode

from invariscope.core.errors import SeedError, SettingError
from invariscope.transformations.elastic import Elastic
from invariscope.transformations.flips import HorizontalFlip, VerticalFlip
from invariscope.transformations.occlusion import Occlusion
from invariscope.transformations.perspective import Perspective
from invariscope.transformations.rotation import Rotation
from invariscope.transformations.scale import ScaleX, ScaleY, Zoom
from invariscope.transformations.shear import Shear
from invariscope.transformations.thinning import Thinning
from invariscope.transformations.translation import TranslationX, TranslationY


def images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (-90, -1), (-180, 2)])
def test_rotation_turns_anticlockwise_as_rot90_does(angle, turns):
    given = images(2, 3, 8, 8)
    assert torch.equal(Rotation()(given, angle), given.rot90(turns, (2, 3)))


def test_quarter_turns_and_others_mix_in_a_batch():
    given = images(4, 3, 8, 8)
    out = Rotation()(given, [90, 33, 0, -90])
    assert torch.equal(out[0], given[0].rot90(1, (1, 2)))
    assert torch.equal(out[2], given[2])
    assert torch.equal(out[3], given[3].rot90(-1, (1, 2)))
    torch.testing.assert_close(out[1:2], Rotation()(given[1:2], 33))


def test_a_half_turn_is_exact_on_any_image_and_a_quarter_turn_only_on_squares():
    given = images(1, 1, 6, 10)
    assert torch.equal(Rotation()(given, 180), given.rot90(2, (2, 3)))
    out = Rotation(fill=9.0)(given, 90)
    torch.testing.assert_close(out[..., 2:8], given[..., 2:8].rot90(1, (2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(out[..., :2], torch.full((1, 1, 6, 2), 9.0), atol=1e-4, rtol=0)


@pytest.mark.parametrize("angle", [5.0, 33.0, -71.0])
def test_rotation_is_scipys_away_from_the_border(angle):
    given = images(1, 1, 31, 31).double()
    expected = ndimage.rotate(given[0, 0].numpy(), angle, reshape=False, order=1, mode="constant", cval=0.5)
    valid = Rotation().valid_region(given, angle)[0, 0].numpy()
    assert 0.5 < valid.mean() < 1
    np.testing.assert_allclose(Rotation()(given, angle)[0, 0].numpy()[valid], expected[valid], atol=1e-6)


@pytest.mark.parametrize("size", [(20, 20), (15, 24)])
@pytest.mark.parametrize(
    ("transformation", "magnitude", "affine"),
    [
        (Rotation, 25.0, {"angle": -25.0}),
        (TranslationX, 0.25, {"translate": [0.25, 0]}),
        (TranslationY, -0.4, {"translate": [0, -0.4]}),
        (Zoom, 1.5, {"scale": 1.5}),
        (Zoom, 0.6, {"scale": 0.6}),
        (Shear, 30.0, {"shear": [30.0, 0.0]}),
    ],
)
def test_affine_transformations_are_those_of_torchvision(transformation, magnitude, affine, size):
    height, width = size
    translate = [share * side for share, side in zip(affine.get("translate", [0, 0]), (width, height), strict=True)]
    if any(step != round(step) for step in translate):
        pytest.skip("torchvision rounds translations to whole pixels")
    arguments = {"angle": 0.0, "scale": 1.0, "shear": [0.0, 0.0], **affine}
    arguments["translate"] = [round(step) for step in translate]
    given = images(2, 3, *size)
    expected = vision.affine(given, **arguments, interpolation=InterpolationMode.BILINEAR, fill=[0.2, 0.4, 0.6])
    out = transformation(fill=(0.2, 0.4, 0.6))(given, magnitude)
    valid = transformation().valid_region(given, magnitude).expand_as(out)
    assert valid.float().mean() > 0.2
    torch.testing.assert_close(out[valid], expected[valid], atol=1e-5, rtol=0)


def test_whole_pixel_translations_are_shifts():
    given = images(2, 3, 8, 16)
    torch.testing.assert_close(TranslationX()(given, 0.25)[..., 4:], given[..., :-4], atol=1e-5, rtol=0)
    torch.testing.assert_close(TranslationY()(given, -0.25)[:, :, :-2], given[:, :, 2:], atol=1e-5, rtol=0)
    assert (TranslationX(fill=0.75)(given, 0.25)[..., :4] == 0.75).all()


def test_half_a_pixel_is_the_mean_of_neighbours():
    given = images(1, 1, 4, 8)
    near = TranslationX().near_identity(4, 8)
    out = TranslationX()(given, near)
    torch.testing.assert_close(out[..., 1:], (given[..., 1:] + given[..., :-1]) / 2, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("transformation", "axis"), [(ScaleX, 1), (ScaleY, 0)])
@pytest.mark.parametrize("factor", [0.5, 1.3, 4.0])
def test_scales_are_scipys_affine_maps(transformation, axis, factor):
    given = images(1, 1, 12, 15).double()
    matrix, offset = np.eye(2), np.zeros(2)
    matrix[axis, axis] = 1 / factor
    offset[axis] = (given.shape[2 + axis] - 1) / 2 * (1 - 1 / factor)
    expected = ndimage.affine_transform(given[0, 0].numpy(), matrix, offset, order=1, cval=0.5)
    valid = transformation().valid_region(given, factor)[0, 0].numpy()
    np.testing.assert_allclose(transformation()(given, factor)[0, 0].numpy()[valid], expected[valid], atol=1e-6)


def test_what_is_kept_can_be_computed_by_hand():
    assert TranslationX().kept(10, 20, 0.25) == pytest.approx(0.75)
    assert TranslationY().kept(10, 20, -1.0) == pytest.approx(0.0)
    assert Zoom().kept(10, 20, 2.0) == pytest.approx(0.25)
    assert Zoom().kept(10, 20, 0.5) == pytest.approx(1.0)
    assert ScaleX().kept(10, 20, 4.0) == pytest.approx(0.25)
    assert Rotation().kept(16, 16, 45.0) == pytest.approx(2 * math.sqrt(2) - 2)
    assert Rotation().kept(16, 32, 90.0) == pytest.approx(0.5)
    assert Shear().kept(16, 16, 45.0) == pytest.approx(0.75)
    assert Occlusion().kept(16, 16, 0.5) == pytest.approx(0.75)
    assert Occlusion().kept(8, 16, 1.0) == pytest.approx(0.0)
    assert HorizontalFlip().kept(16, 16, 1.0) == 1.0


def test_fills():
    given = images(2, 3, 8, 8)
    turn = {fill: Rotation(fill=fill)(given, 45.0)[:, :, 0, 0] for fill in ("mean", "zero", "border", "reflect", 0.3)}
    torch.testing.assert_close(turn["mean"], given.mean((2, 3)))
    assert (turn["zero"] == 0).all()
    torch.testing.assert_close(turn[0.3], torch.full((2, 3), 0.3))
    shifted = TranslationX(fill="border")(given, 0.5)
    torch.testing.assert_close(shifted[..., :4], given[..., :1].expand(2, 3, 8, 4))
    mirrored = TranslationX(fill="reflect")(given, 0.5)
    torch.testing.assert_close(mirrored[..., :4], given[..., :4].flip(-1), atol=1e-5, rtol=0)


def test_a_colour_fills_grey_images_with_its_mean():
    assert TranslationX(fill=(0.1, 0.2, 0.6))(images(1, 1, 4, 4), 1.0).unique().item() == pytest.approx(0.3)


def test_a_fill_that_cannot_be_used_is_an_error():
    with pytest.raises(SettingError, match=r"no fill is called 'miror'"):
        Rotation(fill="miror")(images(1, 3, 8, 8), 10.0)
    with pytest.raises(SettingError, match=r"the fill has 2 values, but the images have 3 channels"):
        Rotation(fill=(0.1, 0.2))(images(1, 3, 8, 8), 10.0)


def test_flips():
    given = images(2, 3, 5, 6)
    assert torch.equal(HorizontalFlip()(given, 1), given.flip(3))
    assert torch.equal(VerticalFlip()(given, [0, 1]), torch.stack([given[0], given[1].flip(1)]))


def test_thinning_averages_pairs_of_columns_between_black_sides():
    given = images(2, 3, 6, 16)
    out = Thinning()(given, 0.5)
    assert (out[..., :4] == 0).all()
    assert (out[..., -4:] == 0).all()
    torch.testing.assert_close(out[..., 4:-4], (given[..., ::2] + given[..., 1::2]) / 2, atol=1e-6, rtol=0)


@pytest.mark.parametrize("share", [0.25, 0.4, 0.9])
def test_thinning_conserves_what_a_row_holds(share):
    given = images(1, 1, 3, 17).double()
    torch.testing.assert_close(Thinning()(given, share).sum(3), share * given.sum(3))
    assert (Thinning(side=1.0)(torch.ones(1, 1, 3, 17), share) - 1).abs().max() < 1e-6


def test_thinning_keeps_its_black_sides_whatever_the_networks_fill():
    assert Thinning().with_fill(0.7) == Thinning()


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_perspective_moves_the_nearest_corner_outwards_by_its_magnitude(size):
    height, width = size
    ys, xs = np.mgrid[:height, :width]
    corners = np.array([[x, y] for x in (-width / 2, width / 2) for y in (-height / 2, height / 2)])
    ramps = torch.tensor(np.stack([xs, ys])[:, None]).double()
    for seed in range(5):
        moved = Perspective(fill="border")(ramps, 0.2, seeds=torch.tensor([seed, seed]))
        read = moved[:, 0].numpy() - np.array([(width - 1) / 2, (height - 1) / 2])[:, None, None]
        # q is read at q / (1 + w·q): two pixels near the centre give w.
        places = np.stack([xs - (width - 1) / 2, ys - (height - 1) / 2], -1)
        inner = (abs(places) < np.array([width, height]) / 5).all(-1) & (abs(places) > 0.4).all(-1)
        depth = places[inner] / np.moveaxis(read, 0, -1)[inner] - 1
        w = np.linalg.lstsq(places[inner], depth.mean(1), rcond=None)[0]
        forward = corners / (1 - corners @ w)[:, None]
        assert np.linalg.norm(forward - corners, axis=1).max() == pytest.approx(0.2 * width, rel=1e-3)


def test_what_perspective_keeps_is_the_share_of_places_that_stay_inside():
    generator = np.random.Generator(np.random.PCG64(0))
    angles, places = generator.uniform(0, 2 * np.pi, 100), generator.uniform(-20, 20, (2000, 1, 2))
    ways = np.stack([np.cos(angles), np.sin(angles)], -1)
    # A corner at c with w·c = s moves by |c|·s / (1 − s), which shall be 16 pixels.
    length = 16 / (16 + 20 * np.sqrt(2)) / (20 * abs(ways).sum(-1))
    moved = places / (1 - (places * ways * length[:, None]).sum(-1, keepdims=True))
    kept = (abs(moved) <= 20).all(-1)
    assert Perspective().kept(40, 40, 0.4) == pytest.approx(kept.mean(), abs=0.01)
    assert Perspective().kept(40, 40, 0.0) == pytest.approx(1.0)


def test_the_valid_region_of_what_draws_needs_seeds():
    for transformation in (Perspective(), Elastic(), Occlusion()):
        with pytest.raises(SeedError, match="give seeds="):
            transformation.valid_region(images(1, 1, 8, 8), 0.1)


def test_the_valid_region_of_thinning_is_its_strip():
    assert Thinning().valid_region(images(1, 1, 2, 8), 0.5)[0, 0, 0].tolist() == [False] * 2 + [True] * 4 + [False] * 2


def test_perspective_is_finite_and_stays_the_image_in_the_middle():
    given = images(6, 3, 17, 17)
    out = Perspective()(given, 0.5, seeds=torch.arange(6))
    torch.testing.assert_close(out[..., 8, 8], given[..., 8, 8], atol=1e-5, rtol=0)


def test_elastic_moves_at_most_by_its_magnitude_and_smoothly():
    ys, xs = np.mgrid[:32, :32]
    ramps = torch.tensor(np.stack([xs, ys])[:, None]).double()
    moved = Elastic(fill="border")(ramps, 0.05, seeds=torch.tensor([3, 3])) - ramps
    inner = moved[:, 0, 3:-3, 3:-3]
    assert inner.square().sum(0).sqrt().max() <= 0.05 * 32 + 1e-6
    assert inner.abs().max() > 0.01 * 32
    assert inner.diff(dim=1).abs().max() < 0.5
    assert not torch.equal(inner[0], inner[1])


def test_occlusion_covers_the_same_place_at_every_magnitude_within_the_image():
    given, seeds = torch.ones(50, 1, 12, 16), torch.arange(50)
    for side in (0.1, 0.25, 0.5, 0.75, 1.0):
        covered = 1 - Occlusion(fill=0.0)(given, side, seeds=seeds)
        expected = side * 16 * min(side * 16, 12)
        torch.testing.assert_close(covered.sum((1, 2, 3)), torch.full((50,), expected), atol=1e-3, rtol=0)
    many = 1 - Occlusion(fill=0.0)(torch.ones(3000, 1, 6, 8), 0.25, seeds=torch.arange(3000))
    assert (many.sum((0, 1)) > 0).all()
