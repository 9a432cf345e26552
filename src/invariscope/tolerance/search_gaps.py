"""Between two answers: whether what holds at both ends may have failed in between."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

# How far a margin is trusted, in root-mean-square slopes over the gap; chosen on a network of CIFAR-10 under rotation,
# where it misses 1 of 1000 first falls and a value of 1 misses 1 of 100.
CAUTION = 1.7
# The slope of an image with few answers is drawn to that of all images, which counts as so many gaps.
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
    def middle(self) -> Int[ndarray, " gap"]:
        """The step in the middle."""
        middle: ndarray = (self.near + self.far) // 2
        return middle


def doubtful(gaps: Gaps, margin: Float[ndarray, "image step"], caution: float = CAUTION) -> Bool[ndarray, " gap"]:
    """Where a quality that holds at both ends may fail in between.

    With margins m_a and m_b at the ends, w steps apart, and s the image's root-mean-square slope per step, doubtful is
    √(|m_a| |m_b|) < caution · s · w. A random walk between the ends crosses zero with probability
    exp(−2 m_a m_b / σ²), where σ² is the variance of its increment over the gap; here that variance is (s w)², for
    margins change smoothly from step to step.

    Args:
        gaps: between the answers.
        margin: how far each answer is from failing, in any unit; read at the ends of the gaps; shape (image, step).
        caution: the larger, the more is doubted.

    Returns:
        Shape (gap,); false where nothing lies between the ends.

    Example:
        >>> margin = np.array([[4.0, np.nan, 3.8, np.nan, 0.1, 0.0]])
        >>> gaps = Gaps.of(~np.isnan(margin))
        >>> doubtful(gaps, margin, caution=1).tolist()
        [False, True, False]
    """
    if not len(gaps.image):
        return np.zeros(0, dtype=bool)
    ends = margin[gaps.image, gaps.near].astype(np.float64), margin[gaps.image, gaps.far].astype(np.float64)
    slope = ((ends[1] - ends[0]) / gaps.width) ** 2
    count = np.bincount(gaps.image, minlength=len(margin))
    total = np.bincount(gaps.image, slope, minlength=len(margin))
    square = ((total + _PRIOR * slope.mean()) / (count + _PRIOR))[gaps.image]
    found: ndarray = (np.abs(ends[0] * ends[1]) < caution**2 * square * gaps.width**2) & (gaps.width > 1)
    return found
