"""Images and magnitudes for the contract of transformations."""

import pytest
import torch

from invariscope.transformations.base import TRANSFORMATIONS, Transformation

every = pytest.mark.parametrize("name", list(TRANSFORMATIONS))
smooth = pytest.mark.parametrize("name", [name for name, kind in TRANSFORMATIONS.items() if kind.smooth])
drawn = pytest.mark.parametrize("name", [name for name, kind in TRANSFORMATIONS.items() if kind.random])
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
