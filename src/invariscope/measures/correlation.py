"""The correlation of clean and transformed responses."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure
from invariscope.measures.block import Block
from invariscope.measures.moments import move_centre, variance
from invariscope.responses.reference import Reference


@MEASURES.add("correlation")
@dataclass(frozen=True)
class Correlation(Measure):
    """Pearson's correlation between a unit's responses to images and to the same images transformed.

    Σ (f(x) − mean)(f(T(x)) − mean') / √(Σ (f(x) − mean)² · Σ (f(T(x)) − mean')²),  from −1 to 1.
    NaN where either is constant, its rounding noise included.

    Source: Pospisil & Bair, section II: invariance as the correlation of responses.
    """

    columns = ("correlation",)

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """Deviations of both responses, their squares and their product."""
        clean, transformed = block.clean_deviation, block.transformed_deviation
        return {
            "clean": clean,
            "clean_square": block.clean_square,
            "transformed": transformed,
            "transformed_square": transformed.square(),
            "product": clean * transformed,
        }

    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """Covariance over the standard deviations. The sums of transformed deviations are about the clean mean."""
        scale = reference.scale.to(count.device, count.dtype)
        clean = variance(sums["clean"], sums["clean_square"], count, scale)
        mean = reference.clean_mean.to(count.device, count.dtype) + sums["transformed"] / count
        transformed = variance(
            sums["transformed"], sums["transformed_square"], count, scale.maximum(mean.abs()), moved=True
        )
        together = (sums["product"] - sums["clean"] * sums["transformed"] / count) / (count - 1)
        product = clean * transformed
        known = product > 0
        value = (together / product.where(known, 1.0).sqrt()).clamp(-1, 1)
        return {"correlation": value.where(known, float("nan"))}

    def recentre(
        self,
        sums: Mapping[str, Float[Tensor, "row unit"]],
        count: Float[Tensor, "row ..."],
        gap: Float[Tensor, " unit"],
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """The sums about another centre."""
        return move_centre(sums, count, gap)
