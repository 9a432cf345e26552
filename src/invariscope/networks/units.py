"""From an activation to one number per image and unit."""

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown

_FEW = 32
UNITS = ("channels", "positions")
REDUCTIONS = ("max", "mean", "centre")


def reduce_units(
    activation: Float[Tensor, "image ..."],
    layout: str,
    units: str = "channels",
    reduce: str = "max",
) -> Float[Tensor, "image unit"]:
    """One response per image and unit.

    Args:
        activation: of a site; shape (image, …).
        layout: of the site: "features", "channels-first", "channels-last" or "tokens".
        units: "channels" makes a channel (or a feature) a unit, "positions" every channel at every position, in
            row-major order of channel, row, column (feature, token).
        reduce: for channels, over positions: "max", "mean" or "centre" (the middle position; of tokens the first,
            which is the class token where there is one).

    Returns:
        Responses; shape (image, unit), a view where nothing had to be computed.

    Raises:
        SettingError: an unknown kind of unit or reduction.

    Example:
        >>> import torch
        >>> activation = torch.arange(8.0).reshape(1, 2, 2, 2)
        >>> reduce_units(activation, "channels-first"), reduce_units(activation, "channels-first", reduce="mean")
        (tensor([[3., 7.]]), tensor([[1.5000, 5.5000]]))
    """
    if units not in UNITS:
        raise SettingError(unknown("kind of unit", units, UNITS))
    if reduce not in REDUCTIONS:
        raise SettingError(unknown("reduction", reduce, REDUCTIONS))
    if layout == "features" or activation.ndim <= 2:
        return activation.reshape(len(activation), -1)
    if units == "positions":
        return channels_first(activation, layout).flatten(1)
    places = list(range(2, activation.ndim) if layout == "channels-first" else range(1, activation.ndim - 1))
    if reduce == "max":
        return _largest(activation, places)
    if reduce == "mean":
        return activation.mean(places)
    centred = activation
    for place in reversed(places):
        centred = centred.select(place, 0 if layout == "tokens" else centred.shape[place] // 2)
    return centred


def _largest(activation: Tensor, places: list[int]) -> Tensor:
    few = activation.ndim == 4 and places == [2, 3] and activation.shape[1] <= _FEW and activation.device.type == "cpu"
    if few and not activation.is_contiguous() and activation.is_contiguous(memory_format=torch.channels_last):
        # With few channels last in memory, amax is up to 8 times as slow as a pooling over the whole plane.
        return torch.nn.functional.max_pool2d(activation, activation.shape[2:]).flatten(1)
    return activation.amax(places)


def channels_first(activation: Float[Tensor, "image ..."], layout: str) -> Float[Tensor, "image unit ..."]:
    """The activation with channels (features) on axis 1, as a view.

    Args:
        activation: of a site; shape (image, …).
        layout: of the site.

    Example:
        >>> import torch
        >>> channels_first(torch.zeros(1, 2, 2, 7), "channels-last").shape
        torch.Size([1, 7, 2, 2])
    """
    return activation.movedim(-1, 1) if layout in ("channels-last", "tokens") else activation
