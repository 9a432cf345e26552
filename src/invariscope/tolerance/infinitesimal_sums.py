"""What is kept of activations and their derivatives: sums of squares per image, and per unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from numpy import ndarray
from torch import Tensor

from invariscope.networks.sites import Site
from invariscope.networks.units import channels_first
from invariscope.networks.watch import OUTPUT
from invariscope.statistics.sums import exact_device
from invariscope.tolerance.infinitesimal_tangents import motion

# The outermost ring of a map is left out, and something must remain.
_LEAST_MAP = 4


def is_map(site: Site) -> bool:
    """Whether a site is a map of the image plane, large enough to tell how it moves."""
    if site.layout not in ("channels-first", "channels-last") or len(site.shape) != 3:
        return False
    height, width = site.shape[1:] if site.layout == "channels-first" else site.shape[:2]
    return min(height, width) >= _LEAST_MAP


@dataclass
class Means:
    """The mean activation of every element of every site, over images that come in batches."""

    totals: dict[str, Tensor] = field(default_factory=dict)
    count: int = 0

    def add(self, site: str, activation: Float[Tensor, "image ..."]) -> None:
        """Take in a batch."""
        total = activation.detach().to(exact_device(activation.device)).sum(0, dtype=torch.float64)
        self.totals[site] = self.totals[site] + total if site in self.totals else total

    def of(self, site: str) -> Float[Tensor, "..."]:
        """The mean of a site."""
        return self.totals[site] / self.count


@dataclass(frozen=True)
class Reduction:
    """Reduces an activation a and its derivative t along one direction to sums of squares.

    Args:
        sites: by name.
        means: of every site.
        units: whether sums per unit are wanted.
        spread: whether what does not depend on the direction is wanted too: (a − ā)².
    """

    sites: Mapping[str, Site]
    means: Mapping[str, Tensor]
    units: bool = False
    spread: bool = False

    def __call__(self, site: str, activation: Tensor, tangent: Tensor, field: Tensor | None) -> dict[str, Tensor]:
        """Sums by name: shape (image,) or, for those of units, (unit,); of the output also both tensors whole."""
        found = {"change": _squares(tangent)}
        layout = self.sites[site].layout
        if self.units:
            found["unit_change"] = _unit_squares(tangent, layout)
        if self.spread:
            away = activation - self.means[site].to(activation.dtype)
            found["spread"] = _squares(away)
            if self.units:
                found["unit_spread"] = _unit_squares(away, layout)
        if site == OUTPUT:
            found["tangent"], found["value"] = tangent.clone(), activation.clone()
        if field is not None and is_map(self.sites[site]):
            found |= _moved(channels_first(activation, layout), channels_first(tangent, layout), field)
        return found


def _wide(values: Tensor) -> torch.dtype:
    """The type to sum in."""
    return torch.promote_types(values.dtype, torch.float32)


def _squares(values: Tensor) -> Float[Tensor, " image"]:
    return values.reshape(len(values), -1).to(_wide(values)).square().sum(1)


def _unit_squares(values: Tensor, layout: str) -> Float[Tensor, " unit"]:
    first = values if layout == "features" or values.ndim <= 2 else channels_first(values, layout)
    return first.reshape(len(first), first.shape[1] if first.ndim > 1 else 1, -1).to(_wide(values)).square().sum((0, 2))


def _moved(maps: Tensor, tangent: Tensor, field: Tensor) -> dict[str, Tensor]:
    """How the derivative compares with the map's own motion, away from the border."""
    height, width = maps.shape[2:]
    scale = field.new_tensor([width / field.shape[3], height / field.shape[2]])[:, None, None]
    own = F.interpolate(field, size=(height, width), mode="area") * scale
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    moved, seen = motion(maps, own)[inner], tangent[inner]
    return {"inner": _squares(seen), "moved": _squares(moved), "shared": _sum(seen * moved)}


def _sum(values: Tensor) -> Float[Tensor, " image"]:
    return values.reshape(len(values), -1).to(_wide(values)).sum(1)


class Table:
    """Numbers per image, written batch by batch, and sums per unit.

    Args:
        n_images: how many images there are.
    """

    def __init__(self, n_images: int) -> None:
        self._n = n_images
        self._images: dict[tuple[str, ...], ndarray] = {}
        self._units: dict[tuple[str, ...], ndarray] = {}

    def put(self, rows: slice, key: tuple[str, ...], values: Shaped[Tensor, " image"]) -> None:
        """Write the numbers of some images."""
        column = self._images.setdefault(key, np.zeros(self._n))
        column[rows] = values.detach().cpu().numpy()

    def add(self, key: tuple[str, ...], values: Float[Tensor, " unit"]) -> None:
        """Add the sums over some images."""
        more = values.detach().cpu().double().numpy()
        self._units[key] = self._units[key] + more if key in self._units else more

    def images(self, *key: str) -> Float[ndarray, " image"]:
        """Numbers of all images; zeros where nothing was written, because nothing changed."""
        return self._images.get(key, np.zeros(self._n))

    def units(self, *key: str) -> Float[ndarray, " unit"] | None:
        """Sums over all images; None where nothing was added."""
        return self._units.get(key)

    def has(self, *key: str) -> bool:
        """Whether numbers of images were written under this key."""
        return key in self._images

    def columns(self, keys: Sequence[tuple[str, ...]]) -> Float[ndarray, "image column"]:
        """Several side by side."""
        return np.stack([self.images(*key) for key in keys], axis=1)
