"""What a network wants of its input: size, crop, mean and standard deviation, or each image standardised."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import NetworkError, ShapeError
from invariscope.networks.standardise import standardise

# ITU-R BT.601, as the grayscale transformation has it.
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Recipe:
    """How an image becomes a network's input: resize, crop, then (image − mean) / std per channel or per image.

    Transformations act between the two steps: on the resized and cropped image in [0,1], before normalisation.

    Args:
        size: height and width after the centre crop, in pixels; None leaves images as they are.
        resize: shorter side before the crop, in pixels; None resizes to the size itself.
        interpolation: "bilinear", "bicubic", "lanczos", "nearest" or "box".
        mean: subtracted, per channel, in [0,1] units; empty for a network that takes [0,1] itself.
        std: divided by, per channel; as long as `mean`.
        channels: 3 for RGB, 1 for grey, 0 for whatever the images have.
        standardise: with each image's own mean and standard deviation over all its pixels and channels, in place of
            `mean` and `std`; it comes after the transformation.

    Raises:
        NetworkError: a size, mean or standard deviation that no image could be brought to.

    Example:
        >>> recipe = Recipe(size=(224, 224), resize=256, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
        >>> float(recipe.normalise(torch.full((1, 3, 2, 2), 0.75)).max())
        1.0
        >>> recipe.fill
        (0.5, 0.5, 0.5)
    """

    size: tuple[int, int] | None = None
    resize: int | None = None
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    channels: int = 3
    standardise: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise NetworkError(f"an input size is a height and a width of at least 1 pixel; got {self.size}.")
        if len(self.mean) != len(self.std):
            raise NetworkError(
                f"mean and std have one value per channel each; got {len(self.mean)} means and {len(self.std)} stds."
            )
        if any(value <= 0 for value in self.std):
            raise NetworkError(f"standard deviations are above 0; got std={self.std}.")
        if self.mean and len(self.mean) not in (1, self.channels):
            raise NetworkError(f"the network takes {self.channels} channels; got {len(self.mean)} means: {self.mean}.")
        if self.standardise and self.mean:
            raise NetworkError(
                f"an image is standardised with its own mean and std, in place of given ones; got mean={self.mean}."
            )

    @property
    def fill(self) -> tuple[float, ...]:
        """The colour of nothing: the mean, which is 0 after normalisation, or mid-grey where nothing is subtracted."""
        count = max(self.channels, 1)
        return self.mean * (count // len(self.mean)) if self.mean else (0.5,) * count

    def normalise(
        self, images: Float[Tensor, "image channel height width"]
    ) -> Float[Tensor, "image channel2 height width"]:
        """Images in [0,1] as the network wants them; colour becomes grey, and grey three channels, where it must.

        Args:
            images: in [0,1], already of the recipe's size; shape (image, channel, height, width).

        Returns:
            (images − mean) / std, or each image standardised.

        Raises:
            ShapeError: a number of channels that the network does not take.
        """
        images = self._with_channels(images)
        if self.standardise:
            return standardise(images)
        if not self.mean:
            return images
        mean = torch.tensor(self.mean, dtype=images.dtype, device=images.device)[:, None, None]
        std = torch.tensor(self.std, dtype=images.dtype, device=images.device)[:, None, None]
        return (images - mean) / std

    def _with_channels(self, images: Tensor) -> Tensor:
        given = images.shape[1]
        if self.channels in (0, given):
            return images
        if given == 1:
            return images.expand(-1, self.channels, -1, -1)
        if self.channels == 1 and given == 3:
            luma = torch.tensor(LUMA, dtype=images.dtype, device=images.device)[:, None, None]
            return (images * luma).sum(1, keepdim=True)
        raise ShapeError(f"the network takes images of {self.channels} channels; got {given}.")
