"""The Invariant Transformer Net: a family of transformations of images, steered by control parameters."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from invariscope.core.errors import SettingError, ShapeError
from invariscope.core.names import unknown
from invariscope.learned.heads import affine_shifts, field_shifts, filtered, pixel_places, read_at, recolour
from invariscope.learned.settings import HEADS
from invariscope.learned.steering import Steering
from invariscope.transformations.base import Fill

Given = Float[Tensor, "..."]


class TransformerNet(nn.Module):
    """Images in [0, 1] in, transformed images out: colour, then convolution, then one reading at moved places.

    Every head has a control parameter k of its own, in [0, 1]², which a perceptron 2-32-32-n turns into the deviation
    D(k) of the head's parameters from the identity; the transformation at scale s has the parameters I + s·D(k).

    Args:
        heads: of "colour", "convolution", "spatial", "displacement".
        channels: of the images.
        fill: what comes in from outside the image.
        interpolation: "bilinear" or "bicubic".
        kernel_size: of the convolution.
        kernel_sum: "one" or "free", the sum of the kernel.
        control_points: of the displacement field, along each axis.
        anchor: F(0) is the identity, bit for bit.
        start: "identity" or "random".
        init_std: of the last layers' first weights.
        seed: of all first weights.

    Example:
        >>> net, images = TransformerNet(), torch.rand(2, 3, 8, 8)
        >>> torch.equal(net(images, k_colour=torch.zeros(2, 2)), images)
        True

    Source: Bunne et al., §III.D, Figure 1.
    """

    def __init__(
        self,
        heads: tuple[str, ...] = ("colour", "spatial"),
        channels: int = 3,
        *,
        fill: Fill = 0.5,
        interpolation: str = "bilinear",
        kernel_size: int = 5,
        kernel_sum: str = "one",
        control_points: int = 5,
        anchor: bool = True,
        start: str = "identity",
        init_std: float = 0.03,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.heads = tuple(head for head in HEADS if head in heads)
        self.channels, self.fill, self.interpolation = channels, fill, interpolation
        self.kernel_size, self.kernel_sum, self.control_points = kernel_size, kernel_sum, control_points
        self.anchor, self.start, self.init_std, self.seed = anchor, start, init_std, seed
        self.steering = nn.ModuleDict()
        for place, head in enumerate(HEADS):
            if head in self.heads:
                # A seed of its own for each head: another head beside it changes nothing.
                generator = torch.Generator().manual_seed(seed * len(HEADS) + place)
                identity = self.identity(head).flatten()
                self.steering[head] = Steering(identity, anchor, start, init_std, generator)

    @property
    def about(self) -> dict[str, Any]:
        """All arguments, as plain values: `TransformerNet(**about)` is the net before training."""
        names = ("heads", "channels", "fill", "interpolation", "kernel_size", "kernel_sum", "control_points")
        return {name: getattr(self, name) for name in (*names, "anchor", "start", "init_std", "seed")}

    def identity(self, head: str) -> Tensor:
        """The parameters of a head that changes nothing."""
        if head == "colour":
            return torch.eye(self.channels, self.channels + 1)
        if head == "spatial":
            return torch.eye(2, 3)
        if head == "displacement":
            return torch.zeros(2, self.control_points, self.control_points)
        kernel = torch.zeros(self.kernel_size, self.kernel_size)
        kernel[self.kernel_size // 2, self.kernel_size // 2] = 1
        return kernel

    def deviations(self, k: Mapping[str, Float[Tensor, "k 2"]]) -> dict[str, Float[Tensor, "k ..."]]:
        """D(k) of every head that has a k, in the shape of its parameters.

        Args:
            k: control parameters by head; shape (k, 2), 0 to 1.

        Returns:
            By head: (k, channel, channel + 1), (k, tap, tap), (k, 2, 3), (k, 2, point, point).
        """
        found = {}
        for head in self.heads:
            if head in k:
                moved = self.steering[head](k[head]).view(-1, *self.identity(head).shape)
                if head == "convolution" and self.kernel_sum == "one":
                    moved = moved - moved.mean((1, 2), keepdim=True)
                found[head] = moved
        return found

    def transform(
        self,
        images: Float[Tensor, "image channel height width"],
        deviations: Mapping[str, Float[Tensor, "image ..."]],
        scale: float = 1.0,
    ) -> Float[Tensor, "image channel height width"]:
        """Images under I + s·D; an image without any deviation comes back bit for bit.

        Args:
            images: in [0, 1]; shape (image, channel, height, width).
            deviations: one per image, of some of the heads.
            scale: s.

        Returns:
            Images of the same shape.
        """
        _, _, height, width = images.shape
        scaled = {head: scale * moved for head, moved in deviations.items()}
        if "colour" in scaled:
            images = recolour(images, scaled["colour"])
        if "convolution" in scaled:
            images = filtered(images, scaled["convolution"])
        shifts = self.shifts(scaled, height, width)
        if shifts is None:
            return images
        moved = read_at(images, pixel_places(height, width, images) + shifts, self.fill, self.interpolation)
        if shifts.requires_grad:
            return moved
        still = (shifts == 0).flatten(1).all(1)[:, None, None, None]
        return torch.where(still, images, moved)

    def shifts(
        self, deviations: Mapping[str, Float[Tensor, "image ..."]], height: int, width: int
    ) -> Float[Tensor, "image height width 2"] | None:
        """How far from itself each pixel is read, in halves of the image; None where no head moves pixels."""
        parts = []
        if "spatial" in deviations:
            parts.append(affine_shifts(deviations["spatial"], height, width))
        if "displacement" in deviations:
            parts.append(field_shifts(deviations["displacement"], height, width))
        return sum(parts[1:], parts[0]) if parts else None

    def forward(
        self,
        images: Float[Tensor, "image channel height width"],
        k: Mapping[str, Given] | None = None,
        *,
        k_colour: Given | None = None,
        k_spatial: Given | None = None,
        scale: float = 1.0,
    ) -> Float[Tensor, "image channel height width"]:
        """Transformed images.

        Args:
            images: in [0, 1]; shape (image, channel, height, width).
            k: control parameters by head, one for all images or one per image; shape (2,) or (image, 2), 0 to 1.
                A head that is not named leaves the images as they are.
            k_colour: the colour head's, in place of `k`.
            k_spatial: the spatial head's, in place of `k`.
            scale: s in F_s = I + s (F − I).

        Returns:
            Images of the same shape.

        Raises:
            ShapeError: images of other channels, or a k that is neither one nor one per image.
            SettingError: a head that the net does not have.
        """
        if images.ndim != 4 or images.shape[1] != self.channels:
            raise ShapeError(
                f"the net takes images (image, {self.channels}, height, width); got shape {tuple(images.shape)}."
            )
        short = {"colour": k_colour, "spatial": k_spatial}
        given = dict(k or {}) | {head: value for head, value in short.items() if value is not None}
        return self.transform(images, self.deviations(self._spread(given, images)), scale)

    def _spread(self, k: Mapping[str, Tensor], images: Tensor) -> dict[str, Tensor]:
        spread = {}
        for head, value in k.items():
            if head not in self.heads:
                raise SettingError(unknown("head of this net", head, self.heads))
            value = torch.as_tensor(value, dtype=images.dtype, device=images.device)
            if value.shape not in ((2,), (len(images), 2)):
                raise ShapeError(
                    f"k takes two numbers, or two per image ({len(images)}); got shape {tuple(value.shape)}."
                )
            spread[head] = value.expand(len(images), 2)
        return spread
