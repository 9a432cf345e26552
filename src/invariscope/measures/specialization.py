"""Specialization: which version of the image a unit prefers."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure, ratio
from invariscope.measures.block import Block
from invariscope.responses.reference import Reference


@MEASURES.add("specialization")
@dataclass(frozen=True)
class Specialization(Measure):
    """Which version a unit prefers, over the images that drive it: 1 transformed only, −1 clean only, 0 neither.

    The mean of (f(T(x)) − f(x)) / (f(T(x)) + f(x)) over the same active images as the invariance coefficient.
    NaN for a unit that no image drives. Responses must not be negative.

    Source: Jang et al., appendix D: equation 1 without the absolute value.
    """

    columns = ("specialization",)
    nonnegative = True

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """Whether the image drives the unit, and the signed change of the response."""
        return {"active": block.active, "preference": block.ratio}

    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """The mean signed change over active images."""
        return {"specialization": ratio(sums["preference"], sums["active"])}
