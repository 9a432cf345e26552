"""Weighted sums over images: exact, mergeable, one row per group of images."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


def exact_device(device: torch.device) -> torch.device:
    """Where float64 sums live: on the device itself, except on Apple's GPUs, which have no float64.

    Args:
        device: where the responses are.

    Returns:
        Where their sums are.

    Example:
        >>> exact_device(torch.device("cpu"))
        device(type='cpu')
    """
    return torch.device("cpu") if device.type == "mps" else device


def weighted_sums(
    weights: Float[Tensor, "row image"], contributions: Float[Tensor, "image unit"], block: int = 64
) -> Float[Tensor, "row unit"]:
    """Sums over images of weight times contribution: S[r, u] = Σ_i w[r, i] · x[i, u].

    Blocks of images are summed in the type of the contributions, and the blocks in float64, which keeps the relative
    error of float32 contributions below 1e-6 whatever the number of images.

    Args:
        weights: one row per group or bootstrap replicate; shape (row, image).
        contributions: shape (image, unit).
        block: images that are summed before float64 takes over.

    Returns:
        Float64, shape (row, unit).

    Example:
        >>> weighted_sums(torch.ones(1, 3), torch.tensor([[1.0], [2.0], [4.0]]))
        tensor([[7.]], dtype=torch.float64)
    """
    total = torch.zeros(
        len(weights), contributions.shape[1], dtype=torch.float64, device=exact_device(contributions.device)
    )
    for start in range(0, len(contributions), block):
        part = slice(start, start + block)
        total += (weights[:, part].to(contributions.dtype) @ contributions[part]).to(total.device)
    return total


@dataclass(frozen=True)
class Sums:
    """Named sums over images, with the sum of the weights; two of them over different images can be merged.

    Args:
        values: per name, sums of float64; shape (row, unit).
        count: the sum of the weights; shape (row, 1).

    Example:
        >>> one = Sums.of(torch.ones(1, 2), {"x": torch.tensor([[1.0], [2.0]])})
        >>> two = Sums.of(torch.ones(1, 1), {"x": torch.tensor([[4.0]])})
        >>> both = one.merge(two)
        >>> both.values["x"].item(), both.count.item()
        (7.0, 3.0)
    """

    values: Mapping[str, Float[Tensor, "row unit"]]
    count: Float[Tensor, "row 1"]

    @classmethod
    def of(
        cls, weights: Float[Tensor, "row image"], contributions: Mapping[str, Float[Tensor, "image unit"]]
    ) -> "Sums":
        """The sums of one batch of images.

        Args:
            weights: shape (row, image).
            contributions: per name, shape (image, unit).

        Returns:
            Their weighted sums.
        """
        values = {name: weighted_sums(weights, one) for name, one in contributions.items()}
        count = weights.to(exact_device(weights.device), torch.float64).sum(1, keepdim=True)
        return cls(values, count)

    def merge(self, other: "Sums") -> "Sums":
        """The sums over the images of both.

        Args:
            other: the same names and shapes, over other images.

        Returns:
            The sums as if all images had been in one batch.
        """
        assert self.values.keys() == other.values.keys()
        return Sums({name: one + other.values[name] for name, one in self.values.items()}, self.count + other.count)
