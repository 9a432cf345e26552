"""Softmax curves as the paper draws them: the classes that the softmax moves to, with intervals, for chosen classes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from invariscope.studies.tolerance_sweeps import Swept
from invariscope.tolerance.outputs import ALL
from invariscope.tolerance.resample import draws, interval
from invariscope.tolerance.softmax import output_names, softmax_table

OTHERS, TRUE = "others", "their own class"
_NAMED, _NAMED_OF_ALL = 5, 4


def softmax_rows(swept: Swept) -> pd.DataFrame:
    """The mean softmax of the top three predicted classes against magnitude, with intervals over the images of a class.

    Args:
        swept: the network along the transformation.

    Returns:
        The columns of `softmax_table`, then `low`, `high`: ends of the 95 % interval, NaN for `others` (a maximum of
        many means) and for classes of a single image; `n` and `unit_of_measure`.

    Source: Bunne et al., figures 2, 3, 6 and 7.
    """
    sweep = swept.sweep
    table = softmax_table(sweep).assign(low=np.nan, high=np.nan, unit_of_measure=sweep.unit_of_measure)
    place_of = {name: place for place, name in enumerate(output_names(sweep))}
    sizes = dict(zip(sweep.groups.rows, sweep.groups.counts.tolist(), strict=True))
    table["n"] = table["class"].map(sizes)
    members = dict(zip(sweep.groups.rows, sweep.groups.members, strict=True))
    softmax = [sweep.softmax(place).numpy() for place in range(len(sweep.magnitudes))]
    ends = {}
    for name, rows in table[table["predicted"] != OTHERS].groupby("class", sort=False):
        own = members[str(name)]
        if len(own) < 2:
            continue
        columns = [place_of[predicted] for predicted in dict.fromkeys(rows["predicted"])]
        values = np.stack([each[own][:, columns] for each in softmax], axis=1).reshape(len(own), -1)
        drawn = np.concatenate([weights @ values for weights in draws(len(own), swept.replicates, seed=0)])
        for low, high, row in zip(*(end[0] for end in interval(drawn[None])), rows.index, strict=True):
            ends[row] = low, high
    if ends:
        table.loc[list(ends), ["low", "high"]] = np.array(list(ends.values()))
    return table


def shown_rows(softmax: pd.DataFrame, classes: Sequence[str], transformations: Sequence[str]) -> pd.DataFrame:
    """The curves that are drawn: of the first seed, with the same colours for both networks.

    Where the networks' top classes are more than can be told apart, those with the lowest peaks join the others, whose
    line is the maximum of them all.

    Args:
        softmax: of `softmax_rows`, all jobs.
        classes: which classes' images; "all" is one.
        transformations: which.
    """
    own = softmax[softmax["class"].isin(classes) & softmax["transformation"].isin(transformations)]
    own = own[own["seed"] == own["seed"].min()]
    parts = [_merged(part) for _, part in own.groupby(["transformation", "class"], sort=False)]
    return pd.concat(parts, ignore_index=True) if parts else own


def _merged(rows: pd.DataFrame) -> pd.DataFrame:
    truth = rows["class"].iloc[0]
    peaks = rows[rows["predicted"] != OTHERS].groupby("predicted")["softmax"].max().sort_values(ascending=False)
    named = [name for name in peaks.index if name == truth] + [name for name in peaks.index if name != truth]
    # One colour of those for all images is that of their own class.
    kept = named[: _NAMED_OF_ALL if truth == ALL else _NAMED]
    rest = ~rows["predicted"].isin(kept)
    keys = ["network", "magnitude"]
    others = rows[rest].sort_values("softmax", ascending=False).drop_duplicates(keys)
    others = others.assign(predicted=OTHERS, low=np.nan, high=np.nan).sort_values([*keys], kind="stable")
    order = {name: place for place, name in enumerate(kept)}
    both = pd.concat([rows[~rest], others], ignore_index=True)
    both = both.assign(_order=both["predicted"].map(order).fillna(_NAMED))
    both = both.sort_values(["_order", "network", "magnitude"], kind="stable", ignore_index=True)
    result: pd.DataFrame = both.drop(columns="_order")
    return result


def with_truth(shown: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """The curves that are drawn, and for all images together the mean softmax of each image's own class.

    Args:
        shown: of `shown_rows`.
        curves: the tolerance curves of all jobs.
    """
    own = curves[(curves["class"] == ALL) & (curves["seed"] == shown["seed"].min())]
    own = own[own["transformation"].isin(shown["transformation"]) & own["softmax_true"].notna()]
    names = {"softmax_true": "softmax", "softmax_true_low": "low", "softmax_true_high": "high"}
    columns = [name for name in shown.columns if name in own.columns and name not in names.values()]
    truth = own[[*columns, *names]].rename(columns=names).assign(predicted=TRUE)
    both: pd.DataFrame = pd.concat([truth, shown], ignore_index=True)
    return both


def extreme_classes(classes: pd.DataFrame) -> list[str]:
    """The classes with the smallest and the largest tolerance: the mean share of the way at which their softmax halves.

    Args:
        classes: of `class_rows`, all jobs; classes that every network recognises
            come first.

    Example:
        >>> rows = pd.DataFrame({"class": ["a", "b", "c"], "share": [0.5, 0.1, 0.9], "recognised": [True] * 3})
        >>> extreme_classes(rows)
        ['b', 'c']
    """
    if classes.empty:
        return []
    classes = classes[classes["share"].notna()]
    known = classes[classes.groupby("class")["recognised"].transform("all")]
    known = classes if known.empty else known
    mean = known.groupby("class", sort=False)["share"].mean().sort_values(kind="stable")
    return list(dict.fromkeys([*mean.index[:1], *mean.index[-1:]]))


def everything(classes: Sequence[str]) -> list[str]:
    """All images together, then the classes."""
    return [ALL, *classes]
