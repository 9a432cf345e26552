"""Thresholds of two runs in bootstrap draws of the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from invariscope.tolerance.crossing import first_fall
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.resample import interval, resampled_means

# Draws made at once; only what looks moved after the first ones is drawn more often.
CHUNK, PROMISING = 4000, 0.02
_BLOCK = 8_000_000
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Way:
    """One criterion on one side in both runs.

    Args:
        criterion: "accuracy", "agreement", "softmax" or "first-flip".
        side: "+" or "-".
        grid: "same", "shared" (magnitudes of both) or "own" (each run's, for they share too few).
        a: the reference's columns among the qualities.
        b: the other's.
        steps_a: distances of the reference's magnitudes from the identity, ascending from 0.
        steps_b: distances of the other's.
    """

    criterion: str
    side: str
    grid: str
    a: slice
    b: slice
    steps_a: Float[ndarray, " step"]
    steps_b: Float[ndarray, " other"]

    def falls(self, means: Float[ndarray, "*row column"], level: float) -> tuple[ndarray, ndarray]:
        """Both runs' thresholds as distances: infinite beyond the grid, NaN where the clean value is 0."""
        return first_fall(means[..., self.a], self.steps_a, level), first_fall(means[..., self.b], self.steps_b, level)


Case = tuple[Way, float]


def judge(
    values: Float[ndarray, "image column"],
    groups: Groups,
    cases: Sequence[Case],
    rows: Sequence[int],
    found: Float[ndarray, "3 row case"],
    *,
    replicates: int,
    seed: int,
) -> None:
    """Low, high and p of every case in some rows, written where they belong.

    Args:
        values: qualities of the images in both runs; shape (image, column).
        groups: which images make up a row.
        cases: ways and levels.
        rows: those to judge.
        found: takes low, high and p; shape (3, row, case).
        replicates: how often images are drawn.
        seed: of the draws.
    """
    step = max(1, _BLOCK // (min(replicates, CHUNK) * max(len(cases), 1)))
    for start in range(0, len(rows), step):
        block = list(rows[start : start + step])
        first = _draw(values, groups, cases, block, 0, replicates, seed)
        for row, drawn in first.items():
            found[:, row] = _judged(drawn, cases)
            again = [case for case in range(len(cases)) if found[2, row, case] <= PROMISING]
            if replicates <= CHUNK or not again:
                continue
            chosen = [cases[case] for case in again]
            parts = [drawn[..., again]]
            for chunk in range(1, -(-replicates // CHUNK)):
                parts.append(_draw(values, groups, chosen, [row], chunk, replicates, seed)[row])
            found[:, row, again] = _judged(np.concatenate(parts, axis=1), chosen)


def _draw(
    values: Float[ndarray, "image column"],
    groups: Groups,
    cases: Sequence[Case],
    rows: list[int],
    chunk: int,
    replicates: int,
    seed: int,
) -> dict[int, Float[ndarray, "2 replicate case"]]:
    """Per row, both runs' thresholds in the draws of one chunk, which are the same for all rows of as many images."""
    state = int(np.random.SeedSequence((seed, chunk)).generate_state(1)[0])
    size = min(CHUNK, replicates - chunk * CHUNK)
    kept: dict[int, ndarray] = {}
    for block, means in resampled_means(values, groups, replicates=size, seed=state, only=rows):
        falls = np.stack([np.stack(way.falls(means, level)) for way, level in cases], axis=-1)
        kept |= {row: falls[:, place] for place, row in enumerate(block.tolist())}
    return kept


def bounds_of(a: Float[ndarray, " row"], b: Float[ndarray, " row"], way: Way) -> Float[ndarray, "2 row"]:
    """Between what a difference lies: twice itself where both thresholds are on the grid.

    Args:
        a: the reference's thresholds as distances; infinite beyond the grid, NaN where there is none.
        b: the other's.
        way: which says where the grids end.
    """
    end_a, end_b = way.steps_a[-1], way.steps_b[-1]
    open_a, open_b = np.isinf(a), np.isinf(b)
    apart = np.where(open_b, end_b, b) - np.where(open_a, end_a, a)
    apart = np.where(np.abs(apart) <= _SAME * max(end_a, end_b), 0.0, apart)
    unknown = np.isnan(a) | np.isnan(b)
    return np.stack([np.where(open_a | unknown, -np.inf, apart), np.where(open_b | unknown, np.inf, apart)])


def finite(values: Float[ndarray, "*row"]) -> Float[ndarray, "*row"]:
    """Numbers with NaN for what is infinite.

    Args:
        values: any shape.
    """
    return np.where(np.isfinite(values), values, np.nan)


def _judged(drawn: Float[ndarray, "2 replicate case"], cases: Sequence[Case]) -> Float[ndarray, "3 case"]:
    """Low, high and p of every case."""
    bounds = np.stack(
        [bounds_of(drawn[0, :, case], drawn[1, :, case], way) for case, (way, _) in enumerate(cases)], axis=-1
    )
    low, high = (interval(bound[None])[end][0] for end, bound in enumerate(bounds))
    rarer = np.minimum((bounds[0] <= 0).sum(axis=0), (bounds[1] >= 0).sum(axis=0))
    p = np.minimum(1.0, 2 * (1 + rarer) / (1 + drawn.shape[1]))
    return np.stack([finite(low), finite(high), p])
