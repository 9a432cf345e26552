"""What silencing the most invariant, the most specialized or random units does to accuracy."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from invariscope.networks.ablate import silence
from invariscope.tolerance.ablation import Replayable
from invariscope.tolerance.resample import REPLICATES, draws, interval
from invariscope.tolerance.unit_sets import INVARIANT_HALF, RANDOM, VARIANT_HALF, UnitSets


@dataclass(frozen=True, eq=False)
class Answers:
    """Which images are classified rightly, with nothing silenced and without each set of units.

    Args:
        plain: shape (image,).
        without: shape (set, image).
    """

    plain: Bool[ndarray, " image"]
    without: Bool[ndarray, "set image"]

    def of(self, images: Bool[ndarray, " image"]) -> "Answers":
        """The same for some of the images: a mask of shape (image,)."""
        return Answers(self.plain[images], self.without[:, images])


def silence_sets(
    tails: Iterable[Replayable],
    masks: Bool[ndarray, "set unit"],
    labels: Int[Tensor, " image"] | None,
    *,
    layout: str,
    classes: Bool[Tensor, " class"] | None = None,
) -> Answers:
    """Run the end of the network without each set of units.

    Args:
        tails: one per batch, in the order of the images.
        masks: the sets; shape (set, unit).
        labels: shape (image,); None: right is the prediction with nothing silenced.
        layout: of the site's activation, as `silence` wants it.
        classes: the answer is the best of these; None is any.

    Returns:
        Which images are classified rightly.

    Example:
        >>> class Readout:
        ...     activation = torch.tensor([[2.0, 1.0], [3.0, 4.0]])
        ...     def __call__(self, activation):
        ...         return activation
        >>> found = silence_sets([Readout()], np.eye(2, dtype=bool), torch.tensor([0, 1]), layout="features")
        >>> found.without.tolist()
        [[False, True], [True, False]]
    """
    plain: list[Tensor] = []
    parts: list[Tensor] = []
    with torch.no_grad():
        for tail in tails:
            marks = torch.from_numpy(masks).to(tail.activation.device)
            plain.append(_best(tail(tail.activation), classes))
            silenced = [_best(tail(silence(tail.activation, layout, mark)), classes) for mark in marks]
            parts.append(torch.stack(silenced) if silenced else torch.empty(0, len(plain[-1]), dtype=torch.int64))
    unablated = torch.cat(plain)
    truth = unablated if labels is None else labels.cpu()
    return Answers((unablated == truth).numpy(), (torch.cat(parts, dim=1) == truth).numpy())


def _best(scores: Float[Tensor, "image class"], classes: Bool[Tensor, " class"] | None) -> Int[Tensor, " image"]:
    if classes is not None:
        scores = scores.masked_fill(~classes.to(scores.device), float("-inf"))
    return scores.argmax(dim=-1).cpu()


def costs_of_sets(sets: UnitSets, answers: Answers, *, replicates: int = REPLICATES, seed: int = 0) -> pd.DataFrame:
    """The accuracy that each kind and number of silenced units costs, and how much more than its control.

    The control of a ranking is as many random units (the mean over their sets); that of the matched invariant half is
    the matched variant half.

    Args:
        sets: what was silenced.
        answers: for the images that count.
        replicates: of the paired bootstrap over images; 0 leaves the intervals out (NaN).
        seed: of the bootstrap.

    Returns:
        One row per kind and number: kind, n_units, n_sets, accuracy, cost (accuracy lost) with its 95 % interval (low,
        high), control, excess (cost less the control's) with its interval (excess_low, excess_high), unablated, n
        (images); NaN where there are no images, or no control.
    """
    lost = answers.plain.astype(np.float64) - answers.without
    members: dict[tuple[str, int], list[int]] = {}
    for place, key in enumerate(zip(sets.kinds, sets.n_units, strict=True)):
        members.setdefault(key, []).append(place)
    n = len(answers.plain)
    unablated = float(answers.plain.mean()) if n else float("nan")
    means = {key: lost[places].mean(axis=0) for key, places in members.items()}
    columns, rows = [], []
    for (kind, count), places in members.items():
        control = {RANDOM: "", VARIANT_HALF: "", INVARIANT_HALF: VARIANT_HALF}.get(kind, RANDOM)
        own, other = means[kind, count], means.get((control, count))
        excess = np.full(n, np.nan) if other is None else own - other
        columns += [own, excess]
        cost, more = (float(one.mean()) if n else float("nan") for one in (own, excess))
        row = {"kind": kind, "n_units": count, "n_sets": len(places), "accuracy": unablated - cost, "cost": cost}
        rows.append(row | {"control": control, "excess": more, "unablated": unablated, "n": n})
    table = pd.DataFrame(rows)
    if not rows:
        return table
    low, high = _ends(np.stack(columns, axis=1), replicates, seed)
    for name, ends in (
        ("low", low[0::2]),
        ("high", high[0::2]),
        ("excess_low", low[1::2]),
        ("excess_high", high[1::2]),
    ):
        table[name] = ends
    return table


def _ends(
    values: Float[ndarray, "image column"], replicates: int, seed: int
) -> tuple[Float[ndarray, " column"], Float[ndarray, " column"]]:
    if len(values) < 2 or not replicates:
        nan = np.full(values.shape[1], np.nan)
        return nan, nan.copy()
    low, high = interval(np.concatenate([part @ values for part in draws(len(values), replicates, seed)])[None])
    return low[0], high[0]
