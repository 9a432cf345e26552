"""Tolerance curves: accuracy, agreement and softmax against magnitude, per class and overall."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from invariscope.statistics.proportions import wilson
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.resample import REPLICATES, interval, resampled_means


def curves(sweep: Sweep, *, replicates: int = REPLICATES, seed: int = 0) -> pd.DataFrame:
    """Qualities against magnitude with 95 % intervals, one row per magnitude and class, "all" first.

    Accuracy: the share of images that are classified correctly. Agreement: the share whose prediction is the clean
    one, or, without class scores, the mean cosine with the clean output. Softmax: the mean softmax of the true class.
    Shares have Wilson intervals, means have percentile intervals of a bootstrap over images (NaN below two images).
    Without labels a class is that of the clean prediction, and accuracy and softmax are NaN.

    Args:
        sweep: the outputs along one transformation.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        Columns `transformation, magnitude, unit_of_measure, class, n`, and `accuracy`, `agreement`, `softmax_true`,
        each with `_low` and `_high`.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[2.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
        >>> sweep = Sweep("rotation", (0.0, 90.0), 0.0, "degrees", logits, torch.tensor([0, 1]), ("cat", "dog"))
        >>> table = curves(sweep)
        >>> table["class"].tolist(), table.accuracy.tolist()
        (['all', 'cat', 'dog', 'all', 'cat', 'dog'], [1.0, 1.0, 1.0, 0.5, 0.0, 1.0])

    Source: Bunne et al., section IV-A, figures 2 and 3.
    """
    rows, n_magnitudes = sweep.groups.rows, len(sweep.magnitudes)
    table: dict[str, object] = {
        "transformation": sweep.name,
        "magnitude": np.repeat(np.array(sweep.magnitudes, dtype=np.float64), len(rows)),
        "unit_of_measure": sweep.unit_of_measure,
        "class": np.tile(np.array(rows, dtype=object), n_magnitudes),
        "n": np.tile(sweep.groups.counts, n_magnitudes),
    }
    qualities = {"accuracy": sweep.correct, "agreement": sweep.agreement, "softmax_true": sweep.softmax_true}
    for name, quality in qualities.items():
        share = name == "accuracy" or (name == "agreement" and sweep.scores)
        mean, low, high = _unknown(sweep) if quality is None else _estimate(sweep, quality, share, replicates, seed)
        if name == "agreement":
            # The clean outputs agree with themselves by definition, not by observation.
            low[:, sweep.clean] = high[:, sweep.clean] = mean[:, sweep.clean]
        table |= {name: mean.T.ravel(), f"{name}_low": low.T.ravel(), f"{name}_high": high.T.ravel()}
    return pd.DataFrame(table)


_Estimate = tuple[Float[ndarray, "row magnitude"], Float[ndarray, "row magnitude"], Float[ndarray, "row magnitude"]]


def _unknown(sweep: Sweep) -> _Estimate:
    shape = (len(sweep.groups.rows), len(sweep.magnitudes))
    return np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)


def _estimate(
    sweep: Sweep, quality: Float[ndarray, "magnitude image"], share: bool, replicates: int, seed: int
) -> _Estimate:
    mean, low, high = _unknown(sweep)
    mean[:] = sweep.groups.means(quality.T)
    if share:
        counts = sweep.groups.counts[:, None]
        low, high = wilson(np.rint(mean * counts), np.broadcast_to(counts, mean.shape))
        return mean, low, high
    for block, means in resampled_means(quality.T, sweep.groups, replicates=replicates, seed=seed):
        low[block], high[block] = interval(means)
    return mean, low, high
