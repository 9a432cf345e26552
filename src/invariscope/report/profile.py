"""Invariance by depth: a transformation's layer profile, and the layer at which the network becomes invariant."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from invariscope.report.read import RunData

# A network whose last hidden layer is less than this far from null to ceiling is not called invariant at any layer.
LEAST_END = 1 / 3
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
        hidden: the place of the last hidden layer; layers after it are drawn and not judged.
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
    hidden: int | None = None

    @property
    def ceiling(self) -> np.ndarray:
        """The highest mean to expect: the noise floor's, or 1 where nothing is resampled."""
        return np.where(np.isnan(self.floor), 1.0, self.floor)

    @property
    def way(self) -> np.ndarray:
        """How far each layer's mean has come from its null (0) to its ceiling (1)."""
        null = np.where(np.isnan(self.null), 0.0, self.null)
        room = self.ceiling - null
        with np.errstate(divide="ignore", invalid="ignore"):
            way: np.ndarray = np.where(room < LEAST_ROOM, np.nan, (self.mean - null) / room)
        return way

    @property
    def last(self) -> int | None:
        """The place of the last hidden layer, or of the last one before it with a known way."""
        end = len(self.layers) if self.hidden is None else self.hidden + 1
        known = np.flatnonzero(~np.isnan(self.way[:end]))
        return int(known[-1]) if len(known) else None

    def weak(self, limit: float) -> bool:
        """Whether pairs of different images already reach `limit` in the last layer: then reaching it says little."""
        return self.last is not None and bool(self.null[self.last] >= limit)

    @property
    def target(self) -> np.ndarray:
        """Per layer, the mean at half of the way that the last layer has come; NaN where that is no invariance."""
        end = math.nan if self.last is None else float(self.way[self.last])
        null = np.where(np.isnan(self.null), 0.0, self.null)
        return null + (end / 2 if end >= LEAST_END else math.nan) * (self.ceiling - null)

    @property
    def becomes_invariant(self) -> int | None:
        """The place of the first layer from which on no layer is below `target`; None where there is no target.

        In words: from there on the network is always at least half as invariant as it ends up.
        """
        place, way, target = None, self.way, self.target
        for index in range(-1 if self.last is None else self.last, -1, -1):
            if math.isnan(way[index]):
                continue
            if not self.mean[index] >= target[index]:
                break
            place = index
        return place


def layer_order(run: RunData) -> list[str]:
    """The sites' names in the order of execution."""
    measured = [str(name) for name in run.tables["layers"]["layer"].unique()]
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

    hidden = run.info.get("last_hidden_site")
    return Profile(
        magnitude=magnitude,
        layers=tuple(order),
        mean=column("mean"),
        low=column("low"),
        high=column("high"),
        null=column("null"),
        floor=column("noise_floor"),
        n_units=column("n_units"),
        n_dead=column("n_dead"),
        hidden=order.index(hidden) if hidden in order else None,
    )
