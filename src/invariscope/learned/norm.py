"""How far a transformation moves things: the loss of the Invariant Transformer Net, up to its sign."""

import torch
from jaxtyping import Float
from torch import Tensor


def squared_move(head: str, deviations: Float[Tensor, "k ..."]) -> Float[Tensor, " k"]:
    """The mean of ‖Ax − x‖² over unit vectors x, in closed form.

    For a matrix of the colour or spatial head, made square by a last row (0, …, 1), it is ‖A − I‖²_F / d with d its
    size, for the mean of x xᵀ over the unit sphere is I / d. For a convolution, over unit images, it is the sum of
    (K − δ)² (Parseval). For a displacement field it is the mean squared shift of the control points.

    Args:
        head: whose deviations these are.
        deviations: D = A − I, one per k.

    Returns:
        One number per k, 0 or more.

    Example:
        >>> double = torch.eye(2, 3)[None]
        >>> round(float(squared_move("spatial", double)), 3)
        0.667

    Source: Bunne et al., §III.D (L̂, without its minus).
    """
    total = deviations.square().flatten(1).sum(1)
    if head in ("colour", "spatial"):
        return total / deviations.shape[-1]
    if head == "displacement":
        return total / (deviations.shape[-1] * deviations.shape[-2])
    return total


def sampled_move(
    deviations: Float[Tensor, "k row column"], vectors: Float[Tensor, "vector column"]
) -> Float[Tensor, " k"]:
    """The mean of ‖Ax − x‖² over some unit vectors, as the paper has it.

    Args:
        deviations: D = A − I of a colour or spatial matrix; the square matrix's last row adds nothing.
        vectors: in any length; they are brought to length one.

    Returns:
        One number per k; its expectation over uniform directions is `squared_move`.

    Source: Bunne et al., §III.D (L̂, without its minus).
    """
    unit = torch.nn.functional.normalize(vectors, dim=1)
    return (unit @ deviations.transpose(1, 2)).square().sum(2).mean(1)
