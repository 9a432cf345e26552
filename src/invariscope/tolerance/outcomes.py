"""What the network said of every single image: with it, runs on the same images are compared image by image."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int
from numpy import ndarray

from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.softmax import output_names

# About 100 MB on disk: 50,000 images under 31 transformations at 12 magnitudes each.
MOST_OUTCOMES = 20_000_000


def outcomes(sweep: Sweep, images: Int[ndarray, " image"]) -> pd.DataFrame:
    """One row per magnitude and image: the predicted class, whether it is right, the softmax of the true class.

    Text stands as categories, so that a row takes 6 bytes on disk and 15 in memory.

    Args:
        sweep: the outputs along one transformation; class scores.
        images: the place of each image in its set; shape (image,).

    Returns:
        Columns `image, transformation, magnitude, class, predicted, correct, softmax_true`, by magnitude and then by
        image. Without labels `class` is the clean prediction, `correct` is missing and `softmax_true` is NaN.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[[2.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
        >>> sweep = Sweep("hue", (0.0, 180.0), 0.0, "degrees", logits, torch.tensor([0, 1]), ("cat", "dog"))
        >>> outcomes(sweep, np.array([7, 3]))[["image", "magnitude", "predicted", "correct"]].values.tolist()
        [[3, 0.0, 'dog', True], [7, 0.0, 'cat', True], [3, 180.0, 'dog', True], [7, 180.0, 'dog', False]]
    """
    assert sweep.scores
    assert len(images) == sweep.n_images
    order, steps, groups = np.argsort(images, kind="stable"), len(sweep.magnitudes), sweep.groups
    rows = sweep.n_images * steps
    correct = None if sweep.correct is None else sweep.correct[:, order].ravel().astype(bool)
    softmax = None if sweep.softmax_true is None else sweep.softmax_true[:, order].ravel().astype(np.float32)
    return pd.DataFrame(
        {
            "image": np.tile(images[order].astype(np.int32), steps),
            "transformation": _names(np.zeros(rows, dtype=np.int64), [sweep.name]),
            "magnitude": np.repeat(np.array(sweep.magnitudes, dtype=np.float64), sweep.n_images),
            "class": _names(np.tile(groups.of_image[order], steps), groups.names),
            "predicted": _names(sweep.predicted[:, order].ravel(), output_names(sweep)),
            "correct": pd.array([None] * rows if correct is None else correct, dtype="boolean"),
            "softmax_true": np.full(rows, np.nan, np.float32) if softmax is None else softmax,
        }
    )


def _names(codes: Int[ndarray, " row"], names: Sequence[str]) -> pd.Categorical:
    kind: pd.CategoricalDtype = pd.CategoricalDtype(list(names))
    return pd.Categorical.from_codes(codes, dtype=kind)
