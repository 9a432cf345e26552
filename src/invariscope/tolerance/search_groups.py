"""Where the mean quality of a class first falls: only images that can still change the decision are asked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from invariscope.tolerance.crossing import below
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.search_memo import Memo, Wanted
from invariscope.tolerance.search_quality import Quality, quality

# A mean is trusted to stay above its level where it is so many standard deviations above it.
_TRUST = 4.0
_FEW = 8


@dataclass(frozen=True, eq=False)
class _Means:
    """What is known of the means of every row of a table.

    Attributes:
        mean: with what is interpolated; shape (row, step).
        spread: its standard deviation; shape (row, step).
        worst: with 0 for every image that is still open; shape (row, step).
        open: how many images are still open; shape (row, step).
    """

    mean: Float[ndarray, "row step"]
    spread: Float[ndarray, "row step"]
    worst: Float[ndarray, "row step"]
    open: Int[ndarray, "row step"]

    @classmethod
    def of(cls, found: Quality, groups: Groups) -> "_Means":
        counts = groups.counts[:, None]
        variance = groups.means(found.spread**2) / counts
        share = groups.means(found.open.astype(np.float64))
        mean, worst = groups.means(found.value), groups.means(found.value * ~found.open)
        return cls(mean + share * found.common, np.sqrt(variance), worst, np.rint(share * counts).astype(np.int64))


def decide_groups(
    memo: Memo, groups: Groups, labels: Int[ndarray, " image"], criteria: Sequence[str], levels: Sequence[float]
) -> None:
    """Ask until the step at which each row's mean first falls below each level is decided, and exact on both its ends.

    The answers so far suggest where a mean falls: all images that are neither known nor sure are asked there, and at
    the step before. Earlier steps, where it may dip, are asked by halves, and no longer than the images that are left
    could change the decision, if all of them failed. Rows that are decided ask nothing more.

    Args:
        memo: the answers, which are added to.
        groups: the rows.
        labels: of every image, as an output; shape (image,).
        criteria: of "accuracy", "agreement", "softmax".
        levels: shares of the clean mean.
    """
    while memo.ask(_wanted(memo, groups, labels, criteria, levels)):
        pass


def _wanted(
    memo: Memo, groups: Groups, labels: Int[ndarray, " image"], criteria: Sequence[str], levels: Sequence[float]
) -> Wanted:
    wanted = np.zeros_like(memo.known)
    for criterion in criteria:
        found = quality(memo, criterion, labels)
        means = _Means.of(found, groups)
        for level in levels:
            for row, step, whole in _steps(means, level):
                members = groups.members[row]
                asked = members[found.open[members, step]]
                if not whole:
                    doubt = np.argsort(-found.spread[asked, step], kind="stable")
                    asked = asked[doubt[: max(_FEW, (len(asked) + 1) // 2)]]
                wanted[asked, step] = True
    return wanted


def _steps(means: _Means, level: float) -> list[tuple[int, int, bool]]:
    """Rows, the step where each must be asked next, and whether of all its images."""
    low = below(means.mean, level)
    last = low.shape[1]
    first = np.where(low.any(axis=1), low.argmax(axis=1), last)
    target = level * means.mean[:, :1]
    room = means.mean - target
    sure = ~below(np.concatenate([means.mean[:, :1], means.worst], axis=1), level)[:, 1:]
    # Where the mean is trusted, or the worst that can come is still above the level, nothing is asked.
    doubt = np.where(sure | (room >= _TRUST * means.spread), np.inf, room / np.maximum(means.spread, 1e-12))
    found: list[tuple[int, int, bool]] = []
    for row in np.flatnonzero(means.mean[:, 0] > 0).tolist():
        end = int(first[row])
        bracket = [step for step in (end, end - 1) if step < last and means.open[row, step]]
        if bracket:
            found.append((row, bracket[0], True))
            continue
        before = np.where(means.open[row, :end] > 0, doubt[row, :end], np.inf)
        if np.isfinite(before).any():
            found.append((row, int(before.argmin()), False))
    return found
