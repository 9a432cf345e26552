"""How many images drive a unit."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure, ratio
from invariscope.measures.block import Block
from invariscope.responses.reference import Reference


@MEASURES.add("active-fraction")
@dataclass(frozen=True)
class ActiveFraction(Measure):
    """The share of images that drive a unit, clean or transformed.

    The mean over images of [f(x) > τ·peak or f(T(x)) > τ·peak], from 0 to 1. Responses must not be negative.

    Source: Jang et al., section 2.2.
    """

    columns = ("active_fraction",)
    nonnegative = True

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """Whether the image drives the unit."""
        return {"active": block.active}

    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """Active images over images."""
        return {"active_fraction": ratio(sums["active"], count.expand_as(sums["active"]))}
