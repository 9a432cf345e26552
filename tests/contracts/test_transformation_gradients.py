"""How every transformation changes with its image and its magnitude, checked for every one registered."""

import pytest
import torch
from transformation_world import every, images, off_identity, smooth

from invariscope.core.errors import SettingError
from invariscope.transformations.base import TRANSFORMATIONS


@every
def test_gradients_in_the_image_are_those_of_finite_differences(name):
    transformation, given = TRANSFORMATIONS[name](), images(2).double()
    value, seeds = off_identity(transformation), torch.arange(2)
    given.requires_grad_(True)
    out = transformation(given, value, seeds=seeds)
    assert out.requires_grad == transformation.differentiable
    if not transformation.differentiable:
        return
    generator = torch.Generator().manual_seed(3)
    weights, way = (torch.randn(out.shape, generator=generator, dtype=torch.float64) for _ in range(2))
    (gradient,) = torch.autograd.grad((out * weights).sum(), given)
    step = 1e-6
    with torch.no_grad():
        ahead, behind = (transformation(given + side * step * way, value, seeds=seeds) for side in (1, -1))
    expected = ((ahead - behind) * weights).sum() / (2 * step)
    torch.testing.assert_close((gradient * way).sum(), expected, rtol=1e-4, atol=1e-4)
    assert gradient.abs().sum() > 0


@every
def test_gradients_in_the_magnitude_are_those_of_finite_differences_iff_smooth(name):
    transformation, given = TRANSFORMATIONS[name](), images(2).double()
    seeds, value = torch.arange(2), off_identity(transformation)
    magnitude = torch.full((2,), value, dtype=torch.float64, requires_grad=True)
    out = transformation(given, magnitude, seeds=seeds)
    assert out.requires_grad == transformation.smooth
    if not transformation.smooth:
        return
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((out * weights).sum(), magnitude)
    torch.testing.assert_close(
        gradient, _difference(transformation, given, value, seeds, weights), rtol=1e-3, atol=1e-4
    )
    assert (gradient.abs() > 0).all()


def _difference(transformation, given, value, seeds, weights, step=1e-6):
    ahead, behind = (transformation(given, value + side * step, seeds=seeds) for side in (1, -1))
    return ((ahead - behind) * weights).sum((1, 2, 3)) / (2 * step)


@smooth
def test_a_short_cut_has_the_value_of_the_smooth_path(name):
    transformation, given, seeds = TRANSFORMATIONS[name](), images(1, 8, 8).double(), torch.tensor([3])
    for value in transformation.default_grid(8, 8):
        live = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        out = transformation(given, live, seeds=seeds)
        assert out.requires_grad
        torch.testing.assert_close(out.detach(), transformation(given, value, seeds=seeds), atol=1e-6, rtol=0)


@every
def test_the_derivative_is_that_of_finite_differences(name):
    transformation, given = TRANSFORMATIONS[name](), images(2).double()
    seeds, value = torch.arange(2), off_identity(transformation)
    if not transformation.smooth:
        with pytest.raises(SettingError, match=f"{name} has no derivative"):
            transformation.derivative(given, value, seeds=seeds)
        return
    tangent = transformation.derivative(given, value, seeds=seeds)
    step = 1e-6
    ahead, behind = (transformation(given, value + side * step, seeds=seeds) for side in (1, -1))
    expected = (ahead - behind) / (2 * step)
    if name == "gaussian-blur":
        expected = expected / (2 * value)
    torch.testing.assert_close(tangent, expected, rtol=1e-3, atol=1e-5 * max(1.0, expected.abs().max().item()))
    assert tangent.shape == given.shape
    at_identity = transformation.derivative(given, transformation.identity, seeds=seeds)
    assert at_identity.isfinite().all()
    # A square's area grows with the square of its side, so the first bit of occlusion changes nothing.
    assert at_identity.any() == (name != "occlusion")


@pytest.mark.filterwarnings("ignore::FutureWarning:torch")
@smooth
def test_forward_mode_of_torch_passes_through(name):
    transformation, given = TRANSFORMATIONS[name](), images(2).double()
    seeds, value = torch.arange(2), torch.full((2,), off_identity(TRANSFORMATIONS[name]()), dtype=torch.float64)
    _, tangent = torch.func.jvp(
        lambda magnitude: transformation(given, magnitude, seeds=seeds), (value,), (torch.tensor([1.0, 0.0]).double(),)
    )
    expected = transformation.derivative(given, value, seeds=seeds)
    scale = 2 * value[0] if name == "gaussian-blur" else 1.0
    torch.testing.assert_close(tangent[0], expected[0] * scale)
    assert not tangent[1].any()
