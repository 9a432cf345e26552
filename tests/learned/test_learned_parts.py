"""Matrices taken apart and put together again, against our own transformations."""

import math

import numpy as np
import pytest
import torch

from invariscope.learned.decompose import (
    compose_colour,
    compose_spatial,
    decompose_colour,
    decompose_field,
    decompose_kernel,
    decompose_spatial,
)
from invariscope.learned.family import family_table, pixel_shifts
from invariscope.learned.module import TransformerNet
from invariscope.learned.settings import HEADS
from invariscope.transformations.rotation import Rotation
from invariscope.transformations.saturation import Saturation
from invariscope.transformations.scale import ScaleX, ScaleY
from invariscope.transformations.separable import gaussian_kernels
from invariscope.transformations.translation import TranslationX, TranslationY

NOTHING = {"rotation": 0.0, "scale-x": 1.0, "scale-y": 1.0, "shear": 0.0, "translation-x": 0.0, "translation-y": 0.0}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("height", "width"), [(32, 32), (20, 48)])
def test_spatial_matrices_survive_the_round_trip(seed, height, width):
    matrix = np.random.default_rng(seed).standard_normal((2, 3))
    parts = decompose_spatial(matrix, height, width)
    np.testing.assert_allclose(compose_spatial(parts, height, width), matrix, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_colour_matrices_survive_the_round_trip(channels):
    matrix = np.random.default_rng(0).standard_normal((channels, channels + 1))
    np.testing.assert_array_equal(compose_colour(decompose_colour(matrix), channels), matrix)


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("rotation", Rotation, 25.0),
        ("rotation", Rotation, -70.0),
        ("scale-x", ScaleX, 0.7),
        ("scale-y", ScaleY, 1.4),
        ("translation-x", TranslationX, 0.2),
        ("translation-y", TranslationY, -0.1),
    ],
)
def test_a_part_alone_is_the_transformation_of_that_name_and_magnitude(name, kind, value):
    shown = torch.rand(1, 3, 20, 32, generator=torch.Generator().manual_seed(0))
    net = TransformerNet(("spatial",), fill=0.5)
    matrix = torch.from_numpy(compose_spatial(NOTHING | {name: value}, 20, 32)).float()
    moved = net.transform(shown, {"spatial": (matrix - torch.eye(2, 3))[None]})
    torch.testing.assert_close(moved, kind(fill=0.5)(shown, value), atol=2e-4, rtol=0)


def test_parts_together_are_translation_then_rotation_then_stretch():
    parts = {
        "rotation": 20.0,
        "scale-x": 0.8,
        "scale-y": 1.25,
        "shear": 0.0,
        "translation-x": 0.1,
        "translation-y": 0.05,
    }
    matrix = compose_spatial(parts, 40, 60)
    x, y = 0.3, -0.2
    pixels = np.diag([60 / 2, 40 / 2])
    # The result at a place shows what stretch, turn and shift, undone in this order, lead to.
    place = pixels @ [x, y]
    unstretched = place / [0.8, 1.25]
    turn = math.radians(20)
    turned = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) @ unstretched
    source = turned - [0.1 * 60, 0.05 * 40]
    np.testing.assert_allclose(pixels @ (matrix @ [x, y, 1]), source)


def test_a_matrix_that_collapses_has_no_scale():
    assert decompose_spatial(np.zeros((2, 3)), 8, 8)["scale-x"] == math.inf


def test_saturation_is_that_of_our_transformation():
    shown = torch.eye(3).view(3, 3, 1, 1) * 0.4 + 0.3
    more = Saturation()(shown, 0.6)
    both = torch.cat([shown.flatten(1), torch.ones(3, 1)], 1).double()
    grey = torch.full((1, 4), 0.5, dtype=torch.float64)
    grey[0, 3] = 1
    seen = torch.cat([more.flatten(1).double(), grey[:, :3]])
    matrix = torch.linalg.lstsq(torch.cat([both, grey]), seen).solution.T.numpy()
    parts = decompose_colour(matrix)
    assert parts["saturation"] == pytest.approx(0.6, abs=1e-4)
    assert parts["offset of red"] == pytest.approx(0, abs=1e-4)


def test_kernels_are_blur_or_sharpening_with_a_frequency_response():
    taps = gaussian_kernels(torch.tensor([0.49], dtype=torch.float64), [0.7])[0].numpy()
    blur = decompose_kernel(np.outer(taps, taps))
    assert blur["blur"] == pytest.approx(0.7, abs=0.01)
    assert blur["response at 1/4"] == pytest.approx(math.exp(-2 * (math.pi * 0.7 / 4) ** 2), abs=0.01)
    delta = np.zeros((5, 5))
    delta[2, 2] = 1
    sharp = decompose_kernel(2 * delta - np.outer(taps, taps)[:5, :5] if len(taps) == 5 else 2 * delta - _middle(taps))
    assert math.isnan(sharp["blur"])
    assert sharp["variance"] < 0
    assert sharp["response at 1/2"] > 1
    same = decompose_kernel(delta)
    assert (same["distance"], same["blur"], same["response at 1/2"]) == (0, 0, 1)
    moved = decompose_kernel(np.roll(delta, 1, axis=1))
    assert (moved["shift-x"], moved["shift-y"], moved["blur"]) == (-1, 0, 0)


def _middle(taps):
    some = taps[len(taps) // 2 - 2 : len(taps) // 2 + 3]
    return np.outer(some, some) / some.sum() ** 2


def test_a_field_is_affine_or_not():
    rows, columns = np.mgrid[:8, :10]
    straight = np.stack([0.1 * columns - 0.2 * rows + 1, 0.3 * rows], -1)
    assert decompose_field(straight)["affine share"] == pytest.approx(1)
    assert decompose_field(straight)["remainder"] == pytest.approx(0, abs=1e-12)
    curved = np.stack([np.cos(np.pi * (columns + 0.5) / 5), np.zeros((8, 10))], -1)
    assert decompose_field(curved)["affine share"] == pytest.approx(0, abs=1e-12)
    assert math.isnan(decompose_field(np.zeros((4, 4, 2)))["affine share"])


def test_the_table_names_every_parameter_with_its_unit():
    net = TransformerNet(HEADS, kernel_size=3, control_points=2)
    table = family_table(net, 16, 24, size=3)
    assert list(table.columns) == ["k1", "k2", "head", "part", "parameter", "value", "unit_of_measure"]
    assert table.groupby("head").size().index.tolist() == sorted(HEADS)
    still = table[(table.k1 == 0) & (table.k2 == 0) & (table.part == "action")].set_index(["head", "parameter"]).value
    assert still["spatial", "scale-x"] == 1
    assert still["spatial", "displacement"] == 0
    assert still["colour", "distance"] == 0
    assert (table[table.part == "action"].unit_of_measure != "").all()
    half = family_table(net, 16, 24, size=3, scale=0.5)
    entry = (table.part == "matrix") & (table["head"] == "spatial") & (table.parameter == "1,3")
    np.testing.assert_allclose(half[entry].value, table[entry].value / 2, rtol=1e-12)


def test_displacements_are_in_pixels():
    net = TransformerNet(("spatial",))
    shift = torch.zeros(1, 2, 3)
    shift[0, 0, 2] = 0.25
    np.testing.assert_allclose(pixel_shifts(net, {"spatial": shift}, 10, 16)[0, 3, 4], [2, 0])
