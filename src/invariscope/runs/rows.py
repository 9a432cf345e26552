"""From values per unit to the rows of units.parquet and layers.parquet."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.measures.layers import summarise
from invariscope.responses.matrix import Columns
from invariscope.runs.groups import Groups
from invariscope.runs.values import Intervals

UNIT_MEASURES = (
    "invariance",
    "specialization",
    "clean_variance",
    "correlation",
    "goodfellow_global",
    "goodfellow_local",
    "goodfellow_local_unconditioned",
)
VARIANCES = ("transformation_variance", "sample_variance", "normalized_variance")
_ORDER = [
    *("layer", "unit", "transformation", "magnitude", "group", "n_images", "n_active", "invariance", "specialization"),
    *("tau", "null", "noise_floor", *UNIT_MEASURES[2:], *VARIANCES, "negative"),
]


class RowMaker:
    """Makes table rows of values that stand in rows (groups) by unit.

    Args:
        columns: which units belong to which site.
        groups: sets of images.
        tau: for the record.
    """

    def __init__(self, columns: Columns, groups: Groups, tau: float) -> None:
        self.columns, self.groups, self.tau = columns, groups, tau
        self.sizes = [int(row.sum()) for row in groups.weights]
        self._layer = np.concatenate([np.full(_size(part), name, dtype=object) for name, part in columns.items()])
        self._unit = np.concatenate([np.arange(_size(part), dtype=np.int32) for part in columns.values()])

    def units(
        self,
        values: Mapping[str, Float[Tensor, "row unit"]],
        transformation: str,
        magnitude: float,
        floor: Float[Tensor, "group unit"] | None,
        negative: Bool[Tensor, " unit"],
    ) -> pd.DataFrame:
        """Rows of units.parquet: every unit of every group at one strength.

        Args:
            values: of the measures.
            transformation: its name.
            magnitude: NaN where the values are over all magnitudes.
            floor: invariance under interpolation alone, or None.
            negative: whether the unit's site has negative responses.
        """
        frames = []
        for row, group in enumerate(self.groups.names):
            columns: dict[str, object] = {
                "layer": self._layer,
                "unit": self._unit,
                "transformation": transformation,
                "magnitude": float(magnitude),
                "group": group,
                "n_images": np.int32(self.sizes[row]),
                "tau": self.tau,
                "negative": negative.cpu().numpy(),
            }
            for name in ("n_active", "null", *UNIT_MEASURES, *VARIANCES):
                columns[name] = _numbers(values.get(name), row)
            columns["noise_floor"] = _numbers(floor, row)
            frames.append(pd.DataFrame(columns, index=range(self.columns.total))[_ORDER])
        return pd.concat(frames, ignore_index=True)

    def layers(
        self,
        values: Mapping[str, Float[Tensor, "group unit"]],
        transformation: str,
        magnitude: float,
        floor: Float[Tensor, "group unit"] | None,
        intervals: Intervals | None = None,
    ) -> pd.DataFrame:
        """Rows of layers.parquet: each measure's distribution over the units of each site, in every group.

        `low` and `high` are the 95 % interval of the mean over units, from a bootstrap over images.

        Args:
            values: of the measures.
            transformation: its name.
            magnitude: NaN where the values are over all magnitudes.
            floor: invariance under interpolation alone, or None.
            intervals: of the means, per site and measure.
        """
        rows = []
        sizes = dict(zip(self.groups.names, self.sizes, strict=True))
        for site, part in self.columns.items():
            here = {name: one[:, part] for name, one in values.items()}
            known = intervals[site] if intervals else None
            for row in summarise(here, self.groups.names, known, None if floor is None else floor[:, part]):
                # Of one image, or of nothing that is known, there is no interval.
                if sizes[str(row["group"])] < 2 or np.isnan(row["mean"]):
                    row |= {"low": float("nan"), "high": float("nan")}
                rows.append({"layer": site, "transformation": transformation, "magnitude": float(magnitude), **row})
        return pd.DataFrame(rows)


def _numbers(values: Tensor | None, row: int) -> object:
    return np.float32("nan") if values is None else values[row].float().cpu().numpy()


def _size(part: slice) -> int:
    return int(part.stop - part.start)
