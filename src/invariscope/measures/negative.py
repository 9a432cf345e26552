"""What to do with negative responses where a measure needs responses of 0 or more."""

from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown

WAYS = ("rectify", "abs", "shift")


def without_negative(
    responses: Float[Tensor, "image unit"], how: str, low: Float[Tensor, " unit"]
) -> Float[Tensor, "image unit"]:
    """Responses of 0 or more.

    rectify: max(f, 0).  abs: |f|.  shift: f less the unit's smallest response, clean or transformed.

    Args:
        responses: clean or transformed; shape (image, unit).
        how: "rectify", "abs" or "shift".
        low: the smallest response of each unit over all images, clean and transformed; shape (unit,); only a shift
            reads it.

    Returns:
        A new tensor of the same shape.

    Raises:
        SettingError: there is no such way.

    Example:
        >>> import torch
        >>> without_negative(torch.tensor([[-1.0], [2.0]]), "shift", torch.tensor([-3.0])).flatten().tolist()
        [2.0, 5.0]
    """
    if how == "rectify":
        return responses.clamp_min(0)
    if how == "abs":
        return responses.abs()
    if how == "shift":
        return responses - low
    raise SettingError(unknown("way to treat negative responses", how, WAYS))
