"""Responses to images and to the same images transformed."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Pair:
    """Row i of every tensor is the same image.

    Args:
        clean: responses to the images; shape (image, unit).
        transformed: responses to the transformed images; shape (image, unit).
        other: responses to the transformed version of another image, each image's partner in a derangement of the
            whole set: what a unit that ignores the image would be compared with (the null); shape (image, unit), or
            None where no null is asked for.
    """

    clean: Float[Tensor, "image unit"]
    transformed: Float[Tensor, "image unit"]
    other: Float[Tensor, "image unit"] | None = None
