"""What a transformation is: a family of maps from images to images, indexed by a magnitude."""

import dataclasses
import math
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import forward_ad

from invariscope.core.errors import MagnitudeError, SeedError, SettingError, ShapeError
from invariscope.core.registry import Registry
from invariscope.transformations.magnitude import Given, Magnitude, carries_gradient

Fill = float | int | str | tuple[float, ...]


@dataclass(frozen=True)
class Transformation(ABC):
    """A family of maps T(image, magnitude) with a unit of measure, an identity magnitude and a span.

    An author writes `transform`, the traits below, and a docstring whose first line says the family in one sentence.
    Settings are fields; traits are on the class.

    Attributes:
        unit_of_measure: of the magnitude: "degrees".
        identity: the magnitude that changes nothing.
        span: the smallest and the largest magnitude; `limits` where it depends on the image's size.
        grid: the default magnitudes of a measurement; `default_grid` where they depend on the image's size.
        random: it draws, so it needs one seed per image.
        smooth: it is differentiable in the magnitude.
        differentiable: it is differentiable in the image.
        resamples: it interpolates, so that a near-identity magnitude already blurs (the noise floor).
        whole: its magnitudes are whole numbers.
        power: the derivative is taken in this power of the distance from the identity; 2 where it would vanish else.
    """

    unit_of_measure: ClassVar[str]
    identity: ClassVar[float]
    span: ClassVar[tuple[float, float]]
    grid: ClassVar[tuple[float, ...]]
    random: ClassVar[bool] = False
    smooth: ClassVar[bool] = True
    differentiable: ClassVar[bool] = True
    resamples: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    power: ClassVar[int] = 1

    @abstractmethod
    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """The map itself; arguments are already checked, broadcast and on one device."""

    @property
    def name(self) -> str:
        """The name it is registered under: that of its class, in small letters with hyphens."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(self).__name__).lower()

    @property
    def summary(self) -> str:
        """What it does, in one sentence: the first line of its docstring."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    @final
    def __call__(
        self,
        images: Tensor,
        magnitude: Given,
        *,
        seeds: Tensor | None = None,
    ) -> Float[Tensor, "image channel height width"]:
        """Transform every image by its magnitude; an image at the identity magnitude comes back bit for bit.

        Args:
            images: floats, [0, 1] for what the network is to see; shape (image, channel, height, width).
            magnitude: one for all images, or shape (image,); within `limits`. A magnitude that carries a gradient
                takes the smooth path for every image, without short-cuts.
            seeds: one integer per image, shape (image,), for random transformations: an image's draws depend on its
                seed and size alone, and are the same at every magnitude.

        Returns:
            New images of the same shape, dtype and device.

        Raises:
            ShapeError: the images or magnitudes have the wrong axes or type.
            MagnitudeError: a magnitude lies outside the span.
            SeedError: a random transformation was given no seeds.
        """
        self.check_images(images)
        given, seeds = self.checked(images, magnitude), self.checked_seeds(images, seeds)
        precise = images.float() if images.dtype in (torch.float16, torch.bfloat16) else images
        if given.exact:
            return self._exact(images, precise, given, seeds)
        return self.transform(precise, given, seeds).to(images.dtype)

    def _exact(self, images: Tensor, precise: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        changed = [place for place, value in enumerate(magnitude.values) if value != self.identity]
        if not changed:
            return images.clone()
        if len(changed) == len(images):
            return self.transform(precise, magnitude, seeds).to(images.dtype)
        index = torch.tensor(changed, device=images.device)
        some = None if seeds is None else seeds[index]
        out = self.transform(precise[index], magnitude.subset(changed, index), some)
        return images.index_copy(0, index, out.to(images.dtype))

    @final
    def derivative(
        self,
        images: Tensor,
        magnitude: Given,
        *,
        seeds: Tensor | None = None,
    ) -> Float[Tensor, "image channel height width"]:
        """∂T(image, magnitude)/∂magnitude in forward mode, always on the smooth path.

        Args:
            images: shape (image, channel, height, width).
            magnitude: where to take the derivative: one for all images, or shape (image,).
            seeds: as for a call.

        Returns:
            The change of every pixel per unit of the magnitude, shape of the images.

        Raises:
            SettingError: the transformation is not smooth in its magnitude.

        Example:
            >>> from invariscope.transformations.brightness import Brightness
            >>> Brightness().derivative(torch.full((1, 1, 2, 2), 0.5), 0.0).unique()
            tensor([1.])
        """
        if not self.smooth:
            raise SettingError(f"{self.name} has no derivative in its magnitude; take differences of two magnitudes.")
        self.check_images(images)
        given, seeds = self.checked(images, magnitude), self.checked_seeds(images, seeds)
        precise = images.float() if images.dtype in (torch.float16, torch.bfloat16) else images
        return self.tangent(precise, given, seeds).to(images.dtype)

    def tangent(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """The derivative itself; overridden where it is taken in something else than the magnitude."""
        with forward_ad.dual_level(), warnings.catch_warnings():
            # The first use of forward mode loads a module of torch that warns about torch itself.
            warnings.simplefilter("ignore", FutureWarning)
            value = magnitude.tensor.detach().clone()
            dual = forward_ad.make_dual(value, torch.ones_like(value))  # type: ignore[no-untyped-call]
            moving = dataclasses.replace(magnitude, tensor=dual, exact=False)
            out = self.transform(images.detach(), moving, seeds)
            tangent: Tensor | None = forward_ad.unpack_dual(out).tangent  # type: ignore[no-untyped-call]
            return torch.zeros_like(images) if tangent is None else tangent.clone()

    def check_images(self, images: Tensor) -> None:
        """Raise unless these are images.

        Raises:
            ShapeError: other axes than (image, channel, height, width), or whole numbers.
        """
        if images.ndim != 4:
            hint = " One image? Use images[None]." if images.ndim == 3 else ""
            raise ShapeError(
                f"{self.name} takes images (image, channel, height, width); got shape {tuple(images.shape)}.{hint}"
            )
        if not images.is_floating_point():
            raise ShapeError(
                f"{self.name} takes floating-point images in [0, 1]; got {images.dtype}. Divide bytes by 255."
            )

    def checked_seeds(self, images: Tensor, seeds: Tensor | None) -> Tensor | None:
        """The seeds on the images' device; None for a transformation that does not draw.

        Raises:
            SeedError: it draws, and there is not one integer per image.
        """
        if not self.random:
            return None
        if seeds is None:
            raise SeedError(f"{self.name} draws random numbers; give seeds=, one integer per image.")
        if seeds.shape != images.shape[:1] or seeds.is_floating_point():
            raise SeedError(
                f"{self.name} takes one integer seed per image ({len(images)}); "
                f"got {seeds.dtype} of shape {tuple(seeds.shape)}."
            )
        return seeds.to(images.device)

    def checked(self, images: Tensor, magnitude: Given) -> Magnitude:
        """Check magnitudes on the CPU, then move them to the images, in their precision or float32 if that is finer.

        Raises:
            ShapeError: neither one magnitude nor one per image.
            MagnitudeError: a magnitude outside the limits.
        """
        count, _, height, width = images.shape
        given = magnitude if isinstance(magnitude, Tensor) else torch.as_tensor(magnitude, dtype=torch.float64)
        if given.ndim > 1 or (given.ndim == 1 and len(given) != count):
            raise ShapeError(
                f"{self.name} takes one magnitude, or one per image ({count}); got shape {tuple(given.shape)}."
            )
        live = self.smooth and carries_gradient(given)
        listed = given.detach().cpu().double().reshape(-1).tolist()
        self.check_magnitudes(listed, (height, width))
        dtype = torch.promote_types(images.dtype, torch.float32)
        moved = (given if live else given.detach()).to(dtype=dtype).to(images.device, non_blocking=True)
        values = tuple(listed) if given.ndim else (listed[0],) * count
        return Magnitude(moved.expand(count), values, exact=not live)

    def limits(self, height: int, width: int) -> tuple[float, float]:
        """The smallest and the largest magnitude for images of this size."""
        return self.span

    def default_grid(self, height: int, width: int) -> tuple[float, ...]:
        """The magnitudes of a measurement unless others are asked for: sorted, identity included, within limits."""
        low, high = self.limits(height, width)
        return tuple(sorted({value for value in (*self.grid, self.identity) if low <= value <= high}))

    def near_identity(self, height: int, width: int) -> float | None:
        """The magnitude whose largest displacement is half a pixel: the noise floor's; None without interpolation."""
        return None

    def kept(self, height: int, width: int, magnitude: float) -> float:
        """The share of the image's area that is still to be seen after the transformation, 0 to 1."""
        return 1.0

    def valid_region(
        self, images: Tensor, magnitude: Given, *, seeds: Tensor | None = None
    ) -> Bool[Tensor, "image 1 height width"]:
        """Where the transformed image is made of the image alone: False where fill took part.

        Args:
            images: shape (image, channel, height, width); only their shape and device count.
            magnitude: one for all images, or shape (image,).
            seeds: as for a call.

        Returns:
            Shape (image, 1, height, width).
        """
        count, _, height, width = images.shape
        return torch.ones(count, 1, height, width, dtype=torch.bool, device=images.device)

    def with_fill(self, fill: Fill) -> "Transformation":
        """The same transformation with another fill for what comes in from outside; itself where nothing does."""
        settings: dict[str, Any] = {"fill": fill}
        return dataclasses.replace(self, **settings) if "fill" in {f.name for f in dataclasses.fields(self)} else self

    def check_magnitudes(self, values: Sequence[float], size: tuple[int, int] | None = None) -> None:
        """Raise unless all magnitudes can be used.

        Args:
            values: the magnitudes.
            size: height and width of the images; None checks against the span, which holds for any size.

        Raises:
            MagnitudeError: one lies outside, or is not whole where it must be; the message names the unit of measure.
        """
        low, high = self.span if size is None else self.limits(*size)
        slack = 1e-6 * max(abs(low), abs(high) if math.isfinite(high) else 1.0)
        wrong = [value for value in values if not low - slack <= value <= high + slack]
        if wrong:
            where = f" for images of {size[0]} by {size[1]} pixels" if size and (low, high) != self.span else ""
            top = f"to {high:g}" if math.isfinite(high) else "upwards"
            raise MagnitudeError(
                f"{self.name} takes magnitudes from {low:g} {top} ({self.unit_of_measure}){where}; got {wrong[0]:g}."
            )
        broken = [value for value in values if self.whole and value != round(value)]
        if broken:
            raise MagnitudeError(
                f"{self.name} takes whole magnitudes ({self.unit_of_measure}); got {broken[0]:g}. Round it."
            )


TRANSFORMATIONS: Registry[type[Transformation]] = Registry("transformation", "invariscope.transformations")
