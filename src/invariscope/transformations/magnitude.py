"""A magnitude per image: on the images' device for the arithmetic, on the CPU for decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd import forward_ad

Given = float | int | Sequence[float | int] | Tensor


@dataclass(frozen=True)
class Magnitude:
    """The magnitudes of one call.

    Args:
        tensor: one per image, on the images' device, with its gradient if it carries one; shape (image,).
        values: the same numbers on the CPU, so that decisions never wait for a device.
        exact: the magnitude carries no gradient, so short-cuts may be taken.
    """

    tensor: Float[Tensor, " image"]
    values: tuple[float, ...]
    exact: bool = True

    @property
    def column(self) -> Float[Tensor, "image 1 1 1"]:
        """Broadcastable against images."""
        return self.tensor[:, None, None, None]

    def subset(self, places: Sequence[int], index: Int[Tensor, " some"]) -> "Magnitude":
        """The magnitudes of some of the images; `index` is `places` on the device."""
        return Magnitude(self.tensor[index], tuple(self.values[place] for place in places), self.exact)


def carries_gradient(tensor: Tensor) -> bool:
    """Whether reverse or forward mode follows this tensor."""
    if tensor.requires_grad and torch.is_grad_enabled():
        return True
    return forward_ad.unpack_dual(tensor).tangent is not None  # type: ignore[no-untyped-call]
