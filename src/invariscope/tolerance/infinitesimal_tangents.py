"""Which way images move under a small transformation, and random ways as far."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.seeds import image_seeds, normal
from invariscope.statistics.sums import exact_device
from invariscope.transformations.affine import AffineTransformation
from invariscope.transformations.base import Fill, Transformation
from invariscope.transformations.elastic import Elastic
from invariscope.transformations.magnitude import Magnitude
from invariscope.transformations.perspective import Perspective
from invariscope.transformations.sampling import fill_values

# Shares of a step of the default grid. Places are smooth in the magnitude, so rounding alone limits the first;
# values may have kinks, which the second must not straddle by much.
_PLACES, _VALUES = 1e-6, 1e-4
# What a step of the default grid may add to a pixel by rounding alone.
_NOTHING = 1e-8


def moves_places(family: Transformation) -> bool:
    """Whether the family reads images at other places and changes nothing else."""
    return isinstance(family, AffineTransformation | Elastic | Perspective)


def grid_step(family: Transformation, height: int, width: int) -> float:
    """How far the nearest magnitude of the default grid is from the identity.

    Example:
        >>> from invariscope.transformations.rotation import Rotation
        >>> grid_step(Rotation(), 32, 32)
        5.0
    """
    away = [abs(value - family.identity) for value in family.default_grid(height, width) if value != family.identity]
    if away:
        return min(away)
    low, high = family.limits(height, width)
    return min(high - low, 1.0) / 10


def unit_of_derivative(family: Transformation) -> str:
    """What one more of the derivative's variable is: the unit of measure, or a power of it.

    Example:
        >>> from invariscope.transformations.gaussian_blur import GaussianBlur
        >>> unit_of_derivative(GaussianBlur())
        'pixels squared'
    """
    return {1: family.unit_of_measure, 2: f"{family.unit_of_measure} squared"}[family.power]


def seeds_for(family: Transformation, indices: Int[Tensor, " image"], seed: int) -> Int[Tensor, " image"] | None:
    """The seeds that images have in a measurement; None for a family that does not draw."""
    return image_seeds(indices, seed, family.name) if family.random else None


def tangent_at_identity(
    family: Transformation,
    images: Float[Tensor, "image channel height width"],
    seeds: Int[Tensor, " image"] | None = None,
) -> Float[Tensor, "image channel height width"]:
    """The symmetric derivative of a transformation where it changes nothing yet.

    dx = lim (T(x, e + h) − T(x, e − h)) / 2h for h → 0, e the identity; one-sided where the span ends at e. Wherever T
    is differentiable this is its derivative. Bilinear reading has a kink at the identity, and so has clipping to
    [0, 1]: to either side T changes by ±h·(slope of the image) + |h|·(blur), and the symmetric derivative is the slope
    without the blur, with differences of neighbours on both sides and fill beyond the border. What only moves pixels is
    taken as going on beyond the end of its span, so that all of them are alike.

    Args:
        family: smooth; filled as it shall be.
        images: shape (image, channel, height, width).
        seeds: one per image for a family that draws.

    Returns:
        The change of every pixel per unit of measure, in the images' type, on their device; per `family.power` of it.

    Example:
        >>> from invariscope.transformations.translation import TranslationX
        >>> tangent_at_identity(TranslationX(fill="zero"), torch.tensor([[[[0.0, 1.0, 1.0, 0.0]]]])).flatten()
        tensor([-2., -2.,  2.,  2.])
    """
    if moves_places(family):
        return motion(images, velocity(family, images, seeds), getattr(family, "fill", 0.0))
    if type(family).tangent is not Transformation.tangent:
        return family.derivative(images, family.identity, seeds=seeds)
    height, width = images.shape[2:]
    low, high = family.limits(height, width)
    normal_step = grid_step(family, height, width)
    exact = images.to(exact_device(images.device)).double()
    own = None if seeds is None else seeds.to(exact.device)

    def slope(off: float) -> Tensor:
        up, down = (off if family.identity < high else 0.0), (off if low < family.identity else 0.0)
        ahead, behind = family(exact, family.identity + up, seeds=own), family(exact, family.identity - down, seeds=own)
        return (ahead - behind) / (up + down)

    step = _VALUES * normal_step
    found = slope(step)
    if not low < family.identity < high:
        # To one side only, the error would grow with the step itself; so it grows with its square.
        found = 2 * slope(step / 2) - found
    return torch.where(found.abs() * normal_step > _NOTHING, found, torch.zeros_like(found)).to(images)


def velocity(
    family: Transformation, images: Float[Tensor, "image channel height width"], seeds: Int[Tensor, " image"] | None
) -> Float[Tensor, "#image 2 height width"]:
    """Where each pixel of the result is read, per unit of measure: pixels to the right and downwards.

    Args:
        family: moves places.
        images: only their number, size, type and device count.
        seeds: one per image for a family that draws.

    Returns:
        One field for all images, or one per image for a family that draws.

    Example:
        >>> from invariscope.transformations.translation import TranslationX
        >>> velocity(TranslationX(), torch.zeros(5, 1, 2, 4), None)[0, :, 0, 0]
        tensor([-4.,  0.])
    """
    height, width = images.shape[2:]
    device = exact_device(images.device)
    count = len(images) if family.random else 1
    axes = (torch.arange(height, device=device).double(), torch.arange(width, device=device).double())
    down, across = torch.meshgrid(*axes, indexing="ij")
    # The image whose values are the places themselves: bilinear reading of it is exact.
    places = torch.stack([across, down]).expand(count, -1, -1, -1)
    moving, step = family.with_fill("border"), _PLACES * grid_step(family, height, width)
    own = None if seeds is None else seeds.to(device)

    def read(off: float) -> Tensor:
        value = family.identity + off
        magnitude = Magnitude(torch.full((count,), value, dtype=torch.float64, device=device), (value,) * count)
        return moving.transform(places, magnitude, own)

    ahead, behind = read(step) - places, places - read(-step)
    # At the border one of the two reads within the image; the other stands still there.
    field = torch.where(ahead.abs() >= behind.abs(), ahead, behind)
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    field[inner] = (ahead[inner] + behind[inner]) / 2
    return (field / step).to(images)


def motion(
    maps: Float[Tensor, "image channel height width"],
    field: Float[Tensor, "#image 2 height width"],
    fill: Fill = "border",
) -> Float[Tensor, "image channel height width"]:
    """How maps change when each place is read a little further: ∂x·u + ∂y·v, slopes between the neighbours.

    Args:
        maps: images, or feature maps.
        field: of `velocity`, in pixels of the maps.
        fill: what lies outside.

    Returns:
        Shape of the maps.

    Example:
        >>> motion(torch.tensor([[[[0.0, 1.0, 4.0]]]]), torch.ones(1, 2, 1, 3)).flatten()
        tensor([0.5000, 2.0000, 1.5000])
    """
    if fill in ("border", "reflect"):
        padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    else:
        padded = F.pad(maps - fill_values(maps, fill), (1, 1, 1, 1))
    across = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
    down = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
    return field[:, :1] * across + field[:, 1:] * down


def white_noise(
    images: Float[Tensor, "image channel height width"], indices: Int[Tensor, " image"], seed: int
) -> Float[Tensor, "image channel height width"]:
    """A random direction per image, independent in every pixel and channel, of root mean square 1.

    Args:
        images: only their size, type and device count.
        indices: the images' places in the whole set, which decide the noise with `seed`.
        seed: of the run.
    """
    seeds = image_seeds(indices.to(images.device), seed, "sensitivity of noise")
    noise = normal(seeds, tuple(images.shape[1:])).to(images.dtype)
    return noise / noise.square().mean((1, 2, 3), keepdim=True).sqrt()


def random_phase(
    tangent: Float[Tensor, "image channel height width"], indices: Int[Tensor, " image"], seed: int
) -> Float[Tensor, "image channel height width"]:
    """The same power at every frequency of every channel, at random places.

    Phases are turned by those of white noise, the same in all channels, so that the power spectrum, the root mean
    square and the relations between channels stay. What is the same everywhere stays too, up to its sign.

    Args:
        tangent: of images.
        indices: the images' places in the whole set.
        seed: of the run.

    Example:
        >>> spot = torch.zeros(1, 1, 4, 4)
        >>> spot[..., 0, 0] = 1
        >>> round(random_phase(spot, torch.tensor([0]), 0).square().sum().item(), 5)
        1.0
    """
    seeds = image_seeds(indices.to(tangent.device), seed, "sensitivity of phases")
    turned = torch.fft.rfft2(normal(seeds, (1, *tangent.shape[2:])))
    turned = turned / turned.abs().clamp(min=torch.finfo(torch.float32).tiny)
    moved: Tensor = torch.fft.irfft2(torch.fft.rfft2(tangent.float()) * turned, s=tangent.shape[2:])
    return moved.to(tangent)
