"""Whether a quantity rises or falls with depth, and where invariance is greatest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray

from invariscope.tolerance.infinitesimal_tables import Layer, Measured
from invariscope.tolerance.resample import interval

_LEAST = 3
# Small where a layer is invariant; equivariance is not among them.
_SENSITIVE = ("relative", "selectivity_noise", "selectivity_phase")
TRENDS = (*_SENSITIVE, "equivariance")


def hidden_places(layers: Sequence[Layer]) -> list[int]:
    """The layers that are compared: those of rectifiers; without any, all between the image and the output."""
    rectified = [place for place, layer in enumerate(layers) if layer.kind == "activation"]
    return rectified or list(range(1, len(layers) - 1))


def trend_rows(measured: Measured) -> pd.DataFrame:
    """A row per quantity for one transformation.

    Args:
        measured: its quantities.

    Returns:
        Columns as `Sensitivity.trends` says.
    """
    rows: list[dict[str, Any]] = []
    for name in TRENDS:
        values = measured.values[name]
        places = np.array([place for place in hidden_places(measured.layers) if not np.isnan(values[place])], dtype=int)
        if not len(places):
            continue
        drawn = measured.replicates.get(name)
        low, high, inside = np.nan, np.nan, np.nan
        if drawn is not None and len(places) >= _LEAST:
            ends = interval(rank_with_depth(drawn[:, places])[None, :, None])
            low, high = (float(end[0, 0]) for end in ends)
            inside = _share_inside(drawn[:, places]) if name in _SENSITIVE else np.nan
        least = measured.layers[int(places[values[places].argmin()])].name
        rows.append(
            {
                "transformation": measured.transformation,
                "quantity": name,
                "correlation": float(rank_with_depth(values[None, places])[0]),
                "low": low,
                "high": high,
                "least": least,
                "inside": inside,
                "layers": len(places),
            }
        )
    return pd.DataFrame(rows)


def rank_with_depth(values: Float[ndarray, "row layer"]) -> Float[ndarray, " row"]:
    """Spearman's correlation of values with their places.

    Args:
        values: layers in order.

    Returns:
        One per row; NaN for fewer than three layers, where one is unknown, or where all are equal.

    Example:
        >>> rank_with_depth(np.array([[0.1, 0.2, 0.4, 0.3], [3.0, 2.0, 1.0, 0.0]])).round(6).tolist()
        [0.8, -1.0]
    """
    from scipy.stats import rankdata

    rows, layers = values.shape
    if layers < _LEAST:
        return np.full(rows, np.nan)
    ranks = rankdata(values, axis=1, nan_policy="propagate")
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    depth = np.arange(layers) - (layers - 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found: ndarray = centred @ depth / np.sqrt((centred**2).sum(axis=1) * (depth**2).sum())
    return found


def _share_inside(values: Float[ndarray, "replicate layer"]) -> float:
    """In which share of the resamplings the smallest value is neither in the first nor in the last layer."""
    known = values[~np.isnan(values).any(axis=1)]
    least: Int[ndarray, " replicate"] = known.argmin(axis=1)
    return float(((least > 0) & (least < values.shape[1] - 1)).mean()) if len(known) else float("nan")
