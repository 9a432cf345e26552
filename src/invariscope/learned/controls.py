"""The control parameters at which a learned family is examined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

ALL, CORNERS = "all", "corners"
Pair = tuple[float, float]


@dataclass(frozen=True)
class Control:
    """One setting of every head's k.

    Args:
        head: "all" (all heads share k), the one head that has a k, or "corners" (each head has one of its own).
        k: by head; a head that is not named has none and does nothing.
    """

    head: str
    k: Mapping[str, Pair]

    @property
    def pair(self) -> Pair:
        """(k1, k2); NaN where the heads differ."""
        values = set(self.k.values())
        return next(iter(values)) if len(values) == 1 else (float("nan"), float("nan"))

    @property
    def name(self) -> str:
        """The setting in words: "colour 1, 0; spatial 0, 1"."""
        return "; ".join(f"{head} {first:g}, {second:g}" for head, (first, second) in self.k.items())


def grid(size: int) -> list[Pair]:
    """All pairs of evenly spaced values from 0 to 1.

    Example:
        >>> grid(2)
        [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
    """
    values = np.linspace(0, 1, size).tolist()
    return list(product(values, values))


def shared(heads: Sequence[str], size: int, *, origin: bool) -> list[Control]:
    """All heads with the same k, over a grid.

    Args:
        heads: of the net.
        size: values per component.
        origin: whether to include k = 0.
    """
    return [Control(ALL, dict.fromkeys(heads, pair)) for pair in grid(size) if origin or pair != (0, 0)]


def alone(heads: Sequence[str], size: int, *, origin: bool) -> list[Control]:
    """Each head on its own, over a grid; nothing for a net of one head."""
    if len(heads) == 1:
        return []
    return [Control(head, {head: pair}) for head in heads for pair in grid(size) if origin or pair != (0, 0)]


def corners(heads: Sequence[str]) -> list[Control]:
    """Heads at different corners of [0, 1]²: all combinations for two heads, those of (0, 0) and (1, 1) for more.

    Example:
        >>> len(corners(["colour", "spatial"])), len(corners(["colour", "convolution", "spatial"]))
        (12, 6)
    """
    ends = grid(2) if len(heads) <= 2 else [(0.0, 0.0), (1.0, 1.0)]
    mixed = [pairs for pairs in product(ends, repeat=len(heads)) if len(set(pairs)) > 1]
    return [Control(CORNERS, dict(zip(heads, pairs, strict=True))) for pairs in mixed]
