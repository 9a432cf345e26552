"""What a network has answered so far, image by image and step by step: no question is asked twice."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from invariscope.tolerance.examination import Answers, Examination
from invariscope.tolerance.search_steps import Outward

Wanted = Bool[ndarray, "image step"]
# Beyond this a softmax in double precision is 1, and tells no more.
_MOST_ODDS = 36.0


class Memo:
    """Answers along one side of a transformation, for every image.

    Args:
        examination: asks the network; its clean answers are those at the identity.
        outward: the side.
        told: called with the number of images of every request.

    Attributes:
        known: which answers are there; shape (image, step).
        predicted: the predicted class; shape (image, step).
        softmax: of the true class; shape (image, step).
        margin: the highest logit minus the second; shape (image, step).
    """

    def __init__(self, examination: Examination, outward: Outward, told: Callable[[int], None] | None = None) -> None:
        self._examination, self.outward, self._told = examination, outward, told
        self._family = outward.family.with_fill(examination.network.recipe.fill)
        shape = (len(examination.labels), len(outward.magnitudes))
        self.known: Bool[ndarray, "image step"] = np.zeros(shape, dtype=bool)
        self.predicted: Int[ndarray, "image step"] = np.zeros(shape, dtype=np.int32)
        self.softmax: Float[ndarray, "image step"] = np.zeros(shape)
        self.margin: Float[ndarray, "image step"] = np.zeros(shape, dtype=np.float32)
        clean = examination.clean
        for values, answers in self._columns(clean):
            values[:, 0] = answers
        self.known[:, 0] = True

    @property
    def n_images(self) -> int:
        """How many images there are."""
        return len(self.known)

    @property
    def n_steps(self) -> int:
        """How many steps there are, the identity included."""
        return len(self.outward.magnitudes)

    def ask(self, wanted: Wanted) -> int:
        """Ask for all that is wanted and not known, in one request.

        Args:
            wanted: shape (image, step).

        Returns:
            How many images were shown.
        """
        images, steps = np.nonzero(wanted & ~self.known)
        if not len(images):
            return 0
        magnitudes = torch.from_numpy(self.outward.magnitudes[steps])
        found = self._examination.ask(self._family, torch.from_numpy(images), magnitudes)
        for values, answers in self._columns(found):
            values[images, steps] = answers
        self.known[images, steps] = True
        if self._told is not None:
            self._told(len(images))
        return len(images)

    def agrees(self) -> Bool[ndarray, "image step"]:
        """Where the prediction is the clean one; of no meaning where nothing is known."""
        same: ndarray = self.predicted == self.predicted[:, :1]
        return same

    def odds(self) -> Float[ndarray, "image step"]:
        """The logarithm of the odds of the true class, log p / (1 − p): smooth where softmax saturates."""
        return log_odds(self.softmax)

    def _columns(self, answers: Answers) -> list[tuple[ndarray, ndarray]]:
        read = {name: getattr(answers, name).numpy() for name in ("predicted", "softmax_true", "margin")}
        return [
            (self.predicted, read["predicted"]),
            (self.softmax, read["softmax_true"]),
            (self.margin, read["margin"]),
        ]


def log_odds(share: Float[ndarray, "*any"]) -> Float[ndarray, "*any"]:
    """The logarithm of the odds p / (1 − p), within ±36.

    Args:
        share: from 0 to 1.

    Example:
        >>> log_odds(np.array([0.5, 1.0]))
        array([ 0., 36.])
    """
    with np.errstate(divide="ignore"):
        odds: ndarray = np.log(share) - np.log1p(-share)
    clipped: ndarray = np.clip(odds, -_MOST_ODDS, _MOST_ODDS)
    return clipped
