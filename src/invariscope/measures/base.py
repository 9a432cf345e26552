"""What a measure is: weighted sums over images of contributions, and a formula of the sums."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from invariscope.core.registry import Registry
from invariscope.measures.block import Block
from invariscope.responses.reference import Reference


@dataclass(frozen=True)
class Measure(ABC):
    """Numbers per unit from pairs of responses, by way of sums over images.

    An author writes `observe`, `compute`, the traits below, and a docstring whose first line says the measure in one
    sentence. Groups of images, batches, several workers and the bootstrap all follow from the sums.

    Attributes:
        columns: the names of the numbers it gives.
        nonnegative: it has a meaning only for responses that are not negative.
    """

    columns: ClassVar[tuple[str, ...]]
    nonnegative: ClassVar[bool] = False

    @abstractmethod
    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """What each image contributes.

        Args:
            block: responses to some images, with quantities that measures share.

        Returns:
            Contributions to sum over images, by name; measures that give the same name mean the same contribution,
            and it is summed once.
        """

    @abstractmethod
    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """The measure, from the sums over all images.

        Args:
            sums: weighted sums of the contributions, float64.
            count: sum of the weights.
            reference: what is known of the units over all images.

        Returns:
            Per column, float64; NaN where unknown.
        """

    def recentre(
        self,
        sums: Mapping[str, Float[Tensor, "row unit"]],
        count: Float[Tensor, "row ..."],
        gap: Float[Tensor, " unit"],
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """The sums that depend on the block's centre, as if the centre had been lower by `gap`.

        Args:
            sums: weighted sums of the contributions, float64.
            count: sum of the weights.
            gap: old centre less new centre; shape (unit,).

        Returns:
            The sums that change; none unless a measure reads `Block.transformed_deviation`.
        """
        return {}


MEASURES: Registry[type[Measure]] = Registry("measure", "invariscope.measures")


def ratio(top: Float[Tensor, "row unit"], bottom: Float[Tensor, "row unit"]) -> Float[Tensor, "row unit"]:
    """The quotient top / bottom, and NaN where nothing is divided by.

    Args:
        top: any numbers.
        bottom: numbers of 0 or more.

    Returns:
        The quotient; NaN, never infinite, where bottom is 0.

    Example:
        >>> import torch
        >>> ratio(torch.tensor([[1.0, 1.0]]), torch.tensor([[2.0, 0.0]]))
        tensor([[0.5000,    nan]])
    """
    known = bottom > 0
    # Dividing by 1 in the unknown places keeps the gradients of the known ones finite.
    return (top / bottom.where(known, 1.0)).where(known, float("nan"))
