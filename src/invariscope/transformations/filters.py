"""Filters against blur: sharpening and the high-pass."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.magnitude import Magnitude
from invariscope.transformations.separable import along_height, along_width, blur, kernel_matrices

_PAPER_KERNEL = (-1.0, 2.0, 4.0, 2.0, -1.0)


def detail(
    images: Float[Tensor, "image channel height width"], share: float
) -> Float[Tensor, "image channel height width"]:
    """What a Gaussian blur takes away: x − G(x), with σ a share of the width, at least half a pixel."""
    deviation = max(share * images.shape[3], 0.5)
    return images - blur(images, images.new_tensor([deviation**2]), [deviation])


@TRANSFORMATIONS.add("sharpen")
@dataclass(frozen=True)
class Sharpen(Transformation):
    """Add to each image what a blur would take away.

    T(x, v) = x + v·(x − G(x)), clipped to [0, 1]; σ of G is 1/32 of the width, at least half a pixel.

    Example:
        >>> import torch
        >>> spot = torch.full((1, 1, 3, 3), 0.5)
        >>> spot[..., 1, 1] = 0.6
        >>> Sharpen()(spot, 1.0)[0, 0, 1].round(decimals=2)
        tensor([0.4800, 0.6400, 0.4800])

    Source: Transforms-2D, appendix A.
    """

    unit_of_measure = "times the detail"
    identity = 0.0
    span = (0.0, 5.0)
    grid = (0.0, 1.0, 2.0, 4.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Unsharp masking."""
        return (images + magnitude.column * detail(images, 1 / 32)).clamp(0, 1)


@TRANSFORMATIONS.add("high-pass")
@dataclass(frozen=True)
class HighPass(Transformation):
    """Keep only the fine detail of each image, on mid-grey.

    T(x, v) = (1 − v)·x + v·(x − G(x) + 0.5); σ of G is 1/16 of the width, at least half a pixel.

    Args:
        kernel: "gaussian"; or "paper", the 5×5 kernel that Jang et al. print, the outer product of [−1, 2, 4, 2, −1]
            with itself, neither scaled nor shifted. It is no high-pass: it multiplies a flat image by 36. It is meant
            for networks that standardise each image afterwards, as theirs do.

    Example:
        >>> import torch
        >>> HighPass()(torch.full((1, 1, 4, 4), 0.2), 1.0).unique()
        tensor([0.5000])
        >>> HighPass(kernel="paper")(torch.ones(1, 1, 8, 8), 1.0).unique()
        tensor([36.])

    Source: Jang et al., appendix A (high-pass filtering).
    """

    kernel: Literal["gaussian", "paper"] = "gaussian"

    unit_of_measure = "blend"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.25, 0.5, 0.75, 1.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Blend image and filtered image."""
        if self.kernel == "paper":
            taps = images.new_tensor([_PAPER_KERNEL])
            rows = along_width(images, kernel_matrices(taps, images.shape[3]))
            filtered = along_height(rows, kernel_matrices(taps, images.shape[2]))
        else:
            filtered = detail(images, 1 / 16) + 0.5
        return images.lerp(filtered, magnitude.column)


def _edges(images: Tensor, along: int) -> Tensor:
    """Prewitt's operator along an axis, from −0.5 to 0.5 for images in [0, 1]."""
    across = kernel_matrices(images.new_tensor([[1.0, 1.0, 1.0]]), images.shape[5 - along])
    slope = kernel_matrices(images.new_tensor([[-1.0, 0.0, 1.0]]), images.shape[along])
    if along == 3:
        return along_height(along_width(images, slope), across) / 6
    return along_width(along_height(images, slope), across) / 6


@TRANSFORMATIONS.add("horizontal-filter")
@dataclass(frozen=True)
class HorizontalFilter(Transformation):
    """Keep only the change from left to right, on mid-grey.

    T(x, v) = (1 − v)·x + v·(P(x) / 6 + 0.5), with P the correlation with three rows [−1, 0, 1]; the border is mirrored.

    Example:
        >>> import torch
        >>> HorizontalFilter()(torch.tensor([[[[0.0, 0.5, 1.0]] * 3]]), 1.0)[0, 0, 1]
        tensor([0.5000, 1.0000, 0.5000])

    Source: Jang et al., appendix A (horizontal filter).
    """

    unit_of_measure = "blend"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.25, 0.5, 0.75, 1.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Blend image and slope."""
        return images.lerp(_edges(images, 3) + 0.5, magnitude.column)


@TRANSFORMATIONS.add("vertical-filter")
@dataclass(frozen=True)
class VerticalFilter(Transformation):
    """Keep only the change from top to bottom, on mid-grey.

    T(x, v) = (1 − v)·x + v·(P(x) / 6 + 0.5), with P the correlation with three columns [−1, 0, 1]; the border is
    mirrored.

    Example:
        >>> import torch
        >>> VerticalFilter()(torch.tensor([[[[0.0], [0.5], [1.0]]]]), 1.0).flatten()
        tensor([0.5000, 1.0000, 0.5000])

    Source: Jang et al., appendix A (vertical filter).
    """

    unit_of_measure = "blend"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.25, 0.5, 0.75, 1.0)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Blend image and slope."""
        return images.lerp(_edges(images, 2) + 0.5, magnitude.column)
