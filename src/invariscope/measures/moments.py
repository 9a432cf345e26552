"""Second moments from sums about a centre, with rounding noise told from variance."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

# A standard deviation below this share of the unit's scale (eight float32 steps) is rounding noise of a constant.
ROUNDING = 1e-6
# Of a mean square about a centre, summed in float32 64 images at a time: what of it a variance cannot be told from.
# A group of images whose mean is far from the centre, of all images, would otherwise never be constant.
LOST = 4e-6


def variance(
    total: Float[Tensor, "row unit"],
    squares: Float[Tensor, "row unit"],
    count: Float[Tensor, "row ..."],
    scale: Float[Tensor, "... unit"],
    *,
    moved: bool = False,
) -> Float[Tensor, "row unit"]:
    """The sample variance, with n − 1, from sums about a centre; 0 for a constant up to rounding.

    Args:
        total: sum of the deviations from the centre.
        squares: sum of their squares.
        count: sum of the weights.
        scale: the size of the responses, against which rounding is judged.
        moved: the sums were made about another centre, and moved to this one afterwards.

    Returns:
        Variance; NaN with fewer than two images.
    """
    value = ((squares - total**2 / count) / (count - 1)).clamp_min(0)
    noise = (ROUNDING * scale) ** 2
    if not moved:
        noise = torch.maximum(noise, LOST * squares / count)
    value = value.where(value > noise, 0.0)
    return value.where(count > 1, float("nan"))


def move_centre(
    sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."], gap: Float[Tensor, " unit"]
) -> dict[str, Float[Tensor, "row unit"]]:
    """Sums of transformed deviations about a centre that is lower by `gap`.

    Args:
        sums: "transformed", "transformed_square", "clean" and "product".
        count: sum of the weights.
        gap: old centre less new centre; shape (unit,).

    Returns:
        The three sums that change.
    """
    first = sums["transformed"]
    return {
        "transformed": first + count * gap,
        "transformed_square": sums["transformed_square"] + 2 * gap * first + count * gap**2,
        "product": sums["product"] + gap * sums["clean"],
    }
