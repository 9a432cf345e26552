"""A box of magnitudes around the identity: where the worst transformation of an image is looked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.seeds import image_seeds, uniform
from invariscope.core.words import number
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation
from invariscope.transformations.joint import Joint

Reach = float | int | tuple[float | int, float | int]
Asked = Mapping[str, Reach] | Mapping[str | Transformation, Reach]
Steps = int | Mapping[str, int]


@dataclass(frozen=True)
class Region:
    """Magnitudes from `low` to `high` on every axis, the identity among them; an axis per transformation.

    Args:
        joint: the transformations, in the order in which they are applied.
        low: the lowest magnitude of each axis.
        high: the highest magnitude of each axis.

    Example:
        >>> region = Region.of({"rotation": 30, "zoom": (0.8, 1.25)}, (32, 32))
        >>> region.names, region.low, region.high
        (('rotation', 'zoom'), (-30.0, 0.8), (30.0, 1.25))
    """

    joint: Joint
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, given: Asked, size: tuple[int, int], fill: Fill | None = None) -> "Region":
        """Read a region as a person writes it.

        Args:
            given: by name or transformation: how far from the identity on both sides, or the lowest and the highest
                magnitude. Transformations are applied in this order.
            size: height and width of the images, in pixels.
            fill: what comes in from outside, for every axis; None leaves each transformation's own.

        Raises:
            UnknownNameError: no transformation has that name.
            MagnitudeError: an end lies outside the transformation's limits.
            SettingError: there is no axis, one stands twice, or its ends do not hold the identity.
        """
        if not given:
            raise SettingError('a region needs at least one transformation, such as {"rotation": 30}.')
        steps = [TRANSFORMATIONS[key]() if isinstance(key, str) else key for key in given]
        names = [step.name for step in steps]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise SettingError(f"{twice} stands twice in the region; give each transformation once.")
        ends = [_ends(step, reach, size) for step, reach in zip(steps, given.values(), strict=True)]
        joint = Joint(steps if fill is None else [step.with_fill(fill) for step in steps])
        return cls(joint, tuple(low for low, _ in ends), tuple(high for _, high in ends))

    @property
    def names(self) -> tuple[str, ...]:
        """The transformations' names, one per axis."""
        return tuple(step.name for step in self.joint.steps)

    def points(self, steps: Steps) -> Float[Tensor, "point axis"]:
        """The grid: all combinations of evenly spaced magnitudes, ends included, without the identity.

        The farthest from the identity come first, for they fool soonest.

        Args:
            steps: how many magnitudes per axis, at least 2: one number, or one per name. An axis of whole magnitudes
                has no more than there are.

        Raises:
            SettingError: fewer than 2, or an axis without a number.

        Example:
            >>> Region.of({"rotation": 30}, (8, 8)).points(3)
            tensor([[-30.],
                    [ 30.]], dtype=torch.float64)
        """
        counts = self._counts(steps)
        axes = []
        for step, low, high, count in zip(self.joint.steps, self.low, self.high, counts, strict=True):
            values = torch.linspace(low, high, count, dtype=torch.float64)
            axes.append(sorted(set(values.round().tolist())) if step.whole else values.tolist())
        every = torch.tensor(list(product(*axes)), dtype=torch.float64)
        distance = self._distance(every)
        order = distance.argsort(descending=True, stable=True)
        return every[order][distance[order] > 0]

    def _counts(self, steps: Steps) -> list[int]:
        given = dict.fromkeys(self.names, steps) if isinstance(steps, int) else dict(steps)
        missing = [name for name in self.names if name not in given]
        unknown = [name for name in given if name not in self.names]
        if missing or unknown:
            raise SettingError(
                f"steps are given for each of {', '.join(self.names)}; "
                + (f"{missing[0]} is missing." if missing else f"{unknown[0]} is no axis of the region.")
            )
        few = [name for name in self.names if given[name] < 2]
        if few:
            raise SettingError(f"a grid has at least 2 steps on every axis; got {given[few[0]]} for {few[0]}.")
        return [given[name] for name in self.names]

    def _distance(self, magnitudes: Float[Tensor, "point axis"]) -> Float[Tensor, " point"]:
        """From the identity, as a share of the way to the end on each axis; rooted sum of squares."""
        ends = torch.tensor([self.joint.identity, self.low, self.high], dtype=torch.float64)
        identity, low, high = ends.unbind()
        away = magnitudes - identity
        reach = torch.where(away >= 0, high - identity, identity - low)
        # An identity that lies at an end has no way to go on that side.
        share = torch.where(reach > 0, away.abs() / reach.clamp(min=1e-300), away * 0)
        return share.square().sum(dim=1).sqrt()

    def at(self, shares: Float[Tensor, "row axis"]) -> Float[Tensor, "row axis"]:
        """The magnitudes at these shares of the way from the lowest (0) to the highest (1), whole where they must be.

        Differentiable, but on axes of whole magnitudes.
        """
        # lerp is exact at both ends.
        found = torch.lerp(shares.new_tensor(self.low), shares.new_tensor(self.high), shares)
        whole = torch.tensor([step.whole for step in self.joint.steps], device=shares.device)
        return torch.where(whole, found.detach().round(), found)

    def shares(self, magnitudes: Float[Tensor, "row axis"]) -> Float[Tensor, "row axis"]:
        """The inverse of `at`, but for rounding."""
        low, high = (magnitudes.new_tensor(each) for each in (self.low, self.high))
        return ((magnitudes - low) / (high - low)).clamp(0, 1)

    def random(self, images: Int[Tensor, " image"], count: int, seed: int) -> Float[Tensor, "count image axis"]:
        """Points drawn evenly from the region, others for every image, the same for an image in any company.

        Args:
            images: places in their set; shape (image,).
            count: points per image.
            seed: of the draws.
        """
        draws = uniform(image_seeds(images, seed, "points of a region"), (count, len(self.low)))
        flat = self.at(draws.double().reshape(-1, len(self.low)))
        return flat.reshape(len(images), count, -1).transpose(0, 1)


def _ends(step: Transformation, reach: Reach, size: tuple[int, int]) -> tuple[float, float]:
    if isinstance(reach, int | float):
        if step.identity != 0:
            raise SettingError(
                f"{step.name} of {number(step.identity)} changes nothing, so a region needs its lowest and highest "
                f"magnitude, such as {step.name}: (0.8, 1.25); got {number(reach)} alone."
            )
        if not reach > 0:
            raise SettingError(f"a region reaches some way from the identity; got {number(reach)} for {step.name}.")
        lowest, highest = step.limits(*size)
        low, high = max(-float(reach), lowest), float(reach)
        step.check_magnitudes([high], size)
        return low, min(high, highest)
    low, high = float(reach[0]), float(reach[1])
    step.check_magnitudes([low, high], size)
    if not low < high or not low <= step.identity <= high:
        raise SettingError(
            f"a region runs from a lower to a higher magnitude, past the identity ({number(step.identity)}); got "
            f"{number(low)} to {number(high)} for {step.name}."
        )
    return low, high
