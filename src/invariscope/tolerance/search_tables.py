"""The tables of a search: a threshold per image, the median image of every class, and the mean of every class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray

from invariscope.statistics.interval_censored import quantile
from invariscope.tolerance.crossing import reentries
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.search_images import Reading, read
from invariscope.tolerance.search_memo import Memo
from invariscope.tolerance.search_quality import quality
from invariscope.tolerance.thresholds import Way, table_of


def image_rows(
    memo: Memo,
    groups: Groups,
    names: Sequence[str],
    right: Sequence[bool] | None,
    criteria: Sequence[str],
    levels: Sequence[float],
) -> pd.DataFrame:
    """A row per image, criterion and level of one side.

    Args:
        memo: with the first falls decided.
        groups: of the images.
        names: of the images.
        right: which images are classified correctly when clean; None without labels.
        criteria: of the table.
        levels: of the softmax.

    Returns:
        The columns of `Found.images`.
    """
    flip, every = read(memo, "flip"), np.ones(memo.n_images, dtype=bool)
    parts = []
    if "first-flip" in criteria:
        parts.append(_image_rows(memo, "first-flip", float("nan"), flip, every))
    if "accuracy" in criteria:
        # An image that is classified correctly when clean is wrong where its prediction has changed.
        parts.append(_image_rows(memo, "accuracy", float("nan"), flip, np.array(right, dtype=bool)))
    if "softmax" in criteria:
        parts += [_image_rows(memo, "softmax", level, read(memo, level), every) for level in levels]
    outward = memo.outward
    frame = pd.concat(parts, ignore_index=True)
    index = frame["image"].to_numpy()
    classes = np.array(groups.rows[1:], dtype=object)[groups.of_image]
    frame.insert(1, "name", np.array(list(names), dtype=object)[index])
    frame.insert(2, "class", classes[index])
    frame.insert(3, "transformation", outward.family.name)
    frame["side"] = outward.sign
    frame["asked"] = memo.known.sum(axis=1)[index] - 1
    frame["unit_of_measure"] = outward.family.unit_of_measure
    return frame[IMAGE_COLUMNS]


IMAGE_COLUMNS = [
    *("image", "name", "class", "transformation", "criterion", "level", "side", "threshold"),
    *("bracket_low", "bracket_high", "censored", "reentries", "asked", "unit_of_measure"),
]


def _image_rows(memo: Memo, criterion: str, level: float, reading: Reading, defined: ndarray) -> pd.DataFrame:
    magnitudes, first = memo.outward.magnitudes, reading.first(memo.known)
    last = memo.n_steps - 1
    fallen = defined & (first <= last)
    far = np.minimum(first, last)
    near = np.where(first <= last, far - 1, last)
    part = _part(memo, level, near, far) if criterion == "softmax" else 0.5
    inner = np.where(defined, magnitudes[near], np.nan)
    outer = np.where(fallen, magnitudes[far], np.nan)
    ascending = memo.outward.sign == "+"
    return pd.DataFrame(
        {
            "image": np.arange(memo.n_images),
            "criterion": criterion,
            "level": level,
            "threshold": inner + part * (outer - inner),
            "bracket_low": inner if ascending else outer,
            "bracket_high": outer if ascending else inner,
            "censored": defined & (first > last),
            "reentries": np.where(defined, _reentries(memo, reading), 0),
        }
    )


def _part(
    memo: Memo, level: float, near: Int[ndarray, " image"], far: Int[ndarray, " image"]
) -> Float[ndarray, " image"]:
    """How far through its bracket a softmax reaches its level, linearly interpolated; 0 to 1."""
    images = np.arange(memo.n_images)
    high, low = memo.softmax[images, near], memo.softmax[images, far]
    fall = np.where(high > low, high - low, 1.0)
    part: ndarray = np.clip((high - level * memo.softmax[:, 0]) / fall, 0.0, 1.0)
    return part


def _reentries(memo: Memo, reading: Reading) -> Int[ndarray, " image"]:
    """How often each image's quality is seen to rise to the level again, on the way from answer to answer."""
    images, steps = np.nonzero(memo.known)
    low = reading.low[images, steps]
    rises = (images[1:] == images[:-1]) & low[:-1] & ~low[1:]
    return np.bincount(images[1:][rises], minlength=memo.n_images)


def group_rows(
    memo: Memo,
    groups: Groups,
    labels: Int[ndarray, " image"],
    criteria: Sequence[str],
    levels: Sequence[float],
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """The rows of thresholds.parquet for one side.

    Thresholds are exact; the bootstrap takes what was not asked as it is interpolated. `reentries` counts rises between
    the steps at which all images of a row were asked.

    Args:
        memo: with every criterion decided.
        groups: the rows.
        labels: of every image, as an output; shape (image,).
        criteria: of the table.
        levels: shares of the clean value.
        replicates: of the bootstrap over images.
        seed: of its draws.
    """
    parts, magnitudes = [], memo.outward.magnitudes
    for criterion in criteria:
        values = _survival(memo) if criterion == "first-flip" else quality(memo, criterion, labels).value
        way = Way(criterion, memo.outward.sign, slice(0, memo.n_steps), magnitudes)
        table = table_of(memo.outward.family.name, groups, values, [way], levels, replicates=replicates, seed=seed)
        if criterion != "first-flip":
            table["reentries"] = _seen_reentries(memo, groups, values, levels)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def _survival(memo: Memo) -> Float[ndarray, "image step"]:
    first = read(memo, "flip").first(memo.known)
    survival: ndarray = (np.arange(memo.n_steps) < first[:, None]).astype(np.float64)
    return survival


def _seen_reentries(
    memo: Memo, groups: Groups, values: Float[ndarray, "image step"], levels: Sequence[float]
) -> Int[ndarray, " any"]:
    """Row by row and level by level, as the table has them."""
    means = groups.means(values)
    whole = groups.means(memo.known.astype(np.float64)) == 1
    found = [
        [int(reentries(means[row : row + 1, whole[row]], level)[0]) for level in levels] for row in range(len(means))
    ]
    return np.array(found).ravel()


def median_rows(images: pd.DataFrame, groups: Groups, identity: float, seed: int, replicates: int) -> pd.DataFrame:
    """The median image of every class, for every criterion, level and side of a table of images.

    Args:
        images: rows of one transformation.
        groups: whose rows get a median each, "all" first.
        identity: the magnitude that changes nothing.
        seed: of the bootstrap over images.
        replicates: of it.

    Returns:
        Columns `transformation, class, criterion, level, side, identity, median, low, high, censored, n, n_censored,
        unit_of_measure`.
    """
    rows = []
    for (criterion, level, side), some in images.groupby(["criterion", "level", "side"], sort=False, dropna=False):
        ordered = some.sort_values("image")
        inner, outer = ("bracket_low", "bracket_high") if side == "+" else ("bracket_high", "bracket_low")
        near, far = (np.abs(ordered[column].to_numpy() - identity) for column in (inner, outer))
        known, censored = ~np.isnan(near), ordered["censored"].to_numpy()
        for name, members in zip(groups.rows, groups.members, strict=True):
            own = members[known[members]]
            beyond = np.where(np.isnan(far[own]), np.inf, far[own])
            found = quantile(near[own], beyond, replicates=replicates, seed=seed)
            sign = 1.0 if side == "+" else -1.0
            median, *ends = (identity + sign * value if np.isfinite(value) else np.nan for value in found)
            low, high = ends if side == "+" else ends[::-1]
            rows.append(
                {
                    "transformation": some["transformation"].iloc[0],
                    "class": name,
                    "criterion": criterion,
                    "level": level,
                    "side": side,
                    "identity": identity,
                    "median": median,
                    "low": low,
                    "high": high,
                    "censored": bool(np.isinf(found[0])),
                    "n": len(own),
                    "n_censored": int(censored[own].sum()),
                    "unit_of_measure": some["unit_of_measure"].iloc[0],
                }
            )
    return pd.DataFrame(rows)
