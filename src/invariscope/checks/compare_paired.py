"""How far thresholds moved from one run to another, image by image: both saw the same ones."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from invariscope.checks.compare_draws import Way, bounds_of, finite, judge
from invariscope.checks.compare_images import Pair
from invariscope.tolerance.thresholds import LEVELS

FEWEST = 10


def paired_rows(both: Pair, *, replicates: tuple[int, int], seed: int) -> pd.DataFrame:
    """Thresholds of the same images in two runs, and the difference of each pair with its interval and p-value.

    d = |t_b − identity| − |t_a − identity|, so that less tolerance is negative. Images are drawn with replacement, the
    same ones for both runs; the interval holds 95 % of the differences, and
    p = 2 · (1 + the smaller of how many differences are ≥ 0 and how many are ≤ 0) / (1 + replicates).
    A threshold beyond the grid leaves a difference that is only bounded: such a difference counts on every side that
    its bounds allow.

    Args:
        both: the images' answers.
        replicates: for all images together, and for each class.
        seed: of the draws.

    Returns:
        One row per class, criterion, level and side; magnitudes as distances from the identity.
    """
    values, ways = _ways(both)
    groups = both.groups
    means = groups.means(values)
    cases = [(way, level) for way in ways for level in LEVELS]
    points = [way.falls(means, level) for way, level in cases]
    found = np.full((3, len(means), len(cases)), np.nan)
    for family, times in zip(([0], range(1, len(means))), replicates, strict=True):
        judge(values, groups, cases, list(family), found, replicates=times, seed=seed)
    rows = []
    for case, (way, level) in enumerate(cases):
        a, b = points[case]
        bounds = bounds_of(a, b, way)
        difference = np.where(np.isfinite(a) & np.isfinite(b), bounds[0], np.nan)
        tested = (groups.counts >= FEWEST) & ~(np.isinf(a) & np.isinf(b)) & ~np.isnan(a) & ~np.isnan(b)
        rows.append(
            pd.DataFrame(
                {
                    "class": np.array(groups.rows, dtype=object),
                    **{"criterion": way.criterion, "level": level, "side": way.side},
                    "a": finite(a),
                    "b": finite(b),
                    "difference": difference,
                    "low": found[0, :, case],
                    "high": found[1, :, case],
                    "p": np.where(tested, found[2, :, case], np.nan),
                    "at_least": finite(bounds[0]),
                    "at_most": finite(bounds[1]),
                    "a_beyond": np.where(np.isinf(a), way.steps_a[-1], np.nan),
                    "b_beyond": np.where(np.isinf(b), way.steps_b[-1], np.nan),
                    "n": groups.counts,
                    "basis": "paired",
                    "grid": way.grid,
                }
            )
        )
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _ways(both: Pair) -> tuple[Float[ndarray, "image column"], list[Way]]:
    columns: list[ndarray] = []
    ways: list[Way] = []
    start = 0
    for side in "+-":
        steps_a, steps_b, grid = _steps(both, side)
        if len(steps_a) < 2 or len(steps_b) < 2:
            continue
        qualities = both.a.qualities(steps_a), both.b.qualities(steps_b)
        apart = [
            np.abs(one.magnitudes[steps] - one.magnitudes[one.clean])
            for one, steps in ((both.a, steps_a), (both.b, steps_b))
        ]
        for criterion in (name for name in qualities[0] if name in qualities[1]):
            places = slice(start, start + len(steps_a)), slice(start + len(steps_a), start + len(steps_a + steps_b))
            columns += [quality[criterion] for quality in qualities]
            ways.append(Way(criterion, side, grid, *places, *apart))
            start = places[1].stop
    return (np.concatenate(columns).T if columns else np.empty((len(both.a.images), 0))), ways


def _steps(both: Pair, side: str) -> tuple[list[int], list[int], str]:
    """Places of the magnitudes on one side, from the identity outward: those of both grids, if they are enough."""
    outward = 1 if side == "+" else -1
    own = [[place for place in range(len(one.magnitudes))[one.clean :: outward]] for one in (both.a, both.b)]
    values = [
        [float(one.magnitudes[place]) for place in places] for one, places in zip((both.a, both.b), own, strict=True)
    ]
    if values[0] == values[1]:
        return own[0], own[1], "same"
    common = set(values[0]) & set(values[1])
    if len(common) - 1 < max(1, (min(map(len, values)) - 1) / 2):
        return own[0], own[1], "own"
    shared = [
        [place for place, value in zip(places, known, strict=True) if value in common]
        for places, known in zip(own, values, strict=True)
    ]
    return shared[0], shared[1], "shared"
