"""What a network answers along one transformation, how much images change, and what follows for all classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from invariscope.responses.recorder import Strength
from invariscope.statistics.proportions import wilson
from invariscope.studies.given import Given
from invariscope.studies.tidy import NAN, Row, found
from invariscope.tolerance.crossing import first_fall
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.resample import draws
from invariscope.transformations.base import Transformation

_BATCH, _IDLE = 100, 1e-6
LEVELS = (0.9, 0.5)
PLATEAU = LEVELS[0]


@dataclass(frozen=True)
class Swept:
    """A network along one transformation.

    Args:
        sweep: its answers.
        change: root of the mean squared change of all pixels at each magnitude, of the range; shape (magnitude,).
        replicates: of the bootstrap over images.
    """

    sweep: Sweep
    change: Float[ndarray, " magnitude"]
    replicates: int

    @property
    def idle(self) -> bool:
        """Whether the transformation leaves the images as they are."""
        return bool(self.change.max() < _IDLE)

    @property
    def sides(self) -> list[str]:
        """The sides of the identity on which there are magnitudes."""
        return [sign for sign in "+-" if len(self.sweep.side(sign)) > 1]

    def distance(self, sign: str) -> Float[ndarray, " step"]:
        """Of the magnitudes of a side from the identity, outwards."""
        steps = np.array(self.sweep.magnitudes)[self.sweep.side(sign)]
        distance: ndarray = np.abs(steps - steps[0])
        return distance

    @cached_property
    def quality(self) -> Float[ndarray, "magnitude image"]:
        """1 where an image is classified correctly; without labels, where its prediction has not changed."""
        return self.sweep.agreement if self.sweep.correct is None else self.sweep.correct

    @cached_property
    def mean(self) -> Float[ndarray, " magnitude"]:
        """The accuracy at each magnitude."""
        mean: ndarray = self.quality.mean(axis=1)
        return mean

    @cached_property
    def drawn(self) -> Float[ndarray, "replicate magnitude"]:
        """The accuracy in replicates over images.

        Replicate r draws the same images for every transformation, and for every network that sees the same images.
        """
        parts = [weights @ self.quality.T for weights in draws(self.sweep.n_images, self.replicates, seed=0)]
        return np.concatenate(parts)

    def fall(self, sign: str, level: float, quality: Float[ndarray, "*row magnitude"]) -> Float[ndarray, "*row"]:
        """The distance from the identity at which accuracies fall below a level; infinite where they never do."""
        places = self.sweep.side(sign)
        return first_fall(quality[..., places], self.distance(sign), level)

    def changed(self, sign: str, distance: Float[ndarray, "*row"]) -> Float[ndarray, "*row"]:
        """How much images change at distances from the identity; beyond the last magnitude what they change there."""
        own = self.change[self.sweep.side(sign)]
        capped = np.minimum(
            np.nan_to_num(distance, nan=np.nan, posinf=self.distance(sign)[-1]), self.distance(sign)[-1]
        )
        change: ndarray = np.interp(capped, self.distance(sign), own)
        return np.where(np.isnan(distance), np.nan, change)


def sweep_of(given: Given, transformation: Transformation, magnitudes: Sequence[float], replicates: int) -> Swept:
    """Show a network its images at every magnitude.

    Args:
        given: the network beside its test images.
        transformation: the family, filled already as it shall be.
        magnitudes: ascending, with the identity.
        replicates: of the bootstrap over images.
    """
    strengths = [Strength(transformation, magnitude, given.seed) for magnitude in magnitudes]
    outputs: list[list[torch.Tensor]] = [[] for _ in strengths]
    squared = np.zeros(len(strengths))
    with torch.inference_mode():
        for indices, batch in given.images.batches(_BATCH, given.network.device):
            for place, strength in enumerate(strengths):
                if strength.magnitude == transformation.identity:
                    # The identity leaves images as they are, to the bit, and these answers are known.
                    outputs[place].append(given.logits[indices])
                    continue
                shown = strength(batch, indices)
                outputs[place].append(given.network(shown).float().cpu())
                squared[place] += float((shown - batch).double().square().sum())
    pixels = len(given.images) * given.images.channels * given.images.height * given.images.width
    sweep = Sweep(
        transformation.name,
        tuple(magnitudes),
        transformation.identity,
        transformation.unit_of_measure,
        torch.stack([torch.cat(parts) for parts in outputs]),
        given.labels,
        given.classes,
    )
    return Swept(sweep, np.sqrt(squared / pixels), replicates)


def ends_of(replicates: Float[ndarray, " replicate"], around: float | None = None) -> tuple[float, float]:
    """The 95 % interval of replicates; NaN where fewer than half of them are known.

    Args:
        replicates: of the bootstrap.
        around: the number itself, where it is a largest of several: replicates of such lie too high, and are shifted so
            that their median is the number.

    Example:
        >>> ends_of(np.array([0.0, 1.0, np.nan])), ends_of(np.array([np.nan, np.nan, 1.0]))
        ((0.025, 0.975), (nan, nan))
        >>> ends_of(np.array([2.0, 3.0, 4.0]), around=2.5)
        (1.55, 3.45)
    """
    known = replicates[~np.isnan(replicates)]
    if around is not None and len(known):
        known = np.maximum(known + (around - np.median(known)), 0.0)
    if 2 * len(known) < len(replicates):
        return NAN, NAN
    # Ends may be infinite (beyond the grid), between which there is no interpolating.
    if np.isfinite(known).all():
        low, high = np.quantile(known, [0.025, 0.975])
    else:
        low, high = np.quantile(known, [0.025, 0.975], method="nearest")
    return float(low), float(high)


def sweep_rows(swept: Swept) -> list[Row]:
    """What follows from one transformation for all classes together: thresholds, ends, plateaus.

    Args:
        swept: the network along the transformation.

    Returns:
        Tidy rows with `transformation`, `side` and, for thresholds, `level`.
    """
    sweep, n = swept.sweep, swept.sweep.n_images
    rows: list[Row] = []
    for sign in swept.sides:
        where: Row = {"transformation": sweep.name, "side": sign}
        for level in LEVELS:
            rows += _thresholds(swept, sign, level, where)
        rows += _plateau(swept, sign, where)
        last = sweep.side(sign)[-1]
        rows.append(_share("accuracy at the end", swept.quality[last], where))
        rows.append(_share("agreement at the end", sweep.agreement[last], where))
        value = float(swept.mean[sweep.clean] / 2 - swept.mean[last])
        low, high = ends_of(swept.drawn[:, sweep.clean] / 2 - swept.drawn[:, last])
        rows.append(found("below half of the clean accuracy at the end", value, low, high, n, **where))
    return rows


def _share(quantity: str, right: Float[ndarray, " image"], where: Row) -> Row:
    low, high = (float(end) for end in wilson(float(right.sum()), len(right)))
    return found(quantity, float(right.mean()), low, high, len(right), **where)


def _thresholds(swept: Swept, sign: str, level: float, where: Row) -> list[Row]:
    """The magnitude at which accuracy falls below a level, and how much images have changed there."""
    sweep, n = swept.sweep, swept.sweep.n_images
    outward = 1.0 if sign == "+" else -1.0
    fall, drawn = swept.fall(sign, level, swept.mean), swept.fall(sign, level, swept.drawn)
    low, high = (_finite(end) for end in sorted(sweep.identity + outward * end for end in ends_of(drawn)))
    at = _finite(sweep.identity + outward * float(fall))
    own: Row = {**where, "level": level}
    row = found("threshold", at, low, high, n, sweep.unit_of_measure, **own)
    if np.isnan(at):
        return [row, found("change at the threshold", NAN, n=n, unit_of_measure="of the range", **own)]
    low, high = ends_of(swept.changed(sign, drawn))
    moved = float(swept.changed(sign, fall))
    return [row, found("change at the threshold", moved, low, high, n, "of the range", **own)]


def _plateau(swept: Swept, sign: str, where: Row) -> list[Row]:
    """How much accuracy is lost halfway to the threshold, or to the end where there is none."""
    distance, places = swept.distance(sign), swept.sweep.side(sign)
    half = min(float(swept.fall(sign, PLATEAU, swept.mean)), distance[-1]) / 2
    if np.isnan(half):
        return []
    right = int(np.searchsorted(distance, half).clip(1))
    share = (half - distance[right - 1]) / (distance[right] - distance[right - 1])
    weights = np.zeros(len(swept.mean))
    weights[places[right - 1]], weights[places[right]] = 1 - share, share
    weights[swept.sweep.clean] -= 1
    low, high = ends_of(-swept.drawn @ weights)
    lost = -float(swept.mean @ weights)
    return [found("lost halfway to the threshold", lost, low, high, swept.sweep.n_images, **where)]


def _finite(value: float) -> float:
    return value if np.isfinite(value) else NAN


def replicate_rows(swept: Swept) -> pd.DataFrame:
    """The accuracy in every replicate, for comparisons with another network that sees the same images."""
    count, n = swept.drawn.shape
    return pd.DataFrame(
        {
            "transformation": swept.sweep.name,
            "magnitude": np.tile(np.array(swept.sweep.magnitudes), count),
            "replicate": np.repeat(np.arange(count), n),
            "accuracy": swept.drawn.ravel().astype(np.float32),
        }
    )
