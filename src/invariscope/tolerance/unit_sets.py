"""Which units to silence, to see which of them a network's answers rest on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

RANKINGS = ("most invariant", "least invariant", "most specialized", "towards clean", "towards transformed")
RANDOM = "random"
INVARIANT_HALF, VARIANT_HALF = "matched invariant half", "matched variant half"
REPEATS = 10
STRATUM = 8


@dataclass(frozen=True, eq=False)
class UnitSets:
    """Sets of units, each silenced by itself.

    Attributes:
        kinds: of each set: one of `RANKINGS`, `RANDOM`, `INVARIANT_HALF` or `VARIANT_HALF`.
        n_units: in each set.
        masks: True for the members; shape (set, unit).
    """

    kinds: tuple[str, ...]
    n_units: tuple[int, ...]
    masks: Bool[ndarray, "set unit"]


def counts_to_half(n_active: int) -> tuple[int, ...]:
    """How many units to silence: 1, 2, 4, 8, … and half of all.

    Args:
        n_active: how many there are.

    Example:
        >>> counts_to_half(40), counts_to_half(1)
        ((1, 2, 4, 8, 16, 20), ())
    """
    half = n_active // 2
    powers = [2**power for power in range(half.bit_length())]
    return tuple(sorted({*(count for count in powers if count <= half), half} - {0}))


def rank_units(
    invariance: Float[ndarray, " unit"], specialization: Float[ndarray, " unit"], active: Bool[ndarray, " unit"]
) -> dict[str, list[int]]:
    """The active units in the order of each of `RANKINGS`; ties in the order of the units.

    Args:
        invariance: shape (unit,).
        specialization: positive = prefers transformed; shape (unit,).
        active: units whose coefficients are known; shape (unit,).

    Example:
        >>> values = np.array([0.9, 0.1, 0.5]), np.array([0.05, -0.9, 0.5]), np.array([True, True, True])
        >>> rank_units(*values)["most invariant"], rank_units(*values)["towards clean"]
        ([0, 2, 1], [1, 0, 2])
    """
    size = np.abs(specialization)
    descending = dict(zip(RANKINGS, (invariance, -invariance, size, -specialization, specialization), strict=True))
    units = np.flatnonzero(active)
    return {name: units[np.argsort(-values[units], kind="stable")].tolist() for name, values in descending.items()}


def matched_halves(
    invariance: Float[ndarray, " unit"],
    activity: Float[ndarray, " unit"],
    active: Bool[ndarray, " unit"],
    stratum: int = STRATUM,
) -> tuple[Bool[ndarray, " unit"], Bool[ndarray, " unit"]]:
    """The more invariant and the less invariant half of the active units, alike in activity.

    In the order of activity, every few neighbours are split: the more invariant ones go to the first half. Of an odd
    number the most active one is left out.

    Args:
        invariance: shape (unit,).
        activity: mean response as a fraction of the peak; shape (unit,).
        active: units whose coefficients are known; shape (unit,).
        stratum: how many neighbours are split at a time; few are more alike in activity, many differ more in
            invariance.

    Returns:
        Both halves, as masks over all units.

    Example:
        >>> invariance, activity = np.array([0.2, 0.9, 0.8, 0.3]), np.array([0.1, 0.5, 0.2, 0.6])
        >>> more, less = matched_halves(invariance, activity, np.ones(4, dtype=bool), stratum=2)
        >>> more.tolist(), less.tolist()
        ([False, True, True, False], [True, False, False, True])
    """
    units = np.flatnonzero(active)
    ordered = units[np.argsort(activity[units], kind="stable")]
    more, less = (np.zeros(len(active), dtype=bool) for _ in range(2))
    for start in range(0, len(ordered), stratum):
        near = ordered[start : start + stratum]
        half = len(near) // 2
        near = near[: 2 * half]
        ranked = near[np.argsort(-invariance[near], kind="stable")]
        more[ranked[:half]] = True
        less[ranked[half:]] = True
    return more, less


def make_unit_sets(
    invariance: Float[ndarray, " unit"],
    specialization: Float[ndarray, " unit"],
    activity: Float[ndarray, " unit"],
    active: Bool[ndarray, " unit"],
    *,
    counts: Sequence[int] | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
) -> UnitSets:
    """The first k units of every ranking, as many random active units, and the matched halves.

    Args:
        invariance: shape (unit,).
        specialization: positive = prefers transformed; shape (unit,).
        activity: mean response as a fraction of the peak; shape (unit,).
        active: the units to take from, whose coefficients are known; shape (unit,).
        counts: the k; None is 1, 2, 4, … up to half of the active units.
        repeats: random orders of the active units; a larger set of one order holds its smaller ones.
        seed: of the orders.

    Returns:
        The sets; none where fewer than two units are active.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    n_active = int(active.sum())
    wanted = counts_to_half(n_active) if counts is None else [count for count in counts if 0 < count <= n_active]
    orders = [(name, units) for name, units in rank_units(invariance, specialization, active).items()]
    orders += [(RANDOM, generator.permutation(np.flatnonzero(active)).tolist()) for _ in range(repeats)]
    found = [(kind, np.isin(np.arange(len(active)), order[:count])) for kind, order in orders for count in wanted]
    if n_active >= 2:
        found += zip((INVARIANT_HALF, VARIANT_HALF), matched_halves(invariance, activity, active), strict=True)
    masks = np.stack([mask for _, mask in found]) if found else np.zeros((0, len(active)), dtype=bool)
    return UnitSets(tuple(kind for kind, _ in found), tuple(int(count) for count in masks.sum(axis=1)), masks)
