"""The smallest and the largest response of each unit."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Extremes:
    """The smallest and the largest value of each unit; two of them can be merged.

    Args:
        low: smallest values; shape (unit,).
        high: largest values; shape (unit,).

    Example:
        >>> both = Extremes.of(torch.tensor([[1.0], [3.0]])).merge(Extremes.of(torch.tensor([[-2.0]])))
        >>> both.low.item(), both.high.item(), both.scale.item()
        (-2.0, 3.0, 3.0)
    """

    low: Float[Tensor, " unit"]
    high: Float[Tensor, " unit"]

    @classmethod
    def of(cls, responses: Float[Tensor, "image unit"]) -> "Extremes":
        """The extremes of a batch.

        Args:
            responses: one image or more; shape (image, unit).

        Returns:
            Extremes over the images; NaN where a response is NaN.
        """
        low, high = torch.aminmax(responses, dim=0)
        return cls(low, high)

    def merge(self, other: "Extremes") -> "Extremes":
        """The extremes over the images of both.

        Args:
            other: extremes of the same units over other images.

        Returns:
            Extremes as if all images had been in one batch.
        """
        return Extremes(torch.minimum(self.low, other.low), torch.maximum(self.high, other.high))

    @property
    def scale(self) -> Float[Tensor, " unit"]:
        """The largest absolute value of each unit; shape (unit,)."""
        return torch.maximum(self.low.abs(), self.high.abs())
