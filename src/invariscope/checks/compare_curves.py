"""How far accuracy moved from one run to another, at equal magnitudes."""

import numpy as np
import pandas as pd

from invariscope.checks.compare_images import Pair
from invariscope.runs.run import Run
from invariscope.statistics.differences import from_interval, mcnemar, mover, paired_shares

_QUALITIES = ("accuracy", "agreement")


def curve_rows(a: Run, b: Run, name: str, both: Pair | None) -> pd.DataFrame:
    """Accuracy of two runs at every magnitude that both have, and the difference, negative where it got worse.

    With the same images: McNemar's exact test and Newcombe's interval for paired shares. Else both runs' own intervals,
    combined, and the p-value that belongs to them. Without labels, agreement with each network's own clean prediction
    replaces accuracy.

    Args:
        a: the reference.
        b: the other.
        name: of the transformation.
        both: the answers for the same images, or None.

    Returns:
        Columns `magnitude, class, quality, a, b, difference, low, high, p, n, basis`; p is NaN for agreement at the
        identity, which is 1 by definition.
    """
    rows = _unpaired(a, b, name) if both is None else _paired(both)
    identity = float(a.info["transformations"][name]["identity"])
    certain = (rows["quality"] == "agreement") & (rows["magnitude"] == identity)
    rows.loc[certain, ["low", "high", "p"]] = np.nan
    return rows


def _paired(both: Pair) -> pd.DataFrame:
    magnitudes = np.intersect1d(both.a.magnitudes, both.b.magnitudes)
    labelled = both.a.correct is not None and both.b.correct is not None
    judged = []
    for one in (both.a, both.b):
        steps = np.searchsorted(one.magnitudes, magnitudes)
        right = one.correct if labelled else one.predicted == one.predicted[one.clean]
        assert right is not None
        judged.append(right[steps])
    first, second = judged
    n = both.groups.counts[:, None]
    kinds = np.stack([first & second, first & ~second, ~first & second])
    shares = both.groups.means(kinds.reshape(-1, kinds.shape[-1]).T.astype(np.float64))
    counts = np.rint(shares * n).reshape(len(n), 3, len(magnitudes))
    together, lost, won = counts[:, 0], counts[:, 1], counts[:, 2]
    low, high = paired_shares(together, lost, won, np.broadcast_to(n, lost.shape))
    values = {
        "a": (together + lost) / n,
        "b": (together + won) / n,
        "difference": (won - lost) / n,
        "low": low,
        "high": high,
        "p": mcnemar(lost, won),
        "n": np.broadcast_to(n, lost.shape),
    }
    rows = len(both.groups.rows)
    return pd.DataFrame(
        {
            "magnitude": np.repeat(magnitudes, rows),
            "class": np.tile(np.array(both.groups.rows, dtype=object), len(magnitudes)),
            "quality": _QUALITIES[0 if labelled else 1],
            **{column: value.T.ravel() for column, value in values.items()},
            "basis": "paired",
        }
    )


def _unpaired(a: Run, b: Run, name: str) -> pd.DataFrame:
    one, other = (run.curves[run.curves["transformation"] == name] for run in (a, b))
    joined = one.merge(other, on=["magnitude", "class"], suffixes=("_a", "_b"))
    # A run without labels groups its images by what its own network predicts.
    quality = next(
        (each for each in _QUALITIES if joined[[f"{each}_a", f"{each}_b"]].notna().all(axis=None)), "agreement"
    )
    joined = joined if quality == "accuracy" else joined[joined["class"] == "all"]
    ends = [
        [joined[f"{quality}{end}{side}"].to_numpy(np.float64) for end in ("", "_low", "_high")] for side in ("_a", "_b")
    ]
    first, second = ((values[0], values[1], values[2]) for values in ends)
    low, high = mover(first, second)
    difference = second[0] - first[0]
    return pd.DataFrame(
        {
            "magnitude": joined["magnitude"].to_numpy(np.float64),
            "class": joined["class"].to_numpy(dtype=object),
            "quality": quality,
            **{"a": first[0], "b": second[0], "difference": difference, "low": low, "high": high},
            "p": from_interval(difference, low, high),
            "n": joined[["n_a", "n_b"]].min(axis=1).to_numpy(),
            "basis": "unpaired",
        }
    )
