"""Which fraction of its peak makes a unit active: the largest that silencing what lies below it does not cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.tolerance.activity import Silenced
from invariscope.tolerance.resample import REPLICATES, draws, interval

_NAN = float("nan")


@dataclass(frozen=True)
class Choice:
    """A choice of τ, and what it costs on images that did not choose.

    Attributes:
        tau: the last τ before the first that costs too much; NaN where the smallest does already.
        tau_last: the largest τ that does not cost too much, whatever lies between; NaN where there is none.
        tau_half: the `tau` of half of the images.
        cost_held_out: the accuracy that the other half loses at `tau_half`; -1 to 1.
        cost_low: of its 95 % interval, from a paired bootstrap over those images.
        cost_high: of that interval.
        n: how many images chose.
        message: why there is no τ, or why it says little; None where there is nothing to say.
    """

    tau: float
    tau_last: float
    tau_half: float
    cost_held_out: float
    cost_low: float
    cost_high: float
    n: int
    message: str | None = None


def crossing(
    plain: Bool[ndarray, " image"], silenced: Bool[ndarray, "tau image"], taus: Sequence[float], drop: float
) -> tuple[float, float]:
    """The last τ before the first that costs too much, and the largest that does not.

    Args:
        plain: images classified rightly with nothing silenced; shape (image,).
        silenced: the same with inactive units silenced; shape (tau, image).
        taus: in ascending order.
        drop: the accuracy that may be lost, as a share of the images.

    Returns:
        Both; NaN where the smallest τ, or every one, costs too much, or where there are no images.

    Example:
        >>> plain = np.array([True, True])
        >>> crossing(plain, np.array([[True, True], [False, True], [True, True]]), [0.0, 0.1, 0.2], drop=0.01)
        (0.0, 0.2)

    Source: Jang et al., section 3.2, who name no rule for accuracies that fall and rise again.
    """
    if not len(plain):
        return _NAN, _NAN
    # Counted in images, so that a loss of exactly the drop passes.
    fine = plain.sum() - silenced.sum(axis=1) <= drop * len(plain) + 1e-9
    first = len(fine) if fine.all() else int(np.argmin(fine))
    last = np.flatnonzero(fine)
    return (float(taus[first - 1]) if first else _NAN), (float(taus[last[-1]]) if len(last) else _NAN)


def choose_tau(
    found: Silenced,
    taus: Sequence[float],
    labels: Int[Tensor, " image"] | None,
    *,
    drop: float = 0.01,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Choice:
    """Choose τ on all images; and on half of them, to see what it costs the others.

    Args:
        found: for the images that decide.
        taus: of its thresholds, in ascending order.
        labels: classes of these images, which the halves share evenly; shape (image,), or None.
        drop: the accuracy that may be lost; 0.01 is one percentage point.
        seed: of the halves and of the bootstrap.
        replicates: of the bootstrap; 0 leaves the interval out (NaN).

    Returns:
        The choice.

    Raises:
        SettingError: the grid is empty or does not ascend, or `drop` is no share.

    Source: Jang et al., section 3.2; the half that did not choose is ours.
    """
    check_choice(taus, drop)
    n = len(found.plain)
    tau, tau_last = crossing(found.plain, found.without_inactive, taus, drop)
    chooses = halves(n, labels, seed)
    tau_half, _ = crossing(found.plain[chooses], found.without_inactive[:, chooses], taus, drop)
    cost = low = high = _NAN
    if not np.isnan(tau_half) and (~chooses).any():
        held_out = found.of(~chooses)
        lost = held_out.plain.astype(np.float64) - held_out.without_inactive[list(taus).index(tau_half)]
        cost = float(lost.mean())
        if len(lost) > 1 and replicates:
            drawn = np.concatenate([part @ lost for part in draws(len(lost), replicates, seed)])
            low, high = (end.item() for end in interval(drawn[None, :, None]))
    return Choice(tau, tau_last, tau_half, cost, low, high, n, _message(found.plain, tau, taus, drop))


def check_choice(taus: Sequence[float], drop: float) -> None:
    """Refuse a grid that does not ascend, and a drop that is no share.

    Raises:
        SettingError: with what was given.
    """
    if not len(taus) or any(after <= before for before, after in pairwise(taus)):
        raise SettingError(f"the grid of tau must ascend; got {', '.join(f'{tau:g}' for tau in taus) or 'nothing'}.")
    if not 0 <= drop < 1:
        raise SettingError(f"the drop of accuracy is a share from 0 up to but not including 1; got {drop:g}.")


def halves(n_images: int, labels: Int[Tensor, " image"] | None, seed: int) -> Bool[ndarray, " image"]:
    """True for a random half of the images, of every class as nearly half as can be.

    Args:
        n_images: how many.
        labels: their classes; shape (image,); None: all of one class.
        seed: of the draw.

    Example:
        >>> chosen = halves(6, torch.tensor([0, 0, 1, 1, 1, 1]), seed=3)
        >>> int(chosen[:2].sum()), int(chosen[2:].sum())
        (1, 2)
    """
    order = torch.randperm(n_images, generator=torch.Generator().manual_seed(seed))
    if labels is not None:
        order = order[torch.argsort(labels.cpu()[order], stable=True)]
    chosen = np.zeros(n_images, dtype=bool)
    chosen[order[::2].numpy()] = True
    return chosen


def _message(plain: Float[ndarray, " image"] | ndarray, tau: float, taus: Sequence[float], drop: float) -> str | None:
    points = f"{100 * drop:g} percentage point{'' if drop == 0.01 else 's'}"
    if not len(plain):
        return "There are no images to choose tau on."
    if np.isnan(tau):
        return f"Silencing what is at most {taus[0]:g} of the peak already costs more than {points}."
    if tau == taus[-1]:
        return (
            f"No tau up to {tau:g} costs more than {points}, so that the images do not bound it: the rest of the "
            "network may answer without these units."
        )
    if drop * len(plain) < 1:
        return f"With {len(plain)} images a single error is more than {points}; tau says little."
    return None
