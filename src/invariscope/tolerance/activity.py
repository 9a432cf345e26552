"""Accuracy when an image's inactive units are silenced, and when its active units are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.statistics.proportions import wilson
from invariscope.tolerance.ablation import Replayable
from invariscope.tolerance.resample import REPLICATES, draws, interval
from invariscope.tolerance.silencing import Reading, below_and_above

TAUS = (0.0, 0.01, 0.02, *(round(0.05 * step, 2) for step in range(1, 20)))
"""The paper's grid in steps of 0.05, finer near 0; 1 is left out, since no activity exceeds the peak."""


@dataclass(frozen=True, eq=False)
class Silenced:
    """Which images are classified rightly, with nothing silenced and threshold by threshold.

    Args:
        plain: with nothing silenced; shape (image,).
        without_inactive: with each image's inactive units silenced; shape (threshold, image).
        without_active: with each image's active units silenced; shape (threshold, image).
        active_share: the share of the units that are active; shape (threshold, image).
    """

    plain: Bool[ndarray, " image"]
    without_inactive: Bool[ndarray, "threshold image"]
    without_active: Bool[ndarray, "threshold image"]
    active_share: Float[ndarray, "threshold image"]

    def of(self, images: Bool[ndarray, " image"]) -> "Silenced":
        """The same for some of the images: a mask of shape (image,)."""
        rows = (self.without_inactive, self.without_active, self.active_share)
        return Silenced(self.plain[images], *(one[:, images] for one in rows))


def activity_thresholds(peak: Float[Tensor, " unit"], taus: Sequence[float] = TAUS) -> Float[Tensor, "tau unit"]:
    """The response above which a unit is active, for every τ: τ times its peak.

    Args:
        peak: the units' largest responses to any image, clean or transformed; shape (unit,).
        taus: fractions of the peak; 0 to 1, 1 excluded.

    Returns:
        Shape (tau, unit).

    Raises:
        SettingError: a fraction is out of range.

    Example:
        >>> activity_thresholds(torch.tensor([2.0, 4.0]), [0.0, 0.5])
        tensor([[0., 0.],
                [1., 2.]])
    """
    for tau in taus:
        if not 0 <= tau < 1:
            raise SettingError(f"tau takes a fraction of the peak, from 0 up to but not including 1; got {tau}.")
    # Rounded once from float64, as the measures do it, so that the same responses are active here and there.
    exact = torch.tensor(list(taus), dtype=torch.float64)[:, None] * peak.cpu().double()
    return exact.to(peak.dtype)


def silence_by_activity(
    tails: Iterable[Replayable],
    thresholds: Float[Tensor, "threshold unit"],
    labels: Int[Tensor, " image"] | None,
    reading: Reading,
) -> Silenced:
    """Run the end of the network with each image's inactive, and with its active units silenced.

    What is silenced is decided by the image's own activity in this pass, never by its other version's.

    Args:
        tails: one per batch, in the order of the images.
        thresholds: responses up to and including a threshold are inactive; shape (threshold, unit).
        labels: shape (image,); None: right is the prediction with nothing silenced.
        reading: how a unit's activity is read from the site.

    Returns:
        Which images are classified rightly.

    Example:
        >>> class Readout:
        ...     activation = torch.tensor([[0.1, 2.0], [3.0, 0.2]])
        ...     def __call__(self, activation):
        ...         return activation
        >>> labels, half = torch.tensor([1, 0]), torch.tensor([[1.0, 1.0]])
        >>> found = silence_by_activity([Readout()], half, labels, Reading("features"))
        >>> found.without_inactive.tolist(), found.without_active.tolist()
        ([[True, True]], [[False, False]])

    Source: Jang et al., section 3.2 and appendix D, figure 7.
    """
    plain: list[Tensor] = []
    rows: list[list[Tensor]] = []
    with torch.no_grad():
        for tail in tails:
            plain.append(tail(tail.activation).argmax(dim=-1).cpu())
            found = list(below_and_above(tail, thresholds, reading))
            rows.append([torch.stack(one) for one in zip(*found, strict=True)])
    unablated = torch.cat(plain)
    truth = unablated if labels is None else labels.cpu()
    below, above, share = (torch.cat(one, dim=1) for one in zip(*rows, strict=True))
    return Silenced((unablated == truth).numpy(), (below == truth).numpy(), (above == truth).numpy(), share.numpy())


def accuracy_curves(
    found: Silenced, at: Sequence[float], *, name: str = "tau", replicates: int = REPLICATES, seed: int = 0
) -> pd.DataFrame:
    """Accuracy by threshold, for both kinds of silenced unit.

    Args:
        found: for the images that count.
        at: what to call each threshold; as many as there are.
        name: of the column that says it.
        replicates: of the paired bootstrap over images behind the interval of the cost; 0 leaves it out (NaN).
        seed: of the bootstrap.

    Returns:
        One row per threshold and kind: `name`, silenced ("inactive" or "active"), accuracy with Wilson's interval
        (low, high), cost (accuracy without ablation less accuracy) with its interval (cost_low, cost_high), unablated,
        n (images), active_share (mean over images); NaN where there are no images.

    Source: Jang et al., appendix D, figures 7 and 8.
    """
    n, n_rows = len(found.plain), len(at)
    assert n_rows == len(found.without_inactive), "every threshold has a name"
    right = np.concatenate([found.without_inactive, found.without_active])
    correct = right.sum(axis=1)
    low, high = wilson(correct, n)
    cost_low, cost_high = _cost_ends(found.plain, right, replicates, seed)
    known = n > 0
    unablated = float(found.plain.mean()) if known else float("nan")
    share = found.active_share.mean(axis=1) if known else np.full(n_rows, np.nan)
    accuracy = correct / n if known else np.full(2 * n_rows, np.nan)
    return pd.DataFrame(
        {
            name: np.tile(np.asarray(at, dtype=np.float64), 2),
            "silenced": np.repeat(["inactive", "active"], n_rows),
            "accuracy": accuracy,
            "low": low,
            "high": high,
            "cost": unablated - accuracy,
            "cost_low": cost_low,
            "cost_high": cost_high,
            "unablated": unablated,
            "n": n,
            "active_share": np.tile(share, 2),
        }
    )


def _cost_ends(
    plain: Bool[ndarray, " image"], right: Bool[ndarray, "row image"], replicates: int, seed: int
) -> tuple[Float[ndarray, " row"], Float[ndarray, " row"]]:
    if len(plain) < 2 or not replicates:
        nan = np.full(len(right), np.nan)
        return nan, nan.copy()
    lost = (plain.astype(np.float64) - right).T
    drawn = np.concatenate([part @ lost for part in draws(len(plain), replicates, seed)])
    low, high = interval(drawn[None])
    return low[0], high[0]
