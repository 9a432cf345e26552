"""The variance of clean responses."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure
from invariscope.measures.block import Block
from invariscope.measures.moments import variance
from invariscope.responses.reference import Reference


@MEASURES.add("clean-variance")
@dataclass(frozen=True)
class CleanVariance(Measure):
    """The dynamic range of a unit: the variance of its responses to clean images.

    Σ (f(x) − mean)² / (n − 1); 0 for a constant, its rounding noise included; NaN with fewer than two images.

    Source: Pospisil & Bair, section II: dynamic range as response variance.
    """

    columns = ("clean_variance",)

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """The deviation of the clean response and its square."""
        return {"clean": block.clean_deviation, "clean_square": block.clean_square}

    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """The sample variance."""
        scale = reference.scale.to(count.device, count.dtype)
        return {"clean_variance": variance(sums["clean"], sums["clean_square"], count, scale)}
