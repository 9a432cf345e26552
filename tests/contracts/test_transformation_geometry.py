"""What every transformation says of where pixels come from, checked for every one registered."""

import pytest
import torch
from transformation_world import every, images, off_identity

from invariscope.transformations.base import TRANSFORMATIONS


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
    valid = transformation.valid_region(given, value, seeds=torch.arange(2))
    assert valid.shape == (2, 1, 9, 12)
    if not hasattr(transformation, "fill"):
        return
    zero, one = (transformation.with_fill(fill)(given, value, seeds=torch.arange(2)) for fill in (0.0, 1.0))
    assert valid.any()
    same = (zero - one).abs().amax(1, keepdim=True) < 1e-5
    assert torch.equal(valid, same)
