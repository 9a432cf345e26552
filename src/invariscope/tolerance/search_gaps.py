"""Between two answers: whether what holds at both ends may have failed in between."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

# How far margins are doubted. Chosen on a network of CIFAR-10: under rotation by whole degrees it misses none of 2000
# first flips, and a third of it misses six.
CAUTION = 6.0
# Between a random walk (1) and a smooth curve (more than 2): how the variance of a bend grows with the width of a gap.
ROUGH = 1.5
# The bends of an image with few answers are drawn to those of all images, which count as so many.
_PRIOR = 4


@dataclass(frozen=True, eq=False)
class Gaps:
    """The stretches between neighbouring answers of every image.

    Attributes:
        image: whose answers they are; shape (gap,).
        near: the step of the answer nearer to the identity; shape (gap,).
        far: the step of the next answer; shape (gap,).
    """

    image: Int[ndarray, " gap"]
    near: Int[ndarray, " gap"]
    far: Int[ndarray, " gap"]

    @classmethod
    def of(cls, known: Bool[ndarray, "image step"]) -> "Gaps":
        """The gaps between known answers, image by image."""
        images, steps = np.nonzero(known)
        same = images[1:] == images[:-1]
        return cls(images[:-1][same], steps[:-1][same], steps[1:][same])

    @property
    def width(self) -> Int[ndarray, " gap"]:
        """How many steps the gap is wide; 1 where nothing lies between."""
        width: ndarray = self.far - self.near
        return width

    @property
    def inner(self) -> Int[ndarray, " answer"]:
        """The gaps that another gap of the same image follows, at whose far end an answer lies between two others."""
        return np.flatnonzero(self.image[1:] == self.image[:-1])

    def bends(self, values: Float[ndarray, "image step"]) -> tuple[ndarray, ndarray, ndarray]:
        """How far each inner answer lies above the chord between its neighbours.

        Args:
            values: read at the ends of the gaps; shape (image, step).

        Returns:
            The steps to the neighbour before, those to the one behind, and the distance from the chord.
        """
        here = self.inner
        image, places = self.image[here], (self.near[here], self.far[here], self.far[here + 1])
        left, right = (places[1] - places[0]).astype(np.float64), (places[2] - places[1]).astype(np.float64)
        near, middle, far = (values[image, place].astype(np.float64) for place in places)
        return left, right, middle - (right * near + left * far) / (left + right)

    @property
    def middle(self) -> Int[ndarray, " gap"]:
        """The step in the middle."""
        middle: ndarray = (self.near + self.far) // 2
        return middle


def doubtful(gaps: Gaps, margin: Float[ndarray, "image step"], caution: float = CAUTION) -> Bool[ndarray, " gap"]:
    """Where a quality that holds at both ends may fail in between.

    A random walk between margins m_a and m_b crosses zero with probability exp(−2 m_a m_b / v), v the variance of its
    bend over the gap. Doubtful is 2 |m_a m_b| < caution · v, with v = s w^1.5 for a gap of w steps; s is the image's
    mean square deviation of an answer from the chord between its neighbours, l and r steps away, over
    (l r / (l + r))^1.5. An image whose margins lie on a line is never in doubt.

    Args:
        gaps: between the answers.
        margin: how far each answer is from failing, in any unit; read at the ends of the gaps; shape (image, step).
        caution: the larger, the more is doubted.

    Returns:
        Shape (gap,); false where nothing lies between the ends.

    Example:
        >>> margin = np.array([[4.0, 0.0, 3.0, 0.0, 0.1, 0.0, 0.2]])
        >>> gaps = Gaps.of(margin > 0)
        >>> doubtful(gaps, margin, caution=1).tolist()
        [False, True, True]
    """
    ends = (margin[gaps.image, step].astype(np.float64) for step in (gaps.near, gaps.far))
    found: ndarray = (2 * np.abs(next(ends) * next(ends)) < caution * bend_variance(gaps, margin)) & (gaps.width > 1)
    return found


def bend_variance(gaps: Gaps, margin: Float[ndarray, "image step"]) -> Float[ndarray, " gap"]:
    """How far the margin is expected to bend over each gap: v of `doubtful`.

    Args:
        gaps: between the answers.
        margin: read at the ends of the gaps; shape (image, step).

    Returns:
        A variance, in the margin's unit squared; shape (gap,).
    """
    left, right, bends = gaps.bends(margin)
    share = bends**2 / (left * right / (left + right)) ** ROUGH
    image = gaps.image[gaps.inner]
    count, total = (np.bincount(image, weights, minlength=len(margin)) for weights in (None, share))
    typical = share.mean() if len(share) else 0.0
    variance: ndarray = ((total + _PRIOR * typical) / (count + _PRIOR))[gaps.image] * gaps.width**ROUGH
    return variance
