"""Invariance by depth: a transformation's layer profile, and the layer at which the network becomes invariant."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from invariscope.report.read import RunData

HALF = 0.5
# Below this room between null and ceiling, the way from one to the other cannot be told from noise.
LEAST_ROOM = 0.05


@dataclass(frozen=True)
class Profile:
    """The layers of one transformation at one magnitude, in the order of execution.

    Args:
        magnitude: at which the layers were measured.
        layers: names.
        mean: mean coefficient over the units, per layer; NaN where it could not be measured.
        low: of its 95 % interval.
        high: of its 95 % interval.
        null: mean coefficient of pairs of different images.
        floor: mean coefficient after resampling alone; NaN where nothing is resampled.
        n_units: per layer.
        n_dead: units that no image drives.
    """

    magnitude: float
    layers: tuple[str, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    null: np.ndarray
    floor: np.ndarray
    n_units: np.ndarray
    n_dead: np.ndarray

    @property
    def way(self) -> np.ndarray:
        """How far each layer's mean has come from its null (0) to its ceiling (1): the noise floor, or else 1."""
        ceiling = np.where(np.isnan(self.floor), 1.0, self.floor)
        null = np.where(np.isnan(self.null), 0.0, self.null)
        room = ceiling - null
        with np.errstate(divide="ignore", invalid="ignore"):
            way: np.ndarray = np.where(room < LEAST_ROOM, np.nan, (self.mean - null) / room)
        return way

    @property
    def becomes_invariant(self) -> int | None:
        """The place of the first layer from which on every measured layer is more than half of the way, if any."""
        place = None
        for index in range(len(self.layers) - 1, -1, -1):
            if math.isnan(self.way[index]):
                continue
            if self.way[index] < HALF:
                break
            place = index
        return place

    @property
    def highest(self) -> int | None:
        """The place of the layer that comes closest to its ceiling."""
        return None if np.isnan(self.way).all() else int(np.nanargmax(self.way))


def layer_order(run: RunData) -> list[str]:
    """The sites' names in the order of execution."""
    measured = list(dict.fromkeys(run.tables["layers"]["layer"]))
    sites = [str(site.get("name")) for site in run.info.get("sites") or []]
    ordered = [name for name in sites if name in set(measured)]
    return ordered + [name for name in measured if name not in set(ordered)]


def read_profile(run: RunData, name: str, magnitude: float, measure: str = "invariance") -> Profile | None:
    """A transformation's layer profile at one magnitude; None where there is none.

    The network's output is left out: its responses are scores, not activity.

    Args:
        run: the run.
        name: of the transformation.
        magnitude: at which to read it.
        measure: "invariance" or "specialization".
    """
    frame = run.tables["layers"]
    rows = frame[
        (frame["transformation"] == name)
        & (frame["measure"] == measure)
        & (frame["group"] == "all")
        & np.isclose(frame["magnitude"], magnitude)
    ].drop_duplicates("layer")
    order = [layer for layer in layer_order(run) if layer in set(rows["layer"]) and layer != "output"]
    if not order:
        return None
    rows = rows.set_index("layer").loc[order]

    def column(key: str) -> np.ndarray:
        return pd.to_numeric(rows[key]).to_numpy(dtype=np.float64)

    return Profile(
        magnitude,
        tuple(order),
        *(column(key) for key in ("mean", "low", "high", "null", "noise_floor", "n_units", "n_dead")),
    )
