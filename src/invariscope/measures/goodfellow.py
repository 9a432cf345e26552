"""Firing before and after the transformation."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure, ratio
from invariscope.measures.block import Block
from invariscope.responses.reference import Reference


@MEASURES.add("goodfellow")
@dataclass(frozen=True)
class Goodfellow(Measure):
    """How often a unit fires: on clean images, on the transformed versions of those, and on any transformed image.

    A unit fires where its response exceeds a threshold that at most the top share of its clean responses exceeds.
    global = P(f(x) fires);  local = P(f(T(x)) fires | f(x) fires), the definition of 2009;
    local_unconditioned = P(f(T(x)) fires), which other software uses in its place and which is high also for a unit
    that fires on quite other images after the transformation. The invariance score is local over global.

    Source: Goodfellow et al., Measuring invariances in deep networks (2009), section 3.
    """

    columns = ("goodfellow_global", "goodfellow_local", "goodfellow_local_unconditioned")

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """Whether the unit fires on the image, on the transformed image, on both."""
        clean, transformed = block.clean_fires, block.transformed_fires
        return {"clean_fires": clean, "transformed_fires": transformed, "both_fire": clean * transformed}

    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """Firing images over images, or over clean firing images."""
        images = count.expand_as(sums["clean_fires"])
        return {
            "goodfellow_global": ratio(sums["clean_fires"], images),
            "goodfellow_local": ratio(sums["both_fire"], sums["clean_fires"]),
            "goodfellow_local_unconditioned": ratio(sums["transformed_fires"], images),
        }
