"""A tile of responses, with what several measures need of it computed once."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference


class Block:
    """A pair of responses to some images, and quantities that measures share, each computed at most once.

    Measures must not change these tensors in place.

    Args:
        pair: responses to the images, clean and transformed.
        reference: what is known of the units over all images.
        centre: near the mean transformed response, so that sums of squares about it keep their digits; shape (unit,).
    """

    def __init__(self, pair: Pair, reference: Reference, centre: Float[Tensor, " unit"]) -> None:
        self.clean, self.transformed, self.other = pair.clean, pair.transformed, pair.other
        self.reference, self.centre = reference, centre
        self._known: dict[str, Tensor] = {}

    def _once(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]

    @property
    def active(self) -> Float[Tensor, "image unit"]:
        """1 where f(x) or f(T(x)) exceeds τ times the unit's peak, else 0."""
        return self._once("active", lambda: self._exceeds(self.transformed))

    @property
    def ratio(self) -> Float[Tensor, "image unit"]:
        """(f(T(x)) − f(x)) / (f(T(x)) + f(x)) where active, else 0; from −1 to 1."""
        return self._once("ratio", lambda: self._compare(self.transformed, self.active))

    @property
    def other_active(self) -> Float[Tensor, "image unit"]:
        """As `active`, with the partner image's transformed response."""
        assert self.other is not None
        other = self.other
        return self._once("other_active", lambda: self._exceeds(other))

    @property
    def other_ratio(self) -> Float[Tensor, "image unit"]:
        """As `ratio`, with the partner image's transformed response."""
        assert self.other is not None
        other = self.other
        return self._once("other_ratio", lambda: self._compare(other, self.other_active))

    @property
    def clean_deviation(self) -> Float[Tensor, "image unit"]:
        """f(x) less the unit's mean clean response."""
        return self._once("clean_deviation", lambda: self.clean - self.reference.clean_mean)

    @property
    def clean_square(self) -> Float[Tensor, "image unit"]:
        """The square of `clean_deviation`."""
        return self._once("clean_square", lambda: self.clean_deviation.square())

    @property
    def transformed_deviation(self) -> Float[Tensor, "image unit"]:
        """f(T(x)) less the centre."""
        return self._once("transformed_deviation", lambda: self.transformed - self.centre)

    @property
    def clean_fires(self) -> Float[Tensor, "image unit"]:
        """1 where f(x) exceeds the firing threshold, else 0."""
        return self._once("clean_fires", lambda: self.clean.clone().gt_(self.reference.firing))

    @property
    def transformed_fires(self) -> Float[Tensor, "image unit"]:
        """1 where f(T(x)) exceeds the firing threshold, else 0."""
        return self._once("transformed_fires", lambda: self.transformed.clone().gt_(self.reference.firing))

    def _exceeds(self, second: Tensor) -> Tensor:
        # Comparing in place gives floats at once: a mask of booleans costs ten times as much to convert.
        return torch.maximum(self.clean, second).gt_(self._threshold)

    def _compare(self, second: Tensor, active: Tensor) -> Tensor:
        total = (second + self.clean).clamp_min_(torch.finfo(second.dtype).tiny)
        return (second - self.clean).div_(total).mul_(active)

    @property
    def _threshold(self) -> Tensor:
        # Rounded once from float64, so that a response of exactly τ times the peak is a tie, and a tie is not active.
        def make() -> Tensor:
            peak = self.reference.peak
            exact = peak.cpu() if peak.device.type == "mps" else peak
            return (exact.double() * self.reference.tau).to(peak.dtype).to(peak.device)

        return self._once("threshold", make)
