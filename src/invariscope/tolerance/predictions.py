"""What the network predicts under each magnitude: a class on which its errors collapse only looks invariant."""

import numpy as np
import pandas as pd

from invariscope.tolerance.empty import empty
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.softmax import output_names

_COLUMNS = ["transformation", "magnitude", "class", "predicted", "n"]


def predictions(sweep: Sweep) -> pd.DataFrame:
    """How many images of each class are predicted as which class, per magnitude.

    Args:
        sweep: the outputs along one transformation.

    Returns:
        Columns `transformation, magnitude, class, predicted, n`, "all" first; predictions that no image of the row
        has are left out. Empty without class scores.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
        >>> table = predictions(Sweep("hue", (0.0, 180.0), 0.0, "degrees", logits, classes=("cat", "dog")))
        >>> every = table[table["class"] == "all"]
        >>> list(zip(every.magnitude, every.predicted, every.n, strict=True))
        [(0.0, 'cat', 1), (0.0, 'dog', 1), (180.0, 'dog', 2)]

    Source: Bunne et al., section IV-A, figure 2a.
    """
    if not sweep.scores:
        return empty(_COLUMNS)
    n_rows, n_outputs = len(sweep.groups.rows), sweep.outputs.shape[-1]
    counts = np.zeros((len(sweep.magnitudes), n_rows, n_outputs), dtype=np.int64)
    magnitude = np.arange(len(sweep.magnitudes))[:, None]
    np.add.at(counts, (magnitude, sweep.groups.of_image + 1, sweep.predicted), 1)
    counts[:, 0] = counts[:, 1:].sum(axis=1)
    magnitude, row, output = np.nonzero(counts)
    return pd.DataFrame(
        {
            "transformation": sweep.name,
            "magnitude": np.array(sweep.magnitudes, dtype=np.float64)[magnitude],
            "class": np.array(sweep.groups.rows, dtype=object)[row],
            "predicted": np.array(output_names(sweep), dtype=object)[output],
            "n": counts[magnitude, row, output],
        }
    )
