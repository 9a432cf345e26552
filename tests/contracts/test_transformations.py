"""What every transformation promises, checked for every one registered."""

import math

import pytest
import torch

from invariscope.core.errors import MagnitudeError, SeedError, SettingError, ShapeError, UnknownNameError
from invariscope.transformations.base import TRANSFORMATIONS, Transformation

every = pytest.mark.parametrize("name", list(TRANSFORMATIONS))
smooth = pytest.mark.parametrize("name", [name for name, kind in TRANSFORMATIONS.items() if kind.smooth])
drawn = pytest.mark.parametrize("name", [name for name, kind in TRANSFORMATIONS.items() if kind.random])
interpolated = pytest.mark.parametrize("name", [name for name, kind in TRANSFORMATIONS.items() if kind.resamples])
SIZES = [(9, 12), (16, 24), (12, 9), (8, 8)]


def images(count: int = 4, height: int = 9, width: int = 12, channels: int = 3, **kind) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count * 1000 + height)
    # Away from black and white, so that clipping does not hide gradients, unless a transformation pushes values there.
    return 0.1 + 0.8 * torch.rand(count, channels, height, width, generator=generator, **kind)


def off_identity(transformation: Transformation, height: int = 9, width: int = 12) -> float:
    """A magnitude that changes something: not too far from the identity, off every grid point and kink."""
    low, high = transformation.limits(height, width)
    identity = transformation.identity
    if transformation.whole:
        return high if high != identity else low
    return identity + 0.2137 * ((high - identity) if high != identity else (low - identity))


def spread(transformation: Transformation, count: int, height: int = 9, width: int = 12) -> torch.Tensor:
    low, high = transformation.limits(height, width)
    values = torch.linspace(low, high, count, dtype=torch.float64)
    return values.round() if transformation.whole else values


@every
def test_the_name_is_the_registered_one_and_the_docstring_says_what_it_does(name):
    transformation = TRANSFORMATIONS[name]()
    assert transformation.name == name
    assert transformation.summary.endswith(".")
    assert len(transformation.summary) < 110
    assert transformation.unit_of_measure


@every
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_identity_returns_the_input_bit_for_bit(name, size, channels):
    transformation, given = TRANSFORMATIONS[name](), images(3, *size, channels)
    out = transformation(given, transformation.identity, seeds=torch.arange(3))
    assert torch.equal(out, given)
    assert out.data_ptr() != given.data_ptr()


@every
def test_identity_returns_the_input_bit_for_bit_in_a_mixed_batch(name):
    transformation, given = TRANSFORMATIONS[name](), images(4)
    magnitude = spread(transformation, 4)
    magnitude[1] = transformation.identity
    out = transformation(given, magnitude, seeds=torch.arange(4))
    assert torch.equal(out[1], given[1])
    other = off_identity(transformation)
    assert not torch.equal(transformation(given, other, seeds=torch.arange(4)), given)


@every
def test_near_the_identity_the_smooth_path_is_near_the_input(name):
    transformation, given = TRANSFORMATIONS[name](), images(2).double()
    magnitude = torch.full((2,), transformation.identity, dtype=torch.float64, requires_grad=True)
    out = transformation(given, magnitude, seeds=torch.arange(2))
    torch.testing.assert_close(out.detach(), given, atol=1e-6, rtol=0)


@every
@pytest.mark.parametrize("size", SIZES)
def test_images_do_not_leak_into_each_other_and_batches_do_not_matter(name, size):
    transformation, given = TRANSFORMATIONS[name](), images(5, *size)
    magnitude, seeds = spread(transformation, 5, *size), torch.tensor([7, 3, 900, -4, 2**40])
    together = transformation(given, magnitude, seeds=seeds)
    for cuts in ([1] * 5, [2, 3]):
        parts = zip(given.split(cuts), magnitude.split(cuts), seeds.split(cuts), strict=True)
        apart = torch.cat([transformation(some, own, seeds=seed) for some, own, seed in parts])
        torch.testing.assert_close(together, apart, atol=2e-6, rtol=1e-5)


@every
def test_one_magnitude_for_all_is_that_magnitude_for_each(name):
    transformation, given, seeds = TRANSFORMATIONS[name](), images(3), torch.arange(3)
    value = off_identity(transformation)
    each = transformation(given, torch.full((3,), value, dtype=torch.float64), seeds=seeds)
    torch.testing.assert_close(transformation(given, value, seeds=seeds), each, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(transformation(given, [value] * 3, seeds=seeds), each, atol=2e-6, rtol=1e-5)


@every
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [*SIZES, (4, 4)])
def test_every_magnitude_of_the_default_grid_gives_finite_images_of_the_same_kind(name, size, channels):
    transformation, given = TRANSFORMATIONS[name](), images(1, *size, channels)
    grid, (low, high) = transformation.default_grid(*size), transformation.limits(*size)
    assert list(grid) == sorted(set(grid))
    assert transformation.identity in grid
    assert low <= grid[0] <= grid[-1] <= high
    for magnitude in grid:
        before = given.clone()
        out = transformation(given, magnitude, seeds=torch.tensor([5]))
        assert out.shape == given.shape
        assert out.isfinite().all()
        assert torch.equal(given, before)
        assert 0 <= transformation.kept(*size, magnitude) <= 1


@every
@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("size", [(9, 12), (2, 3), (1, 1)])
def test_the_ends_of_the_span_work_for_images_of_any_size(name, end, size):
    transformation, given = TRANSFORMATIONS[name](), images(2, *size)
    out = transformation(given, transformation.limits(*size)[end], seeds=torch.arange(2))
    assert out.isfinite().all()


@every
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_the_dtype_is_kept(name, dtype):
    transformation, given = TRANSFORMATIONS[name](), images(2)
    value = off_identity(transformation)
    out = transformation(given.to(dtype), value, seeds=torch.arange(2))
    assert out.dtype == dtype
    expected = transformation(given.to(dtype).float(), value, seeds=torch.arange(2))
    slack = {torch.float64: 1e-5, torch.float16: 1e-3, torch.bfloat16: 1e-2}[dtype]
    torch.testing.assert_close(out.float(), expected, atol=slack * max(1.0, expected.abs().max().item()), rtol=0)


@every
def test_no_images_are_no_error(name):
    transformation = TRANSFORMATIONS[name]()
    out = transformation(images(1)[:0], torch.zeros(0), seeds=torch.zeros(0, dtype=torch.int64))
    assert out.shape == (0, 3, 9, 12)


@every
def test_seeds_are_needed_and_used_where_it_draws(name):
    transformation, given = TRANSFORMATIONS[name](), images(2)
    value, seeds = off_identity(transformation), torch.tensor([1, 2])
    if not transformation.random:
        once = transformation(given, value)
        assert torch.equal(once, transformation(given, value, seeds=seeds))
        return
    with pytest.raises(SeedError, match=f"{name} draws random numbers; give seeds="):
        transformation(given, value)
    with pytest.raises(SeedError, match="one integer seed per image"):
        transformation(given, value, seeds=torch.tensor([1, 2, 3]))
    once = transformation(given, value, seeds=seeds)
    assert torch.equal(once, transformation(given, value, seeds=seeds))
    assert not torch.equal(once, transformation(given, value, seeds=seeds + 10))
    twins = transformation(given[:1].repeat(2, 1, 1, 1), value, seeds=torch.tensor([4, 4]))
    assert torch.equal(twins[0], twins[1])


@drawn
def test_random_numbers_do_not_touch_the_global_generator(name):
    transformation, before = TRANSFORMATIONS[name](), torch.get_rng_state()
    transformation(images(2), off_identity(transformation), seeds=torch.arange(2))
    assert torch.equal(before, torch.get_rng_state())


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


@every
@pytest.mark.parametrize("beyond", [-1.0, 1.0, math.nan])
def test_outside_the_span_is_an_error_that_names_the_unit_of_measure(name, beyond):
    transformation = TRANSFORMATIONS[name]()
    low, high = transformation.limits(8, 8)
    value = beyond + (high if beyond > 0 else low)
    with pytest.raises(MagnitudeError) as caught:
        transformation(images(2, 8, 8), [transformation.identity, value], seeds=torch.arange(2))
    assert name in str(caught.value)
    assert transformation.unit_of_measure in str(caught.value)
    assert f"got {value:g}" in str(caught.value)


@every
def test_whole_magnitudes_are_asked_for_where_they_are_needed(name):
    transformation = TRANSFORMATIONS[name]()
    low, high = transformation.limits(9, 12)
    value = low + (high - low) * 0.5 if (low + high) % 2 else low + 0.5
    if transformation.whole:
        with pytest.raises(MagnitudeError, match="whole"):
            transformation(images(1), value, seeds=torch.arange(1))


@every
def test_wrong_axes_and_bytes_are_errors(name):
    transformation = TRANSFORMATIONS[name]()
    with pytest.raises(ShapeError, match=r"got shape \(3, 8, 8\). One image\? Use images\[None\]"):
        transformation(torch.rand(3, 8, 8), transformation.identity, seeds=torch.arange(1))
    with pytest.raises(ShapeError, match=r"torch.uint8. Divide bytes by 255"):
        transformation(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), transformation.identity, seeds=torch.arange(1))
    with pytest.raises(ShapeError, match=r"one magnitude, or one per image \(2\); got shape \(3,\)"):
        transformation(images(2), [transformation.identity] * 3, seeds=torch.arange(2))


@every
@pytest.mark.parametrize("size", [(32, 32), (24, 40), (224, 224)])
def test_the_magnitude_near_the_identity_moves_pixels_by_half_a_pixel_at_most(name, size):
    transformation = TRANSFORMATIONS[name]()
    near = transformation.near_identity(*size)
    assert (near is not None) == transformation.resamples
    if near is None:
        return
    low, high = transformation.limits(*size)
    assert low <= near <= high
    assert near != transformation.identity
    # On a ramp of slope one per pixel, what changes is the displacement along it; fills and mirrors are kept out.
    height, width = size
    ramps = torch.stack(torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij"))[
        :, None
    ]
    inner = (..., slice(2, -2), slice(2, -2))
    seeds = torch.tensor([6, 6])
    moved = (transformation(ramps, near, seeds=seeds) - ramps)[inner].square().sum(0).sqrt()
    assert 0.2 < moved.max() <= 0.5 + 1e-6


@every
def test_fill_is_taken_where_there_is_one(name):
    transformation = TRANSFORMATIONS[name]()
    filled = transformation.with_fill((0.1, 0.2, 0.3))
    assert type(filled) is type(transformation)
    assert (filled == transformation) == (not hasattr(transformation, "fill"))
    if hasattr(transformation, "fill"):
        assert filled.fill == (0.1, 0.2, 0.3)
        for fill in ("mean", "zero", "border", "reflect", 0.25, (0.1, 0.2, 0.3)):
            out = transformation.with_fill(fill)(images(2), off_identity(transformation), seeds=torch.arange(2))
            assert out.isfinite().all()


@every
def test_the_valid_region_does_not_depend_on_the_fill(name):
    transformation, given = TRANSFORMATIONS[name](), images(2)
    value = off_identity(transformation)
    valid = transformation.valid_region(given, value)
    assert valid.shape == (2, 1, 9, 12)
    if transformation.random or not hasattr(transformation, "fill"):
        return
    zero, one = (transformation.with_fill(fill)(given, value) for fill in (0.0, 1.0))
    same = (zero - one).abs().amax(1, keepdim=True) < 1e-5
    assert torch.equal(valid, same)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every
def test_cuda_gives_the_numbers_of_the_cpu(name):
    transformation, given = TRANSFORMATIONS[name](), images(4)
    magnitude, seeds = spread(transformation, 4), torch.arange(4)
    there = transformation(given.cuda(), magnitude, seeds=seeds)
    assert there.device.type == "cuda"
    torch.testing.assert_close(there.cpu(), transformation(given, magnitude, seeds=seeds), atol=2e-5, rtol=1e-4)
    live = torch.full((4,), off_identity(transformation), device="cuda", requires_grad=True)
    assert transformation(given.cuda(), live, seeds=seeds).requires_grad == transformation.smooth


def test_every_transformation_of_the_table_is_there():
    table = """rotation translation-x translation-y scale-x scale-y zoom thinning horizontal-flip vertical-flip shear
    perspective elastic occlusion brightness gain contrast gamma saturation grayscale hue inversion gaussian-blur
    sharpen high-pass horizontal-filter vertical-filter pixelate jpeg gaussian-noise salt-and-pepper color-jitter"""
    assert sorted(table.split()) == list(TRANSFORMATIONS)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no transformation is called 'rotaton'. Did you mean 'rotation'"):
        TRANSFORMATIONS["rotaton"]
