"""Invariance over all images, those that do not drive the unit included."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.measures.base import Measure, ratio
from invariscope.measures.block import Block
from invariscope.responses.reference import Reference


@dataclass(frozen=True)
class UnrestrictedInvariance(Measure):
    """How little a unit's response changes, over all images, whether they drive it or not: 1 is not at all.

    The mean over all images of h(x) = 1 − |f(T(x)) − f(x)| / (f(T(x)) + f(x)), where 0/0 counts as no change; from 0
    to 1. It counts indifference as invariance, which is why the coefficient leaves inactive images out; it is here to
    be compared with it, and no measurement takes it unasked. Responses must not be negative.

    Source: Jang et al., section 2.2, which argues against it.
    """

    columns = ("unrestricted_invariance",)
    nonnegative = True

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """How much the response changes, as a fraction of the sum of both responses."""
        total = block.clean + block.transformed
        change = (block.transformed - block.clean).abs() / total.clamp_min(torch.finfo(total.dtype).tiny)
        return {"unrestricted_change": change}

    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """One less the mean change over all images."""
        change = sums["unrestricted_change"]
        return {"unrestricted_invariance": 1 - ratio(change, count.expand_as(change))}
