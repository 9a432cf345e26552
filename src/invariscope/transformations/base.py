"""What a transformation is: a family of maps from images to images, indexed by a magnitude."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import MagnitudeError, SeedError, ShapeError
from invariscope.core.registry import Registry


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
        resamples: it interpolates, so that a near-identity magnitude already blurs (the noise floor).
    """

    unit_of_measure: ClassVar[str]
    identity: ClassVar[float]
    span: ClassVar[tuple[float, float]]
    grid: ClassVar[tuple[float, ...]]
    random: ClassVar[bool] = False
    smooth: ClassVar[bool] = True
    resamples: ClassVar[bool] = False

    @abstractmethod
    def transform(self, images: Tensor, magnitude: Tensor, seeds: Tensor | None) -> Tensor:
        """The map itself; arguments are already checked and broadcast."""
