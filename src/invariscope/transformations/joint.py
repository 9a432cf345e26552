"""Several transformations at once, each at a magnitude of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import SettingError, ShapeError
from invariscope.core.seeds import image_seeds
from invariscope.transformations.affine import AffineTransformation, Entry, places_of
from invariscope.transformations.base import TRANSFORMATIONS, Fill, Transformation
from invariscope.transformations.magnitude import Magnitude
from invariscope.transformations.sampling import sample

Map = tuple[Entry, Entry, Entry, Entry, Entry, Entry]


@dataclass(frozen=True, init=False)
class Joint:
    """Apply several transformations together, each at a magnitude of its own.

    Steps are applied in order, the first one first. Affine steps that follow each other and have the same fill
    (rotation, translations, scales, zoom, shear) become one affine map, p ↦ S₁ S₂ … p with Sᵢ the place at which step
    i reads, and the image is sampled once: nothing is blurred twice, and what one step moves out of the frame and the
    next moves back is kept.

    Args:
        steps: names or transformations, at least one.

    Raises:
        SettingError: there is no step.
        UnknownNameError: no transformation has that name.

    Example:
        >>> image = torch.rand(1, 3, 8, 8)
        >>> there_and_back = Joint(["translation-x", "translation-y", "translation-x"])
        >>> torch.allclose(there_and_back(image, [0.5, 0.0, -0.5]), image, atol=1e-6)
        True

    Source: Bunne et al., section IV.A, figures 2d and 3d (horizontal and vertical translation together).
    """

    steps: tuple[Transformation, ...]

    def __init__(self, steps: Sequence[str | Transformation]) -> None:
        if isinstance(steps, str) or not steps:
            raise SettingError('a joint transformation takes a list of steps, such as ["rotation", "zoom"].')
        made = tuple(TRANSFORMATIONS[step]() if isinstance(step, str) else step for step in steps)
        object.__setattr__(self, "steps", made)

    @property
    def name(self) -> str:
        """The names of its steps: "rotation × zoom"."""
        return " × ".join(step.name for step in self.steps)

    @property
    def identity(self) -> tuple[float, ...]:
        """The magnitudes that change nothing, one per step."""
        return tuple(step.identity for step in self.steps)

    @property
    def random(self) -> bool:
        """Whether a step draws, so that seeds are needed."""
        return any(step.random for step in self.steps)

    @property
    def smooth(self) -> bool:
        """Whether it is differentiable in all magnitudes."""
        return all(step.smooth for step in self.steps)

    @property
    def differentiable(self) -> bool:
        """Whether it is differentiable in the image."""
        return all(step.differentiable for step in self.steps)

    def with_fill(self, fill: Fill) -> "Joint":
        """The same steps with another fill for what comes in from outside."""
        return Joint([step.with_fill(fill) for step in self.steps])

    def __call__(
        self, images: Tensor, magnitude: Tensor | Sequence[float | Sequence[float]], *, seeds: Tensor | None = None
    ) -> Float[Tensor, "image channel height width"]:
        """Transform every image; one at the identity magnitudes comes back bit for bit.

        Args:
            images: floats, [0, 1] for what the network is to see; shape (image, channel, height, width).
            magnitude: one per image and step, shape (image, step), or one per step for all images, shape (step,); each
                within its step's limits. Magnitudes that carry a gradient take the smooth path for every image.
            seeds: one integer per image, shape (image,), where a step draws. A step that alone draws does so as it
                would by itself; of several, each draws from seeds of its own.

        Returns:
            New images of the same shape, dtype and device.

        Raises:
            ShapeError: the images or magnitudes have the wrong axes or type.
            MagnitudeError: a magnitude lies outside its step's limits.
            SeedError: a step draws and no seeds are given.
        """
        given = self._checked(images, magnitude)
        drawn = self._seeds(images, seeds)
        out = images.float() if images.dtype in (torch.float16, torch.bfloat16) else images.clone()
        for places in self._runs():
            own = [given[place] for place in places]
            if len(places) > 1:
                out = _together([self.steps[place] for place in places], out, own)
            else:
                values = torch.tensor(own[0].values, dtype=torch.float64) if own[0].exact else own[0].tensor
                out = self.steps[places[0]](out, values, seeds=drawn[places[0]])
        return out.to(images.dtype)

    def _checked(self, images: Tensor, magnitude: Tensor | Sequence[float | Sequence[float]]) -> list[Magnitude]:
        self.steps[0].check_images(images)
        count = len(self.steps)
        given = magnitude if isinstance(magnitude, Tensor) else torch.tensor(magnitude, dtype=torch.float64)
        if given.shape not in ((count,), (len(images), count)):
            raise ShapeError(
                f"{self.name} takes {count} magnitudes per image, shape ({len(images)}, {count}), or {count} for all "
                f"images; got shape {tuple(given.shape)}."
            )
        columns = given.expand(len(images), count).unbind(1)
        return [step.checked(images, column) for step, column in zip(self.steps, columns, strict=True)]

    def _seeds(self, images: Tensor, seeds: Tensor | None) -> list[Tensor | None]:
        checked = [step.checked_seeds(images, seeds) for step in self.steps]
        if sum(step.random for step in self.steps) < 2:
            return checked
        return [
            None if own is None else image_seeds(own, place, step.name)
            for place, (step, own) in enumerate(zip(self.steps, checked, strict=True))
        ]

    def _runs(self) -> list[list[int]]:
        """The places of the steps, those that are sampled together in one list."""

        def kind(place: int) -> tuple[int, Fill]:
            step = self.steps[place]
            return (-1, step.fill) if isinstance(step, AffineTransformation) else (place, 0)

        return [list(run) for _, run in groupby(range(len(self.steps)), kind)]


def _together(steps: Sequence[Transformation], images: Tensor, given: Sequence[Magnitude]) -> Tensor:
    """Affine steps of one fill in one sampling; images at the identity are left as they are."""
    if not all(magnitude.exact for magnitude in given):
        return _sampled(steps, images, given)
    still = tuple(step.identity for step in steps)
    rows = zip(*(magnitude.values for magnitude in given), strict=True)
    changed = [place for place, row in enumerate(rows) if row != still]
    if not changed:
        return images
    index = torch.tensor(changed, device=images.device)
    own = [magnitude.subset(changed, index) for magnitude in given]
    return images.index_copy(0, index, _sampled(steps, images[index], own))


def _sampled(steps: Sequence[Transformation], images: Tensor, given: Sequence[Magnitude]) -> Tensor:
    _, _, height, width = images.shape
    whole: Map = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    for step, magnitude in zip(steps, given, strict=True):
        assert isinstance(step, AffineTransformation)
        whole = _composed(whole, step.source(magnitude.tensor, height, width))
    assert isinstance(steps[0], AffineTransformation)
    return sample(images, places_of(whole, given[0].tensor, height, width), steps[0].fill)


def _composed(outer: Map, inner: Map) -> Map:
    """The map p ↦ outer(inner(p)).

    Example:
        >>> _composed((2.0, 0.0, 0.0, 0.0, 2.0, 0.0), (1.0, 0.0, 3.0, 0.0, 1.0, 5.0))
        (2.0, 0.0, 6.0, 0.0, 2.0, 10.0)
    """
    a, b, c, d, e, f = outer
    g, h, i, j, k, m = inner
    return a * g + b * j, a * h + b * k, a * i + b * m + c, d * g + e * j, d * h + e * k, d * i + e * m + f
