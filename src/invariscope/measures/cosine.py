"""The angle between a layer's responses to an image and to its transformed version."""

from jaxtyping import Float
from torch import Tensor


def layer_cosine(
    clean: Float[Tensor, "image unit"], transformed: Float[Tensor, "image unit"]
) -> Float[Tensor, " image"]:
    """Cosine of the angle between a layer's clean and transformed response, image by image.

    f(x)·f(T(x)) / (|f(x)| |f(T(x))|), over the layer's units: 1 for the same pattern of responses, however strong.

    Args:
        clean: responses to images; shape (image, unit).
        transformed: to the same images, transformed; shape (image, unit).

    Returns:
        From −1 to 1, not below 0 for responses that are not negative; NaN where either response is 0.

    Example:
        >>> import torch
        >>> clean, transformed = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 2.0], [3.0, 3.0]])
        >>> layer_cosine(clean, transformed).round(decimals=3)
        tensor([0., 1.])
    """
    before, after = clean.double(), transformed.double()
    size = before.norm(dim=1) * after.norm(dim=1)
    # Nothing over nothing is NaN, as it shall be.
    cosine: Tensor = ((before * after).sum(1) / size).clamp(-1, 1)
    return cosine.to(clean.dtype)
