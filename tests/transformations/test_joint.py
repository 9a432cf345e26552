"""Several transformations at once, each at a magnitude of its own."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from invariscope.core.errors import MagnitudeError, SeedError, SettingError, ShapeError, UnknownNameError
from invariscope.tolerance.examination import Family
from invariscope.transformations.brightness import Brightness
from invariscope.transformations.contrast import Gain
from invariscope.transformations.joint import Joint
from invariscope.transformations.noise import GaussianNoise, SaltAndPepper
from invariscope.transformations.rotation import Rotation
from invariscope.transformations.scale import ScaleX, Zoom
from invariscope.transformations.shear import Shear
from invariscope.transformations.translation import TranslationX, TranslationY


def images(n: int = 3) -> torch.Tensor:
    return 0.2 + 0.5 * torch.rand(n, 3, 8, 12, generator=torch.Generator().manual_seed(1))


def step_matrix(name: str, value: float, height: int, width: int) -> np.ndarray:
    """Where the step reads, as a homogeneous matrix on (x, y), written down without the package."""
    angle = math.radians(value)
    rows = {
        "rotation": [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]],
        "translation-x": [[1, 0, -value * width], [0, 1, 0]],
        "translation-y": [[1, 0, 0], [0, 1, -value * height]],
        "zoom": [[1 / value, 0, 0], [0, 1 / value, 0]] if value else [],
        "shear": [[1, math.tan(angle), 0], [0, 1, 0]],
    }[name]
    return np.array([*rows, [0, 0, 1]])


def reference(image: np.ndarray, names: list[str], values: list[float], fill: float) -> np.ndarray:
    """One resampling by scipy."""
    _, height, width = image.shape
    whole = np.eye(3)
    for name, value in zip(names, values, strict=True):
        whole = whole @ step_matrix(name, value, height, width)
    # scipy's axes are (row, column) from the first pixel's centre.
    swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    matrix = swap @ whole @ swap
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    offset = centre + matrix[:2, 2] - matrix[:2, :2] @ centre
    return np.stack(
        [
            ndimage.affine_transform(c, matrix[:2, :2], offset, order=1, mode="grid-constant", cval=fill)
            for c in image.astype(np.float64)
        ]
    )


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (["rotation", "zoom"], [20.0, 1.3]),
        (["translation-x", "translation-y"], [0.13, -0.21]),
        (["translation-x", "rotation"], [0.25, 40.0]),
        (["rotation", "translation-x"], [40.0, 0.25]),
        (["shear", "rotation", "translation-y", "zoom"], [15.0, -70.0, 0.1, 0.8]),
    ],
)
def test_affine_steps_are_one_resampling_in_their_order(names, values):
    given = images(2)
    out = Joint(names).with_fill(0.3)(given, values)
    for image, found in zip(given.numpy(), out.numpy(), strict=True):
        np.testing.assert_allclose(found, reference(image, names, values, 0.3), atol=2e-5)


def test_the_order_matters_and_the_first_step_comes_first():
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 4, 4] = 1
    right_then_turned = Joint(["translation-x", "rotation"])(image, [3 / 9, 90.0])
    turned_then_right = Joint(["rotation", "translation-x"])(image, [90.0, 3 / 9])
    # Anticlockwise: what lay to the right of the centre is then above it.
    assert right_then_turned[0, 0, 1, 4] == pytest.approx(1, abs=1e-5)
    assert turned_then_right[0, 0, 4, 7] == pytest.approx(1, abs=1e-5)


def test_what_one_step_moves_out_and_the_next_back_is_kept():
    given = images()
    out = Joint([ScaleX(), TranslationX(), ScaleX()])(given, [2.0, 0.0, 0.5])
    torch.testing.assert_close(out, given)
    apart = ScaleX()(ScaleX()(given, 2.0), 0.5)
    assert not torch.allclose(apart, given, atol=0.01)


@pytest.mark.parametrize("step", [Rotation(), Zoom(fill=0.0), Shear(), Brightness(), Gain()], ids=lambda s: s.name)
def test_one_step_is_that_transformation_bit_for_bit(step):
    given, magnitudes = images(), torch.tensor([0.9, 1.0, 0.8])
    assert torch.equal(Joint([step])(given, magnitudes[:, None]), step(given, magnitudes))


def test_beside_the_identity_of_the_others_a_step_is_itself():
    given = images()
    joint = Joint(["rotation", "zoom", "brightness"])
    torch.testing.assert_close(joint(given, [25.0, 1.0, 0.0]), Rotation()(given, 25.0))
    torch.testing.assert_close(joint(given, [90.0, 1.0, 0.0]), Rotation()(given, 90.0))
    torch.testing.assert_close(joint(given, [0.0, 1.4, 0.0]), Zoom()(given, 1.4))
    torch.testing.assert_close(joint(given, [0.0, 1.0, 0.2]), Brightness()(given, 0.2))


def test_identity_comes_back_bit_for_bit_beside_others():
    given = images()
    rows = torch.tensor([[0.0, 1.0, 0.0], [10.0, 1.2, 0.0], [0.0, 1.0, 0.1]])
    out = Joint(["rotation", "zoom", "translation-x"])(given, rows)
    assert torch.equal(out[0], given[0])
    assert not torch.equal(out[1], given[1])
    assert out.data_ptr() != given.data_ptr()


def test_other_steps_run_in_order_between():
    given = images()
    out = Joint(["rotation", "brightness", "gain", "translation-x"])(given, [30.0, 0.1, 0.5, 0.25])
    expected = TranslationX()(Gain()(Brightness()(Rotation()(given, 30.0), 0.1), 0.5), 0.25)
    torch.testing.assert_close(out, expected)


def test_steps_of_another_fill_are_sampled_apart():
    given = images()
    out = Joint([TranslationX(fill=0.0), TranslationY(fill=1.0)])(given, [0.25, 0.25])
    torch.testing.assert_close(out, TranslationY(fill=1.0)(TranslationX(fill=0.0)(given, 0.25), 0.25))
    assert Joint(["translation-x"]).with_fill(0.0) == Joint([TranslationX(fill=0.0)])


def test_images_do_not_leak_into_each_other():
    given, joint = images(4), Joint(["rotation", "translation-y", "gaussian-noise"])
    rows = torch.tensor([[0.0, 0.0, 0.0], [30.0, 0.1, 0.1], [-5.0, 0.0, 0.2], [0.0, 0.3, 0.0]])
    together = joint(given, rows, seeds=torch.arange(4))
    apart = [joint(given[i : i + 1], rows[i : i + 1], seeds=torch.tensor([i])) for i in range(4)]
    torch.testing.assert_close(together, torch.cat(apart))


def test_gradients_reach_images_and_magnitudes():
    given = images(2).double()
    joint = Joint(["rotation", "zoom", "translation-x", "gain"])
    rows = torch.tensor([[0.0, 1.0, 0.0, 1.0], [20.0, 1.2, 0.1, 0.8]], dtype=torch.float64)
    live = rows.clone().requires_grad_()
    weights = torch.rand(given.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad((joint(given, live) * weights).sum(), live)
    for step in range(4):
        # At the identity a bilinear image has a kink: only the row away from it is smooth.
        nudge = torch.zeros_like(rows)
        nudge[1, step] = 1e-6
        up, down = (((joint(given, rows + sign * nudge))[1] * weights[1]).sum() for sign in (1, -1))
        assert gradient[1, step].item() == pytest.approx(((up - down) / 2e-6).item(), rel=1e-3, abs=1e-4)
    assert gradient[0].abs().min() > 0
    leaf = given.clone().requires_grad_()
    (through,) = torch.autograd.grad((joint(leaf, rows) * weights).sum(), leaf)
    torch.testing.assert_close(through[0], weights[0])


def test_a_step_that_alone_draws_draws_as_by_itself():
    given, seeds = images(), torch.arange(3)
    alone = GaussianNoise()(given, 0.1, seeds=seeds)
    torch.testing.assert_close(Joint(["brightness", "gaussian-noise"])(given, [0.0, 0.1], seeds=seeds), alone)
    twice = Joint([GaussianNoise(), GaussianNoise()])(given, [0.1, 0.1], seeds=seeds)
    assert not torch.allclose(twice, GaussianNoise()(given, 0.2, seeds=seeds))
    with pytest.raises(SeedError, match="gaussian-noise draws random numbers"):
        Joint(["gaussian-noise"])(given, [0.1])


def test_its_traits_are_those_of_its_steps():
    plain = Joint(["rotation", "zoom"])
    assert isinstance(plain, Family)
    assert (plain.name, plain.identity) == ("rotation × zoom", (0.0, 1.0))
    assert (plain.random, plain.smooth, plain.differentiable) == (False, True, True)
    mixed = Joint([SaltAndPepper(), "horizontal-flip"])
    assert (mixed.random, mixed.smooth) == (True, False)
    assert plain == Joint([Rotation(), Zoom()])
    assert len({plain, Joint([Rotation(), Zoom()])}) == 1


def test_half_precision_comes_back_in_half_precision():
    given = images()
    out = Joint(["rotation", "zoom"])(given.half(), [20.0, 1.1])
    assert out.dtype == torch.float16
    torch.testing.assert_close(out.float(), Joint(["rotation", "zoom"])(given, [20.0, 1.1]), atol=2e-3, rtol=0)


def test_mistakes_are_said():
    joint, given = Joint(["rotation", "zoom"]), images()
    with pytest.raises(SettingError, match="takes a list of steps"):
        Joint([])
    with pytest.raises(SettingError, match="takes a list of steps"):
        Joint("rotation")
    with pytest.raises(UnknownNameError, match="Did you mean 'rotation'"):
        Joint(["rotaton"])
    with pytest.raises(ShapeError, match=r"takes 2 magnitudes per image, shape \(3, 2\), or 2 for all images; got"):
        joint(given, torch.zeros(3))
    with pytest.raises(MagnitudeError, match=r"zoom takes magnitudes from 0.25 to 4 \(times as large\); got 9"):
        joint(given, [0.0, 9.0])
    with pytest.raises(ShapeError, match=r"Use images\[None\]"):
        joint(given[0], [0.0, 1.0])
