"""Critical magnitudes: where a quality first falls below a share of its clean value, on each side of the identity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from invariscope.core.errors import SettingError
from invariscope.tolerance.crossing import bracket, first_fall, reentries
from invariscope.tolerance.empty import empty
from invariscope.tolerance.outputs import Groups, Sweep
from invariscope.tolerance.resample import REPLICATES, interval, resampled_means

LEVELS = (0.9, 0.5)


@dataclass(frozen=True, eq=False)
class Way:
    """One criterion on one side: its columns in the table of qualities, and the way outward.

    Attributes:
        criterion: "accuracy", "agreement", "softmax" or "first-flip".
        sign: "+" for magnitudes above the identity, "-" for those below.
        columns: of the table of qualities.
        magnitudes: from the identity outward; shape (step,).
    """

    criterion: str
    sign: str
    columns: slice
    magnitudes: Float[ndarray, " step"]

    @property
    def distance(self) -> Float[ndarray, " step"]:
        """Of each step from the identity."""
        distance: ndarray = np.abs(self.magnitudes - self.magnitudes[0])
        return distance


def thresholds(
    sweep: Sweep, levels: Sequence[float] = LEVELS, *, replicates: int = REPLICATES, seed: int = 0
) -> pd.DataFrame:
    """The critical magnitudes of every class, criterion, level and side, "all" first, with 95 % intervals.

    Criteria: `accuracy`; `agreement` with the clean prediction (without class scores: the mean cosine with the clean
    output); `softmax`, the mean softmax of the true class; `first-flip`, the share of images whose prediction has not
    changed at any magnitude on the way (at level 0.5: the median image's). Criteria that need labels or scores have no
    rows without them, and a side without magnitudes has none.

    Magnitudes are signed, and `low ≤ threshold ≤ high` as numbers, also on the side below the identity. `bracket_low`
    and `bracket_high` are the neighbours on the grid. `censored`: the quality never falls below the level on the grid;
    then `threshold` is NaN and the bracket is open (its outer end NaN); an end of the interval that lies beyond
    the grid is NaN too. A threshold that is NaN and not censored is undefined: the clean value is 0.
    `reentries` counts how often the quality rises to the level again further out.

    Args:
        sweep: the outputs along one transformation.
        levels: shares of the clean value, above 0, at most 1.
        replicates: of the bootstrap over images.
        seed: of the bootstrap.

    Returns:
        Columns `transformation, class, criterion, level, side, threshold, low, high, bracket_low, bracket_high,
        censored, reentries, n`.

    Raises:
        SettingError: a level is not a share.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[1.0, 0.0]] * 4, [[1.0, 0.0]] * 3 + [[0.0, 1.0]], [[0.0, 1.0]] * 4])
        >>> table = thresholds(Sweep("rotation", (0.0, 10.0, 20.0), 0.0, "degrees", logits), levels=[0.5])
        >>> found = table.query("`class` == 'all' and criterion == 'agreement'")
        >>> round(float(found.threshold.item()), 3)
        13.333

    Source: Bunne et al., sections IV-A and VI.
    """
    check_levels(levels)
    values, ways = _ways(sweep)
    return table_of(sweep.name, sweep.groups, values, ways, levels, replicates=replicates, seed=seed)


def check_levels(levels: Sequence[float]) -> None:
    """Raise unless all levels are shares.

    Args:
        levels: of the clean value.

    Raises:
        SettingError: one is not above 0 and at most 1, or there is none.
    """
    if not len(levels):
        raise SettingError("at least one level is needed, as in 0.9.")
    for level in levels:
        if not 0 < level <= 1:
            raise SettingError(f"a level is a share of the clean value, above 0 and at most 1; got {level:g}.")


def table_of(
    name: str,
    groups: Groups,
    values: Float[ndarray, "image column"],
    ways: Sequence[Way],
    levels: Sequence[float],
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """The table of `thresholds`, from qualities wherever they come from.

    Args:
        name: of the transformation.
        groups: which images make up a row.
        values: the qualities of every way side by side; shape (image, column).
        ways: the criteria and sides, and where each lies among the columns.
        levels: shares of the clean value.
        replicates: of the bootstrap over images.
        seed: of the bootstrap.

    Returns:
        The columns of `thresholds`.
    """
    if not ways:
        return empty(_COLUMNS)
    means = groups.means(values)
    ends = np.full((2, len(means), len(ways), len(levels)), np.nan)
    for block, drawn in resampled_means(values, groups, replicates=replicates, seed=seed):
        falls = [
            [first_fall(drawn[..., way.columns], way.distance, level) for level in levels] for way in ways
        ]  # way, level, block, replicate
        stacked = np.moveaxis(np.array(falls).reshape(len(ways) * len(levels), *drawn.shape[:2]), 0, -1)
        for end, found in enumerate(interval(stacked)):
            ends[end, block] = found.reshape(len(block), len(ways), len(levels))
    parts = [
        _rows(name, groups, way, level, means[:, way.columns], ends[:, :, w, k])
        for w, way in enumerate(ways)
        for k, level in enumerate(levels)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values("_row", kind="stable", ignore_index=True)[_COLUMNS]


_COLUMNS = [
    "transformation",
    "class",
    "criterion",
    "level",
    "side",
    "threshold",
    "low",
    "high",
    "bracket_low",
    "bracket_high",
    "censored",
    "reentries",
    "n",
]


def _ways(sweep: Sweep) -> tuple[Float[ndarray, "image column"], list[Way]]:
    """Every criterion's qualities side by side, and where each criterion and side lies among them."""
    columns: list[Float[ndarray, "step image"]] = []
    ways: list[Way] = []
    start = 0
    qualities = {"accuracy": sweep.correct, "agreement": sweep.agreement, "softmax": sweep.softmax_true}
    for sign in "+-":
        places = sweep.side(sign)
        if len(places) == 1:
            continue
        here = {name: quality[places] for name, quality in qualities.items() if quality is not None}
        if sweep.scores:
            here["first-flip"] = sweep.survival[sign]
        magnitudes = np.array([sweep.magnitudes[place] for place in places])
        for name, quality in here.items():
            ways.append(Way(name, sign, slice(start, start + len(places)), magnitudes))
            columns.append(quality)
            start += len(places)
    order = ["accuracy", "agreement", "softmax", "first-flip"]
    ways.sort(key=lambda way: order.index(way.criterion))
    return (np.concatenate(columns).T if columns else np.empty((sweep.n_images, 0))), ways


def _rows(
    name: str,
    groups: Groups,
    way: Way,
    level: float,
    quality: Float[ndarray, "row step"],
    ends: Float[ndarray, "2 row"],
) -> pd.DataFrame:
    outward = 1.0 if way.sign == "+" else -1.0
    fall = first_fall(quality, way.distance, level)
    first = bracket(quality, level)
    defined = quality[:, 0] > 0
    last = len(way.magnitudes) - 1
    near = np.where(defined, way.magnitudes[np.minimum(first, last + 1) - 1], np.nan)
    far = np.where(defined & (first <= last), way.magnitudes[np.minimum(first, last)], np.nan)
    # Ends are distances; on the side below the identity the further one is the smaller number.
    inner, outer = (way.magnitudes[0] + outward * _finite(end) for end in ends)
    ascending = way.sign == "+"
    return pd.DataFrame(
        {
            "_row": np.arange(len(quality)),
            "transformation": name,
            "class": np.array(groups.rows, dtype=object),
            "criterion": way.criterion,
            "level": float(level),
            "side": way.sign,
            "threshold": way.magnitudes[0] + outward * _finite(fall),
            "low": inner if ascending else outer,
            "high": outer if ascending else inner,
            "bracket_low": near if ascending else far,
            "bracket_high": far if ascending else near,
            "censored": np.isinf(fall),
            "reentries": reentries(quality, level),
            "n": groups.counts,
        }
    )


def _finite(distance: Float[ndarray, " row"]) -> Float[ndarray, " row"]:
    return np.where(np.isfinite(distance), distance, np.nan)
