"""Which classes the softmax moves to as the magnitude grows."""

import numpy as np
import pandas as pd

from invariscope.tolerance.empty import empty
from invariscope.tolerance.outputs import Sweep, distinct

TOP = 3
_COLUMNS = ["transformation", "magnitude", "class", "predicted", "softmax"]


def softmax_table(sweep: Sweep, top: int = TOP) -> pd.DataFrame:
    """The mean softmax of the classes that matter to the images of each class, against magnitude.

    A class's mean softmax is taken over the images of a row; the `top` classes are those whose mean softmax is highest
    at any magnitude of the sweep. `others` is the largest mean of the remaining classes, not their sum.

    Args:
        sweep: the outputs along one transformation.
        top: how many classes stand by their names.

    Returns:
        Columns `transformation, magnitude, class, predicted, softmax`; empty without class scores.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[0.0, 0.0]], [[0.0, 100.0]]])
        >>> table = softmax_table(Sweep("zoom", (1.0, 2.0), 1.0, "x", logits, torch.tensor([0]), ("cat", "dog")))
        >>> cats = table[table["class"] == "cat"]
        >>> cats.predicted.tolist(), cats.softmax.round(3).tolist()
        (['dog', 'cat', 'dog', 'cat'], [0.5, 0.5, 1.0, 0.0])

    Source: Bunne et al., section IV-A, figures 2 and 3.
    """
    if not sweep.scores:
        return empty(_COLUMNS)
    places = range(len(sweep.magnitudes))
    means = np.stack([sweep.groups.means(sweep.softmax(place).cpu().numpy()) for place in places])
    n_magnitudes, n_rows, n_outputs = means.shape
    top = min(top, n_outputs)
    peak = means.max(axis=0)
    chosen = np.argsort(-peak, axis=1, kind="stable")[:, :top]
    shown = np.take_along_axis(means, np.broadcast_to(chosen, (n_magnitudes, n_rows, top)), axis=2)
    names = np.array(output_names(sweep), dtype=object)[chosen]
    if n_outputs > top:
        rest = means.copy()
        np.put_along_axis(rest, np.broadcast_to(chosen, shown.shape), -1.0, axis=2)
        shown = np.concatenate([shown, rest.max(axis=2, keepdims=True)], axis=2)
        names = np.concatenate([names, np.full((n_rows, 1), "others", dtype=object)], axis=1)
    per_row = shown.shape[2]
    return pd.DataFrame(
        {
            "transformation": sweep.name,
            "magnitude": np.repeat(np.array(sweep.magnitudes, dtype=np.float64), n_rows * per_row),
            "class": np.tile(np.repeat(np.array(sweep.groups.rows, dtype=object), per_row), n_magnitudes),
            "predicted": np.tile(names.ravel(), n_magnitudes),
            "softmax": shown.ravel().astype(np.float64),
        }
    )


def output_names(sweep: Sweep) -> tuple[str, ...]:
    """A name for every output of the network, all different."""
    known = distinct(sweep.classes or ())
    return tuple(known[place] if place < len(known) else str(place) for place in range(sweep.outputs.shape[-1]))
