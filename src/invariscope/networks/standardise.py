"""Per-image standardisation: what a network of Jang et al. does to each image first."""

import math

from jaxtyping import Float
from torch import Tensor, nn


def standardise(images: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image channel height width"]:
    """Each image to mean 0 and standard deviation 1 over all its pixels and channels.

    (x − mean) / max(std, 1/√n), n numbers to an image, so that a constant image becomes 0.

    Args:
        images: shape (image, channel, height, width).

    Returns:
        Images of the same shape; a change of brightness or of positive contrast of an image changes nothing.

    Example:
        >>> import torch
        >>> standardise(torch.tensor([0.0, 0.0, 1.0, 1.0]).reshape(1, 1, 2, 2)).flatten()
        tensor([-1., -1.,  1.,  1.])

    Source: Jang et al., appendix B (preprocessing); the floor is that of TensorFlow's function for it.
    """
    flat = images.flatten(1)
    std = flat.std(1, correction=0).clamp(min=1 / math.sqrt(flat.shape[1]))
    return (images - flat.mean(1)[:, None, None, None]) / std[:, None, None, None]


class Standardise(nn.Module):
    """`standardise` as the first part of a network.

    Source: Jang et al., appendix B: each image is standardised before the first hidden layer.
    """

    def forward(
        self, images: Float[Tensor, "image channel height width"]
    ) -> Float[Tensor, "image channel height width"]:
        """(x − mean) / max(std, 1/√n)."""
        return standardise(images)
