"""Where an activation keeps its channels, told by following the channel axis through the operations.

Rules, in this order, for the result of a torch function:

1. Convolutions, batch, group and instance normalisation, pooling and resizing put channels on axis 1.
2. Linear maps, and layer or RMS normalisation over one axis, put features on the last axis.
3. `permute`, `transpose`, `movedim` move the axis with the data.
4. `flatten`, `reshape`, `view` and `unflatten` keep axis 1, or the last axis, where its size and place stay.
5. Any other operation hands the axis of its first input of as many axes on to its result.

What no rule reaches is taken by its number of axes: 3 are (image, token, feature), 4 are (image, channel, height,
width).
"""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from invariscope.networks.activations import plain_name
from invariscope.networks.outputs import tensors_of

_FIRST = ("conv", "batch_norm", "group_norm", "instance_norm", "max_pool", "avg_pool", "interpolate", "upsample")
_LAST = {"linear", "addmm", "layer_norm", "rms_norm", "native_layer_norm", "embedding"}
_MOVES = {"permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "t", "mT", "T", "mH", "H"}
_RESHAPES = {"flatten", "reshape", "view", "unflatten", "unsafe_view", "reshape_as", "view_as", "squeeze", "unsqueeze"}
_WEIGHTED = ("linear", "conv", "addmm", "bilinear", "multi_head_attention_forward", "embedding")


class AxisFollower:
    """Follows the channel axis of every tensor of a pass, and counts the weighted operations."""

    def __init__(self) -> None:
        self._axes: MutableMapping[Tensor, int] = WeakTensorKeyDictionary()
        self.weighted = 0

    def begin(self, images: Tensor) -> None:
        """Start with the images, whose channels are axis 1."""
        self._axes[images] = 1

    def observe(self, function: object, args: Sequence[object], kwargs: Mapping[str, object], result: object) -> None:
        """Take in one call of a torch function."""
        name = plain_name(function)
        if name == "get":  # a property such as x.T: its function is called __get__
            name = str(getattr(getattr(function, "__self__", None), "__name__", ""))
        self.weighted += name.startswith(_WEIGHTED)
        inputs = [tensor for _, tensor in tensors_of([*args, *kwargs.values()])]
        for _, tensor in tensors_of(result):
            axis = self._axis(name, inputs, args, kwargs, tensor)
            if axis is not None:
                self._axes[tensor] = axis

    def layout(self, activation: Tensor) -> str:
        """The layout of an activation: features, channels-first, channels-last or tokens."""
        if activation.ndim <= 2:
            return "features"
        axis = self._axes.get(activation, 2 if activation.ndim == 3 else 1)
        if axis == activation.ndim - 1:
            return "tokens" if activation.ndim == 3 else "channels-last"
        return "channels-first"

    def _axis(
        self, name: str, inputs: list[Tensor], args: Sequence[object], kwargs: Mapping[str, object], result: Tensor
    ) -> int | None:
        if name.startswith(_FIRST) or "_pool" in name:
            return 1
        if name in _LAST:
            normalised = kwargs.get("normalized_shape", args[1] if len(args) > 1 else ())
            if "norm" not in name or not isinstance(normalised, Sequence) or len(normalised) == 1:
                return result.ndim - 1
        known = [tensor for tensor in inputs if tensor in self._axes]
        if name in _MOVES and known:
            return _moved(known[0], self._axes[known[0]], name, args, kwargs)
        if name in _RESHAPES and known:
            return _reshaped(known[0], self._axes[known[0]], result)
        return next((self._axes[tensor] for tensor in known if tensor.ndim == result.ndim), None)


def _moved(source: Tensor, axis: int, name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> int | None:
    """Where an axis goes: run the same move on a small tensor whose sizes are the axes' numbers."""
    probe = torch.empty(tuple(range(1, source.ndim + 1)), device="meta")
    if name in ("T", "mT", "mH", "H"):
        moved = getattr(probe, name)
    else:
        moved = getattr(torch, name)(probe, *_settings(args, name), **{k: v for k, v in kwargs.items() if k != "input"})
    return list(moved.shape).index(axis + 1)


def _settings(args: Sequence[object], name: str) -> list[object]:
    rest = list(args[1:])
    # x.permute(0, 2, 1) is torch.permute(x, (0, 2, 1)).
    return [rest] if name == "permute" and rest and not isinstance(rest[0], Iterable) else rest


def _reshaped(source: Tensor, axis: int, result: Tensor) -> int | None:
    if axis == source.ndim - 1 and result.shape[-1] == source.shape[-1]:
        return result.ndim - 1
    if axis == 1 and result.ndim > 1 and result.shape[:2] == source.shape[:2]:
        return 1
    return None
