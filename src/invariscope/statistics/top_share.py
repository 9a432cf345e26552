"""The threshold that a given share of responses exceeds."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def top_share_threshold(
    responses: Float[Tensor, "image unit"], share: float, chunk: int = 2**21
) -> Float[Tensor, " unit"]:
    """The smallest response that at most a share of all responses exceeds (strictly).

    With k = ⌊share · images⌋ it is the (k + 1)-th largest response, so that `response > threshold` holds for k images
    and for fewer where responses tie; with less than one image's share, k = 0 and no image fires.

    Args:
        responses: shape (image, unit), one image or more.
        share: of the images that may fire; 0 to 1, 1 excluded.
        chunk: numbers that are sorted at a time.

    Returns:
        Thresholds; shape (unit,).

    Example:
        >>> top_share_threshold(torch.arange(100.0)[:, None], 0.01)
        tensor([98.])

    Source: Goodfellow et al., Measuring invariances in deep networks (2009), section 3: thresholds such that a
        hidden unit fires for 1 % of the inputs.
    """
    images, units = responses.shape
    assert images > 0
    # The sliver keeps 0.29 · 100 from being 28.999999999999996.
    firing = min(math.floor(share * images + 1e-9), images - 1)
    step = max(1, chunk // images)
    parts = [
        responses[:, start : start + step].T.contiguous().topk(firing + 1, dim=1).values[:, -1]
        for start in range(0, units, step)
    ]
    return torch.cat(parts) if parts else responses.new_empty(0)
