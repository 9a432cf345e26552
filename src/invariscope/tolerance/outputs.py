"""What a network answered along one transformation: the input of every table in this room."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from invariscope.core.errors import NetworkError

ALL = "all"


def check_finite(outputs: Float[Tensor, "image output"], when: str) -> None:
    """Refuse outputs that are NaN or infinite, in one sentence.

    Args:
        outputs: logits or features; shape (image, output).
        when: what the network was shown: "clean images".

    Raises:
        NetworkError: an output is not finite.

    Example:
        >>> check_finite(torch.tensor([[float("nan"), 1.0], [0.0, 1.0]]), "clean images")
        Traceback (most recent call last):
        ...
        invariscope.core.errors.NetworkError: the network returns values that are not finite (NaN or infinity) for 1 \
of 2 clean images; check its weights and its input recipe (size, mean, std).
    """
    # One number tells for nearly all outputs; counting costs as much as the tables.
    if torch.isfinite(outputs.sum()):
        return
    broken = int((~torch.isfinite(outputs)).any(dim=-1).sum())
    if broken:
        raise NetworkError(
            f"the network returns values that are not finite (NaN or infinity) for {broken} of {len(outputs)} {when}; "
            "check its weights and its input recipe (size, mean, std)."
        )


@dataclass(frozen=True, eq=False)
class Sweep:
    """The outputs of a network for the same images under every magnitude of one transformation.

    Args:
        name: of the transformation.
        magnitudes: ascending, without repeats; the identity is one of them.
        identity: the magnitude that changes nothing; its outputs are the clean ones.
        unit_of_measure: of the magnitudes: "degrees".
        outputs: logits or, where `scores` is false, features; shape (magnitude, image, output), finite.
        labels: the index of each image's true class among the outputs; shape (image,); None without labels.
        classes: a name for each label value; None names them by their number.
        scores: the outputs are class scores. If not, accuracy and softmax are unknown, and agreement is the cosine
            of the output with the clean output.

    Raises:
        NetworkError: an output is not finite.

    Example:
        >>> logits = torch.tensor([[[2.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
        >>> sweep = Sweep("rotation", (0.0, 90.0), 0.0, "degrees", logits, torch.tensor([0, 1]), ("cat", "dog"))
        >>> sweep.correct.mean(axis=1).tolist()
        [1.0, 0.5]
    """

    name: str
    magnitudes: tuple[float, ...]
    identity: float
    unit_of_measure: str
    outputs: Float[Tensor, "magnitude image output"]
    labels: Int[Tensor, " image"] | None = None
    classes: tuple[str, ...] | None = None
    scores: bool = True

    def __post_init__(self) -> None:
        assert list(self.magnitudes) == sorted(set(self.magnitudes)), self.magnitudes
        assert self.identity in self.magnitudes, (self.identity, self.magnitudes)
        assert len(self.outputs) == len(self.magnitudes), (self.outputs.shape, self.magnitudes)
        assert self.labels is None or len(self.labels) == self.n_images
        for magnitude, outputs in zip(self.magnitudes, self.outputs, strict=True):
            clean = magnitude == self.identity
            check_finite(outputs, "clean images" if clean else f"images under {self.name} of {magnitude:g}")

    @property
    def n_images(self) -> int:
        """How many images there are."""
        return self.outputs.shape[1]

    @property
    def clean(self) -> int:
        """The place of the identity among the magnitudes."""
        return self.magnitudes.index(self.identity)

    def side(self, sign: str) -> list[int]:
        """The places of the magnitudes on one side, from the identity outward, the identity first.

        Args:
            sign: "+" for magnitudes above the identity, "-" for those below.
        """
        if sign == "+":
            return list(range(self.clean, len(self.magnitudes)))
        return list(range(self.clean, -1, -1))

    @cached_property
    def predicted(self) -> Int[ndarray, "magnitude image"]:
        """The class with the highest score."""
        assert self.scores
        return np.stack([outputs.argmax(dim=-1).cpu().numpy() for outputs in self.outputs])

    @cached_property
    def _labels(self) -> Int[ndarray, " image"] | None:
        return None if self.labels is None else self.labels.cpu().numpy().astype(np.int64)

    @cached_property
    def correct(self) -> Float[ndarray, "magnitude image"] | None:
        """1 where the prediction is the label, else 0; None without labels or scores."""
        if self._labels is None or not self.scores:
            return None
        correct: ndarray = (self.predicted == self._labels).astype(np.float64)
        return correct

    @cached_property
    def agreement(self) -> Float[ndarray, "magnitude image"]:
        """1 where the prediction is the clean one, else 0; without scores, the cosine with the clean output."""
        if self.scores:
            same: ndarray = (self.predicted == self.predicted[self.clean]).astype(np.float64)
            return same
        # An output of zeros has no direction: its cosine is 0, also with itself.
        directions = torch.nn.functional.normalize(self.outputs.double(), dim=-1)
        cosine: ndarray = (directions * directions[self.clean]).sum(dim=-1).clamp(-1, 1).cpu().numpy()
        cosine[self.clean] = cosine[self.clean].round()
        return cosine

    def softmax(self, place: int) -> Float[Tensor, "image output"]:
        """The softmax of the outputs at the magnitude of this place."""
        return self.outputs[place].float().softmax(dim=-1)

    @cached_property
    def softmax_true(self) -> Float[ndarray, "magnitude image"] | None:
        """The softmax of the true class; None without labels or scores."""
        if self.labels is None or not self.scores:
            return None
        at = self.labels.to(self.outputs.device).long()[:, None]
        places = range(len(self.magnitudes))
        return np.stack([self.softmax(place).gather(1, at)[:, 0].double().cpu().numpy() for place in places])

    @cached_property
    def survival(self) -> dict[str, Float[ndarray, "step image"]]:
        """Per side, 1 while the prediction has not yet changed on the way outward, then 0; empty without scores."""
        if not self.scores:
            return {}
        return {sign: np.minimum.accumulate(self.agreement[self.side(sign)], axis=0) for sign in "+-"}

    @cached_property
    def groups(self) -> "Groups":
        """The classes that have images: of the true label, or, without labels, of the clean prediction."""
        if self._labels is not None:
            return Groups.of(self._labels, self.classes)
        if self.scores:
            return Groups.of(self.predicted[self.clean], self.classes)
        return Groups((), np.full(self.n_images, -1), np.zeros((0,), dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Groups:
    """Which class each image belongs to.

    Attributes:
        names: of the classes that have images, in the order of their label values; the row "all" is not among them.
        of_image: the place of each image's class among the names; shape (image,).
        values: the label value of each name; shape (class,).
    """

    names: tuple[str, ...]
    of_image: Int[ndarray, " image"]
    values: Int[ndarray, " class"]

    @classmethod
    def of(cls, labels: Int[ndarray, " image"], classes: Sequence[str] | None) -> "Groups":
        """Group images by label value, with names that are all different."""
        values, of_image = np.unique(labels, return_inverse=True)
        known = distinct(classes or ())
        names = tuple(known[value] if 0 <= value < len(known) else str(value) for value in values.tolist())
        return cls(names, of_image.astype(np.int64), values.astype(np.int64))

    @property
    def rows(self) -> tuple[str, ...]:
        """The names of the rows of a table: "all", then every class."""
        return (ALL, *self.names)

    @cached_property
    def members(self) -> list[Int[ndarray, " image"]]:
        """Per row, the places of its images."""
        return [np.arange(len(self.of_image)), *(np.split(self._order, self._starts[1:]) if self.names else [])]

    @cached_property
    def _order(self) -> Int[ndarray, " image"]:
        return np.argsort(self.of_image, kind="stable")

    @cached_property
    def _starts(self) -> Int[ndarray, " class"]:
        starts: ndarray = np.searchsorted(self.of_image[self._order], np.arange(len(self.names)))
        return starts

    @property
    def counts(self) -> Int[ndarray, " row"]:
        """Per row, the number of its images."""
        return np.array([len(members) for members in self.members])

    def means(self, values: Float[ndarray, "image column"]) -> Float[ndarray, "row column"]:
        """Per row, the mean over its images."""
        whole: ndarray = values.mean(axis=0, dtype=np.float64, keepdims=True)
        if not self.names:
            return whole
        sums = np.add.reduceat(values[self._order], self._starts, axis=0, dtype=np.float64)
        return np.concatenate([whole, sums / self.counts[1:, None]])


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names that are all different, none of them "all": a repeated one is followed by its number.

    Args:
        names: one per output; ImageNet, for one, has two classes called "crane".

    Returns:
        One name per output.

    Example:
        >>> distinct(["crane", "dog", "crane", "all"])
        ('crane (0)', 'dog', 'crane (2)', 'all (3)')
    """
    count = Counter([*names, ALL])
    return tuple(f"{name} ({place})" if count[name] > 1 else name for place, name in enumerate(names))
