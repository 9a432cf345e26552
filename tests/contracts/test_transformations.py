"""What every transformation promises, checked for every one registered."""

import math
from itertools import product

import pytest
import torch
from transformation_world import SIZES, drawn, every, images, off_identity, spread

from invariscope.core.errors import MagnitudeError, SeedError, ShapeError, UnknownNameError
from invariscope.transformations.base import TRANSFORMATIONS


@every
def test_the_name_is_the_registered_one_and_the_docstring_says_what_it_does(name):
    transformation = TRANSFORMATIONS[name]()
    assert transformation.name == name
    assert transformation.summary.endswith(".")
    assert len(transformation.summary) < 110
    assert transformation.unit_of_measure


@every
def test_identity_returns_the_input_bit_for_bit(name):
    transformation = TRANSFORMATIONS[name]()
    for size, channels in product(SIZES, (1, 3)):
        given = images(3, *size, channels)
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
def test_images_do_not_leak_into_each_other_and_batches_do_not_matter(name):
    transformation, seeds = TRANSFORMATIONS[name](), torch.tensor([7, 3, 900, -4, 2**40])
    for size in SIZES:
        given, magnitude = images(5, *size), spread(transformation, 5, *size)
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
def test_every_magnitude_of_the_default_grid_gives_finite_images_of_the_same_kind(name):
    transformation = TRANSFORMATIONS[name]()
    for size, channels in product([(9, 12), (16, 24), (4, 4)], (1, 3)):
        given = images(1, *size, channels)
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
def test_the_ends_of_the_span_work_for_images_of_any_size(name):
    transformation = TRANSFORMATIONS[name]()
    for size in [(9, 12), (2, 3), (1, 1)]:
        for end in transformation.limits(*size):
            out = transformation(images(2, *size), end, seeds=torch.arange(2))
            assert out.isfinite().all()


@every
def test_the_dtype_is_kept(name):
    transformation, given = TRANSFORMATIONS[name](), images(2)
    value = off_identity(transformation)
    for dtype, slack in ((torch.float64, 1e-5), (torch.float16, 1e-3), (torch.bfloat16, 1e-2)):
        out = transformation(given.to(dtype), value, seeds=torch.arange(2))
        assert out.dtype == dtype
        expected = transformation(given.to(dtype).float(), value, seeds=torch.arange(2))
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
def test_outside_the_span_is_an_error_that_names_the_unit_of_measure(name):
    transformation = TRANSFORMATIONS[name]()
    low, high = transformation.limits(8, 8)
    for value in (low - 1, high + 1, math.nan):
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
