"""Where predictions flip, beside where the first step says they would."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from invariscope.studies.base import Row
from invariscope.studies.given import Given
from invariscope.studies.tidy import found
from invariscope.studies.tolerance_ranks import rank_correlation
from invariscope.tolerance.search import find_thresholds
from invariscope.transformations.base import Transformation

PREDICTORS: Mapping[str, str] = {
    "margin": "margin alone",
    "length": "margin over the change of all logits",
    "estimate": "margin over its own change",
    "nearest": "where straight lines meet",
}
"""Columns that should rank images as their flips do."""


def flips_of(given: Given, images: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Every image's nearest flip on either side beside its first-order estimates.

    Args:
        given: the network and the images.
        images: of `Sensitivity`.
        steps: of the search, to either side.

    Returns:
        A row per transformation and image: `margin`, `length`, `estimate`, `nearest` (of `above` and `below`),
        `threshold` (the distance from the identity at which the prediction first changes; infinite where it does not on
        the grid), `end` of the search, and shares of it for drawing: `estimated`, `flipped`.
    """
    names = list(dict.fromkeys(images["transformation"]))
    families = {name: given.transformation(name) for name in names}
    size = (given.images.height, given.images.width)
    ends = {name: _end(family, *size) for name, family in families.items()}
    seen = find_thresholds(
        given.network,
        given.images,
        list(families.values()),
        resolution={name: end / steps for name, end in ends.items()},
        within={name: _within(families[name], end, *size) for name, end in ends.items()},
        criteria=["first-flip"],
        seed=given.seed,
        replicates=2,
    ).images
    frames = []
    for name, own in images.groupby("transformation", sort=False):
        away = seen[seen["transformation"] == name]
        away = away.assign(distance=_distance(away, families[str(name)]))
        nearest = away.groupby("image", sort=False)["distance"].min()
        threshold = nearest.reindex(range(len(own))).to_numpy()
        with np.errstate(divide="ignore"):
            length = own["margin"].to_numpy() / own["output_change"].to_numpy()
        line = np.fmin(own["above"].to_numpy(), own["below"].to_numpy())
        end = ends[str(name)]
        frames.append(
            own.assign(
                nearest=line,
                length=length,
                threshold=threshold,
                end=end,
                estimated=np.minimum(line / end, 1.0),
                flipped=np.where(np.isfinite(threshold), threshold / end, np.nan),
            )
        )
    return pd.concat(frames, ignore_index=True)


def flip_rows(flips: pd.DataFrame, seed: int) -> list[Row]:
    """How well each predictor ranks the images of a network.

    Args:
        flips: of `flips_of`.
        seed: of the bootstrap over images.
    """
    rows = []
    for name, own in flips.groupby("transformation", sort=False):
        threshold = own["threshold"].to_numpy(dtype=np.float64)
        for column in PREDICTORS:
            value, low, high = rank_correlation(own[column].to_numpy(dtype=np.float64), threshold, seed=seed)
            rows.append(
                found(
                    f"rank correlation of flips with {column}",
                    *(value, low, high),
                    n=len(own),
                    unit_of_measure="r",
                    transformation=name,
                    predictor=PREDICTORS[column],
                    layer=None,
                    depth=float("nan"),
                )
            )
    return rows


def _end(family: Transformation, height: int, width: int) -> float:
    """How far the default grid goes on the side where it ends first."""
    grid = family.default_grid(height, width)
    sides = [max(grid) - family.identity, family.identity - min(grid)]
    return min(side for side in sides if side > 0)


def _within(family: Transformation, end: float, height: int, width: int) -> tuple[float, float]:
    low, high = family.limits(height, width)
    return max(low, family.identity - end), min(high, family.identity + end)


def _distance(rows: pd.DataFrame, family: Transformation) -> Float[ndarray, " row"]:
    away = np.abs(rows["threshold"].to_numpy(dtype=np.float64) - family.identity)
    return np.where(rows["censored"].to_numpy(dtype=bool), np.inf, away)
