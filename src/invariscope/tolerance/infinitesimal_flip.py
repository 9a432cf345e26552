"""Where predictions would flip if logits went on as straight lines."""

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from invariscope.transformations.base import Transformation


def first_order_flips(
    logits: Float[Tensor, "image output"], change: Float[Tensor, "image output"]
) -> dict[str, Shaped[Tensor, " image"]]:
    """From logits and their derivative, how far a transformation can go before another class is ahead.

    `margin` is the highest logit minus the second, m; `margin_change` its derivative m'; `estimate` is m / |m'|, where
    the two would meet on one side or the other; `output_change` is the length of the derivative of all logits. `above`
    and `below` regard all classes: the smallest distance on that side at which the straight line of any class meets
    that of the predicted one.

    Args:
        logits: of images as they are; at least two outputs.
        change: their derivative.

    Returns:
        Per image, `predicted` among them; infinite where lines do not meet.

    Example:
        >>> found = first_order_flips(torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([[0.0, 1.0, -3.0]]))
        >>> found["estimate"].item(), found["above"].item(), found["below"].item()
        (2.0, 2.0, 1.0)
    """
    logits, change = logits.double(), change.double()
    top = logits.topk(2, dim=1).indices
    first, second = top[:, :1], top[:, 1:]
    gap, opening = logits.gather(1, first) - logits, change.gather(1, first) - change
    margin, slope = gap.gather(1, second)[:, 0], opening.gather(1, second)[:, 0]
    others = torch.ones_like(gap, dtype=torch.bool).scatter(1, first, value=False)
    meeting = torch.where(opening != 0, gap / opening, torch.full_like(gap, math.inf))
    far = torch.full_like(gap, math.inf)
    return {
        "predicted": first[:, 0],
        "margin": margin,
        "margin_change": slope,
        "output_change": change.norm(dim=1),
        "estimate": torch.where(slope != 0, margin / slope.abs(), far[:, 0]),
        "above": torch.where(others & (opening < 0), -meeting, far).amin(1),
        "below": torch.where(others & (opening > 0), meeting, far).amin(1),
    }


def as_magnitudes(
    found: dict[str, Shaped[Tensor, " image"]], family: Transformation, height: int, width: int
) -> dict[str, Shaped[Tensor, " image"]]:
    """The same, distances in the unit of measure; NaN on a side that the family does not have.

    Args:
        found: of `first_order_flips`, in the derivative's own variable.
        family: the transformation.
        height: of the images.
        width: of the images.
    """
    low, high = family.limits(height, width)
    sides = {"estimate": True, "above": family.identity < high, "below": low < family.identity}
    unknown = torch.full_like(found["margin"], math.nan)
    return found | {name: found[name] ** (1 / family.power) if there else unknown for name, there in sides.items()}
