"""Several transformations, one after another, as one."""

from dataclasses import dataclass

import torch
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.seeds import image_seeds
from invariscope.transformations.base import Fill, Transformation
from invariscope.transformations.flips import HorizontalFlip, VerticalFlip
from invariscope.transformations.magnitude import Given, Magnitude


@dataclass(frozen=True)
class Step:
    """A transformation at its full strength, as a part of a chain.

    Args:
        transformation: the family.
        magnitude: the magnitude that it has where the chain's is 1.
    """

    transformation: Transformation
    magnitude: float

    def at(self, share: Tensor, size: tuple[int, int]) -> Tensor:
        """The magnitude on the way from the identity (share 0) to full strength (1), rounded where it must be whole."""
        identity = self.transformation.identity
        self.transformation.check_magnitudes([self.magnitude], size)
        reached = identity + share * (self.magnitude - identity)
        return reached.round() if self.transformation.whole else reached


class Chain(Transformation):
    """Apply several transformations, one after another.

    The magnitude is how far each goes from its identity to its full strength: at 0 nothing happens, at 1 the last is
    applied to … the first, each at full strength. Each step draws from seeds of its own.

    Args:
        steps: pairs of a transformation and its full magnitude, the first to be applied first.

    Raises:
        SettingError: there is no step.

    Example:
        >>> from invariscope.transformations.brightness import Brightness
        >>> from invariscope.transformations.contrast import Gain
        >>> chain = Chain((Gain(), 2.0), (Brightness(), 0.25))
        >>> chain(torch.full((1, 1, 1, 1), 0.25), 1.0).item(), chain(torch.full((1, 1, 1, 1), 0.25), 0.5).item()
        (0.75, 0.5)
    """

    unit_of_measure = "of full strength"
    identity = 0.0
    span = (0.0, 1.0)
    grid = (0.0, 0.25, 0.5, 0.75, 1.0)

    steps: tuple[Step, ...]

    def __init__(self, *steps: Step | tuple[Transformation, float]) -> None:
        if not steps:
            raise SettingError("a chain needs at least one step; give pairs of a transformation and a magnitude.")
        made = tuple(step if isinstance(step, Step) else Step(step[0], float(step[1])) for step in steps)
        parts = [step.transformation for step in made]
        traits = {
            "steps": made,
            "random": any(part.random for part in parts),
            "smooth": all(part.smooth for part in parts),
            "differentiable": all(part.differentiable for part in parts),
            "resamples": any(part.resamples for part in parts),
        }
        for trait, value in traits.items():
            object.__setattr__(self, trait, value)

    @property
    def name(self) -> str:
        """The names and full magnitudes of its steps."""
        return "+".join(f"{step.transformation.name}({step.magnitude:g})" for step in self.steps)

    @property
    def summary(self) -> str:
        """What its steps do, in one sentence."""
        return "Apply " + ", then ".join(f"{step.transformation.name} {step.magnitude:g}" for step in self.steps) + "."

    def __repr__(self) -> str:
        return f"Chain({', '.join(f'({step.transformation!r}, {step.magnitude:g})' for step in self.steps)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chain) and self.steps == other.steps

    def __hash__(self) -> int:
        return hash(self.steps)

    def transform(self, images: Tensor, magnitude: Magnitude, seeds: Tensor | None) -> Tensor:
        """Each step at its share of its full strength."""
        share = magnitude.tensor if not magnitude.exact else torch.tensor(magnitude.values, dtype=torch.float64)
        for place, step in enumerate(self.steps):
            family = step.transformation
            own = self._seeds_of(place, seeds)
            images = family(images, step.at(share, (images.shape[2], images.shape[3])), seeds=own)
        return images

    def near_identity(self, height: int, width: int) -> float | None:
        """The largest share at which no step moves a pixel by more than half a pixel; None if none interpolates."""
        shares: list[float] = []
        for step in self.steps:
            identity, near = step.transformation.identity, step.transformation.near_identity(height, width)
            if near is not None and step.magnitude != identity:
                shares.append(abs((near - identity) / (step.magnitude - identity)))
        return min(*shares, 1.0) if shares else None

    def kept(self, height: int, width: int, magnitude: float) -> float:
        """The least that any step keeps; what several cut away together is not told apart."""
        share = torch.tensor(magnitude, dtype=torch.float64)
        return min(
            step.transformation.kept(height, width, float(step.at(share, (height, width)))) for step in self.steps
        )

    def valid_region(self, images: Tensor, magnitude: Given, *, seeds: Tensor | None = None) -> Tensor:
        """Where no step's fill took part; each step carries the invalid region of those before it along."""
        share = torch.tensor(self.checked(images, magnitude).values, dtype=torch.float64)
        size = (images.shape[2], images.shape[3])
        valid = torch.ones_like(images[:, :1])
        for place, step in enumerate(self.steps):
            family, reached, own = step.transformation, step.at(share, size), self._seeds_of(place, seeds)
            here = family.valid_region(images, reached, seeds=own)
            if family.resamples or isinstance(family, HorizontalFlip | VerticalFlip):
                valid = family.with_fill("zero")(valid, reached, seeds=own)
            valid = (here & (valid > 1 - 1e-3)).to(images.dtype)
        return valid > 0.5

    def _seeds_of(self, place: int, seeds: Tensor | None) -> Tensor | None:
        family = self.steps[place].transformation
        return image_seeds(seeds, place, family.name) if seeds is not None and family.random else None

    def with_fill(self, fill: Fill) -> "Chain":
        """The same chain with another fill in every step that has one."""
        return Chain(*((step.transformation.with_fill(fill), step.magnitude) for step in self.steps))
