"""What it costs to silence the invariant or the specialized units, against as many random active units."""

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from invariscope.networks.ablate import silence
from invariscope.tolerance.evidence import AblationCost
from invariscope.tolerance.resample import REPLICATES, draws, interval

REPEATS = 5


@runtime_checkable
class Replayable(Protocol):
    """The rest of a network after one site, for one batch that was shown to it."""

    activation: Tensor

    def __call__(self, activation: Tensor, /) -> Tensor:
        """The network's output when the site's activation is this one."""


def ablation_costs(
    tails: Iterable[Replayable],
    kinds: Mapping[str, Bool[ndarray, " unit"]],
    active: Bool[ndarray, " unit"],
    labels: Int[Tensor, " image"] | None,
    *,
    layout: str,
    images: Bool[ndarray, " image"] | None = None,
    seed: int = 0,
    repeats: int = REPEATS,
    replicates: int = REPLICATES,
) -> dict[str, AblationCost]:
    """Silence each kind of unit for transformed images, and as many random active units, and count the errors.

    Args:
        tails: one per batch of transformed images, in the order of the images.
        kinds: which units are of which kind; masks of shape (unit,).
        active: the units that the random ones are drawn from; shape (unit,).
        labels: shape (image,); None: accuracy is agreement with the prediction without ablation.
        layout: of the site's activation, as `silence` wants it.
        images: which images count; None for all.
        seed: of the random units and of the bootstrap.
        repeats: how many random sets are drawn per kind.
        replicates: of the bootstrap.

    Returns:
        The costs by kind.

    Example:
        >>> class Readout:
        ...     activation = torch.tensor([[2.0, 1.0], [0.0, 1.0]])
        ...     def __call__(self, activation):
        ...         return activation
        >>> first = {"invariant": np.array([True, False])}
        >>> found = ablation_costs([Readout()], first, np.array([True, True]), torch.tensor([0, 1]), layout="features")
        >>> found["invariant"].accuracy, found["invariant"].cost
        (1.0, 0.5)

    Source: Jang et al., section 3.2, whose ablation of active and of inactive units this follows; the random control
        is ours.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    sets = {kind: _with_controls(mask, active, repeats, generator) for kind, mask in kinds.items()}
    plain: list[Tensor] = []
    silenced: dict[str, list[Tensor]] = {kind: [] for kind in kinds}
    with torch.no_grad():
        for tail in tails:
            plain.append(tail(tail.activation).argmax(dim=-1).cpu())
            for kind, masks in sets.items():
                predicted = [_predict(tail, mask, layout) for mask in masks]
                silenced[kind].append(torch.stack(predicted) if predicted else torch.empty(0))
    unablated = torch.cat(plain)
    truth = unablated if labels is None else labels.cpu()
    keep = np.ones(len(truth), dtype=bool) if images is None else images
    right = (unablated == truth).numpy()[keep].astype(np.float64)
    costs: dict[str, AblationCost] = {}
    for kind, masks in sets.items():
        if not len(masks) or not len(right):
            nan = float("nan")
            costs[kind] = AblationCost(0, nan, nan, nan, nan, nan, float(right.mean()) if len(right) else nan, False)
            continue
        correct = (torch.cat(silenced[kind], dim=1) == truth).numpy()[:, keep].astype(np.float64)
        is_all = bool((kinds[kind] & active).sum() == active.sum())
        costs[kind] = _cost(
            int(masks[0].sum()),
            right,
            correct[0],
            correct[1 if len(correct) > 1 else 0 :].mean(axis=0),
            is_all,
            seed,
            replicates,
        )
    return costs


def _with_controls(
    mask: Bool[ndarray, " unit"], active: Bool[ndarray, " unit"], repeats: int, generator: np.random.Generator
) -> Bool[ndarray, "set unit"]:
    """The kind first, then random sets of as many active units; nothing for a kind without units."""
    assert not (mask & ~active).any(), "a kind of unit is among the active ones"
    n_units = int(mask.sum())
    if n_units == 0:
        return np.zeros((0, len(mask)), dtype=bool)
    if n_units == int(active.sum()):
        # Every random set would be this one: silencing it once is enough.
        return mask[None].copy()
    sets = np.zeros((1 + repeats, len(mask)), dtype=bool)
    sets[0] = mask
    for control in sets[1:]:
        control[generator.choice(np.flatnonzero(active), n_units, replace=False)] = True
    return sets


def _predict(tail: Replayable, mask: Bool[ndarray, " unit"], layout: str) -> Int[Tensor, " image"]:
    where = torch.from_numpy(mask).to(tail.activation.device)
    return tail(silence(tail.activation, layout, where)).argmax(dim=-1).cpu()


def _cost(
    n_units: int,
    plain: Float[ndarray, " image"],
    kind: Float[ndarray, " image"],
    control: Float[ndarray, " image"],
    is_all: bool,
    seed: int,
    replicates: int,
) -> AblationCost:
    difference = control - kind
    low = high = float("nan")
    if len(plain) > 1:
        drawn = np.concatenate([part @ difference for part in draws(len(plain), replicates, seed)])
        ends = interval(drawn[None, :, None])
        low, high = ends[0].item(), ends[1].item()
    accuracy = float(plain.mean())
    return AblationCost(
        n_units=n_units,
        cost=accuracy - float(kind.mean()),
        control=accuracy - float(control.mean()),
        difference=float(difference.mean()),
        low=low,
        high=high,
        accuracy=accuracy,
        is_all=is_all,
    )
