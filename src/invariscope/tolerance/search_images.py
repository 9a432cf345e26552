"""Where the quality of every single image first falls: brackets on a coarse sweep, refined inside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from invariscope.tolerance.crossing import below
from invariscope.tolerance.search_gaps import Gaps, doubtful
from invariscope.tolerance.search_memo import Memo, Wanted, log_odds

# Steps from one coarse answer to the next: so many parts of a side, within these widths.
_PARTS, _WIDTHS = 12, (2, 16)


@dataclass(frozen=True, eq=False)
class Reading:
    """One question to every image, answered at every step that is known.

    Attributes:
        low: where the quality is below its level; shape (image, step).
        margin: how far that is from being otherwise, positive above the level; shape (image, step).
    """

    low: Bool[ndarray, "image step"]
    margin: Float[ndarray, "image step"]

    def first(self, known: Bool[ndarray, "image step"]) -> Int[ndarray, " image"]:
        """The first known step below the level; the number of steps where there is none.

        Args:
            known: which answers are there; shape (image, step).
        """
        fallen = self.low & known
        found: ndarray = np.where(fallen.any(axis=1), fallen.argmax(axis=1), fallen.shape[1])
        return found


def read_flip(memo: Memo) -> Reading:
    """Whether the prediction differs from the clean one."""
    agrees = memo.agrees()
    return Reading(~agrees, np.where(agrees, memo.margin, -memo.margin))


def read_softmax(memo: Memo, level: float) -> Reading:
    """Whether the softmax of the true class is below its level.

    Args:
        memo: the answers.
        level: a share of the clean softmax.
    """
    return Reading(below(memo.softmax, level), memo.odds() - log_odds(level * memo.softmax[:, :1]))


def coarse(n_images: int, n_steps: int) -> Wanted:
    """The steps of the coarse sweep, the last among them.

    Args:
        n_images: how many images there are.
        n_steps: how many steps a side has, the identity included.

    Example:
        >>> coarse(1, 9).nonzero()[1].tolist()
        [0, 2, 4, 6, 8]
    """
    wanted = np.zeros((n_images, n_steps), dtype=bool)
    wanted[:, :: int(np.clip(n_steps // _PARTS, *_WIDTHS))] = True
    wanted[:, -1] = True
    return wanted


def undecided(memo: Memo, readings: Sequence[Reading]) -> Wanted:
    """What to ask next so that the first fall of every image is known to one step.

    The gap in which a quality falls is halved; a gap before it, at whose ends the quality holds, is halved where it is
    doubtful. An image whose gaps are all closed or sure is decided, and asked no more.

    Args:
        memo: the answers so far.
        readings: of the questions.

    Returns:
        Shape (image, step); nothing where all is decided.
    """
    gaps = Gaps.of(memo.known)
    wanted = np.zeros_like(memo.known)
    for reading in readings:
        first = reading.first(memo.known)[gaps.image]
        falling = (gaps.far == first) & (gaps.width > 1)
        asked = falling | ((gaps.far < first) & doubtful(gaps, reading.margin))
        wanted[gaps.image[asked], gaps.middle[asked]] = True
    wanted &= ~memo.known
    return wanted


def decide_images(memo: Memo, readings: Sequence[str | float]) -> None:
    """Ask until the first fall of every image is known to one step.

    Args:
        memo: the answers, which are added to.
        readings: "flip", or the level of a softmax.
    """
    memo.ask(coarse(memo.n_images, memo.n_steps))
    while memo.ask(undecided(memo, [read(memo, name) for name in readings])):
        pass


def read(memo: Memo, name: str | float) -> Reading:
    """The reading of a name: "flip", or the level of a softmax."""
    return read_flip(memo) if isinstance(name, str) else read_softmax(memo, name)
