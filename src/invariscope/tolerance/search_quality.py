"""The qualities of all images at all steps: as answered, or as the answers on both sides suggest."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from invariscope.tolerance.search_gaps import ROUGH, Gaps, bend_variance, doubtful
from invariscope.tolerance.search_memo import Memo, log_odds

# What few images share is drawn to nothing, which counts as so many.
_FEW = 10


@dataclass(frozen=True, eq=False)
class Quality:
    """One quality of all images along one side.

    Attributes:
        value: as answered, or as interpolated; 0 to 1; shape (image, step).
        spread: by how much what is interpolated may be too large, as a standard deviation; 0 where it is known or sure;
            shape (image, step).
        open: what is neither known nor sure; shape (image, step).
        common: by how much answers at a step lie above the chord between their neighbours, mean over the images that
            were asked there: what all images share, such as the blur of half a pixel; shape (step,).
    """

    value: Float[ndarray, "image step"]
    spread: Float[ndarray, "image step"]
    open: Bool[ndarray, "image step"]
    common: Float[ndarray, " step"]


def quality(memo: Memo, criterion: str, labels: Int[ndarray, " image"]) -> Quality:
    """A quality at every step.

    Between two answers a yes or no is that of the nearer one; it is sure where both are the same and not `doubtful`.
    A softmax is interpolated linearly in its log-odds and is never sure.

    Args:
        memo: the answers so far, among them every first and last step.
        criterion: "accuracy", "agreement" or "softmax".
        labels: of every image, as an output; shape (image,).
    """
    if criterion == "softmax":
        return _softmax(memo)
    holds = memo.agrees() if criterion == "agreement" else memo.predicted == labels[:, None]
    return _binary(memo, holds)


def _binary(memo: Memo, holds: Bool[ndarray, "image step"]) -> Quality:
    gaps, (images, steps, gap) = _between(memo)
    value, spread, open_ = holds.astype(np.float64), np.zeros(holds.shape), np.zeros(holds.shape, dtype=bool)
    near, far = gaps.near[gap], gaps.far[gap]
    value[images, steps] = value[images, np.where(steps - near <= far - steps, near, far)]
    margin = np.where(holds, memo.margin, -memo.margin)
    ends = [margin[gaps.image, step].astype(np.float64) for step in (gaps.near, gaps.far)]
    variance = np.maximum(bend_variance(gaps, margin), 1e-12)
    # A random walk crosses zero with this probability, and is beyond it at a given step less often.
    crosses = np.where(ends[0] * ends[1] > 0, np.exp(-2 * np.abs(ends[0] * ends[1]) / variance) / 2, 0.5)
    sure = (ends[0] * ends[1] > 0) & ~doubtful(gaps, margin)
    # What is taken to fail can only turn out better.
    wrong = np.where(sure[gap], 0.0, crosses[gap]) * value[images, steps]
    spread[images, steps] = np.sqrt(wrong * (1 - wrong))
    open_[images, steps] = ~sure[gap]
    return Quality(value, spread, open_, _common(gaps, value))


def _softmax(memo: Memo) -> Quality:
    gaps, (images, steps, gap) = _between(memo)
    value, spread = memo.softmax.copy(), np.zeros(memo.softmax.shape)
    odds, near, far = memo.odds(), gaps.near[gap], gaps.far[gap]
    part = (steps - near) / (far - near)
    value[images, steps] = _share((1 - part) * odds[images, near] + part * odds[images, far])
    bend = np.sqrt(bend_variance(gaps, odds)[gap] * (part * (1 - part)) ** ROUGH)
    # Down to where the odds are by one such bend; a softmax is no further than from 0.
    spread[images, steps] = value[images, steps] - _share(log_odds(value[images, steps]) - bend)
    return Quality(value, spread, ~memo.known, _common(gaps, value))


def _common(gaps: Gaps, value: Float[ndarray, "image step"]) -> Float[ndarray, " step"]:
    step, bends = gaps.far[gaps.inner], gaps.bends(value)[2]
    count, total = (np.bincount(step, weights, minlength=value.shape[1]) for weights in (None, bends))
    common: ndarray = total / (count + _FEW)
    return common


def _between(memo: Memo) -> tuple[Gaps, tuple[ndarray, ndarray, ndarray]]:
    """The gaps, and for everything that is not known its image, its step and its gap."""
    gaps = Gaps.of(memo.known)
    images, steps = np.nonzero(~memo.known)
    # Both run through images and steps in the same order, and no image has an open end.
    return gaps, (images, steps, np.repeat(np.arange(len(gaps.image)), gaps.width - 1))


def _share(odds: Float[ndarray, " value"]) -> Float[ndarray, " value"]:
    share: ndarray = 1 / (1 + np.exp(-odds))
    return share
