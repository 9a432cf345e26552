"""Silencing units."""

from jaxtyping import Bool, Float
from torch import Tensor


def silence(
    activation: Float[Tensor, "image ..."], layout: str, unit_mask: Bool[Tensor, " unit"]
) -> Float[Tensor, "image ..."]:
    """The activation with the marked units at 0, everywhere in every image.

    Args:
        activation: of a site; shape (image, …).
        layout: of the site: "features", "channels-first", "channels-last" or "tokens".
        unit_mask: True silences; shape (unit,): one per channel or feature, or one per channel and position in the
            order of `reduce_units(units="positions")`.

    Returns:
        A new tensor of the same shape.

    Example:
        >>> import torch
        >>> silence(torch.ones(1, 3), "features", torch.tensor([True, False, False]))
        tensor([[0., 1., 1.]])
    """
    last = layout in ("channels-last", "tokens")
    first = activation.movedim(-1, 1) if last else activation
    per_position = first.ndim > 2 and len(unit_mask) != first.shape[1]
    shape = first.shape[1:] if per_position else (first.shape[1], *[1] * (first.ndim - 2))
    # Selected, not multiplied by 0: an infinite response is silenced too.
    silenced = first.masked_fill(unit_mask.to(first.device).reshape(shape), 0)
    return silenced.movedim(1, -1) if last else silenced
