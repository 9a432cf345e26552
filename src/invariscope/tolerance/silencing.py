"""Silencing a unit in some images and not in others, and what the rest of the network makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown
from invariscope.networks.units import channels_first, reduce_units
from invariscope.tolerance.ablation import Replayable

NEGATIVE = ("rectify", "abs")


@dataclass(frozen=True)
class Reading:
    """How one activity per image and unit is read from a site.

    Args:
        layout: of the site: "features", "channels-first", "channels-last" or "tokens".
        units: "channels" or "positions".
        reduce: "max", "mean" or "centre" over positions or tokens, for "channels".
        negative: what a negative activation counts as: "rectify" nothing, "abs" its size; None leaves it negative.

    Raises:
        SettingError: `negative` has no such value.

    Example:
        >>> import torch
        >>> Reading("features", negative="abs").activity(torch.tensor([[-2.0, 1.0]]))
        tensor([[2., 1.]])
    """

    layout: str
    units: str = "channels"
    reduce: str = "max"
    negative: str | None = None

    def __post_init__(self) -> None:
        if self.negative is not None and self.negative not in NEGATIVE:
            raise SettingError(unknown("way with negative activity", self.negative, NEGATIVE))

    def activity(self, activation: Float[Tensor, "image ..."]) -> Float[Tensor, "image unit"]:
        """One number per image and unit: of a channel, the largest over positions (or the mean, or the middle one).

        Args:
            activation: of the site; shape (image, …).
        """
        if self.negative == "rectify":
            activation = activation.clamp_min(0)
        elif self.negative == "abs":
            activation = activation.abs()
        return reduce_units(activation, self.layout, self.units, self.reduce)


def silence_each(
    activation: Float[Tensor, "image ..."], layout: str, mask: Bool[Tensor, "image unit"]
) -> Float[Tensor, "image ..."]:
    """The activation with each image's marked units at 0, a channel everywhere in its map.

    Args:
        activation: of a site; shape (image, …).
        layout: of the site.
        mask: True silences; one column per channel or feature, or one per channel and position in the order of
            `reduce_units(units="positions")`.

    Returns:
        A new tensor of the same shape.

    Example:
        >>> import torch
        >>> silence_each(torch.ones(2, 2), "features", torch.tensor([[True, False], [False, False]]))
        tensor([[0., 1.],
                [1., 1.]])
    """
    first = channels_first(activation, layout)
    per_position = first.ndim > 2 and mask.shape[1] != first.shape[1]
    shape = tuple(first.shape) if per_position else (*first.shape[:2], *[1] * (first.ndim - 2))
    # Selected, not multiplied by 0: an infinite response is silenced too.
    silenced = first.masked_fill(mask.reshape(shape), 0)
    return silenced.movedim(1, -1) if layout in ("channels-last", "tokens") else silenced


def below_and_above(
    tail: Replayable, thresholds: Float[Tensor, "threshold unit"], reading: Reading
) -> Iterator[tuple[Int[Tensor, " image"], Int[Tensor, " image"], Float[Tensor, " image"]]]:
    """Predictions with an image's weak activity silenced, and with its strong activity silenced.

    Args:
        tail: of one batch.
        thresholds: activity up to and including a threshold is weak; shape (threshold, unit).
        reading: of the site.

    Yields:
        Per threshold the predicted classes without weak activity, those without strong activity, and the share of
        units whose activity is strong; shape (image,) each, on the CPU.
    """
    activity = reading.activity(tail.activation)
    for threshold in thresholds.to(activity.device, activity.dtype):
        strong = activity > threshold
        below, above = (
            tail(silence_each(tail.activation, reading.layout, mask)).argmax(dim=-1).cpu() for mask in (~strong, strong)
        )
        yield below, above, strong.double().mean(dim=1).cpu()
