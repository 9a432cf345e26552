"""The invariance coefficient."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure, ratio
from invariscope.measures.block import Block
from invariscope.responses.reference import Reference


@MEASURES.add("invariance")
@dataclass(frozen=True)
class Invariance(Measure):
    """How little a unit's response changes, over the images that drive it: 1 is not at all.

    Over the images with f(x) > τ·peak or f(T(x)) > τ·peak, the mean of
    h(x) = 1 − |f(T(x)) − f(x)| / (f(T(x)) + f(x)),  from 0 to 1.
    `n_active` counts those images. `null` is the same coefficient between f(x) and the transformed version of another
    image, over the images that are active in that pairing: what a unit that does not tell images apart would reach.
    NaN for a unit that no image drives. Responses must not be negative.

    Source: Jang et al., section 2.2, equation 1.
    """

    columns = ("invariance", "n_active", "null")
    nonnegative = True

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """Whether the image drives the unit and how much the response changes, for the image and for its partner."""
        seen = {"active": block.active, "change": block.ratio.abs()}
        if block.other is not None:
            seen |= {"other_active": block.other_active, "other_change": block.other_ratio.abs()}
        return seen

    def compute(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], reference: Reference
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """One less the mean change over active images."""
        active = sums["active"]
        null = torch.full_like(active, float("nan"))
        if "other_active" in sums:
            null = 1 - ratio(sums["other_change"], sums["other_active"])
        return {"invariance": 1 - ratio(sums["change"], active), "n_active": active, "null": null}
