"""From values per unit to the rows of units.parquet and layers.parquet."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.responses.matrix import Columns
from invariscope.runs.groups import Groups
from invariscope.statistics.resampling import bootstrap_weights

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
LAYER_MEASURES = ("active_fraction", "absolute_specialization", *UNIT_MEASURES)
_ORDER = [
    *("layer", "unit", "transformation", "magnitude", "group", "n_images", "n_active", "invariance", "specialization"),
    *("tau", "null", "noise_floor", *UNIT_MEASURES[2:], *VARIANCES, "negative"),
]


class RowMaker:
    """Makes table rows of values that stand in rows (groups, then each group's bootstrap replicates) by unit.

    Args:
        columns: which units belong to which site.
        groups: sets of images.
        tau: for the record.
        replicates: bootstrap resamples of the images of each group.
        seed: of the bootstrap.
    """

    def __init__(self, columns: Columns, groups: Groups, tau: float, replicates: int, seed: int) -> None:
        self.columns, self.groups, self.tau, self.replicates = columns, groups, tau, replicates
        self.sizes = [int(row.sum()) for row in groups.weights]
        rows = [groups.weights]
        for weights, size in zip(groups.weights, self.sizes, strict=True):
            drawn = torch.zeros(replicates, len(weights))
            drawn[:, weights > 0] = bootstrap_weights(size, replicates, seed)
            rows.append(drawn)
        self.weights: Float[Tensor, "row image"] = torch.cat(rows)
        self._layer = np.concatenate([np.full(_size(part), name, dtype=object) for name, part in columns.items()])
        self._unit = np.concatenate([np.arange(_size(part), dtype=np.int32) for part in columns.values()])

    def replicate_rows(self, group: int) -> slice:
        """Where the replicates of a group stand."""
        start = len(self.groups.names) + group * self.replicates
        return slice(start, start + self.replicates)

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
        values: Mapping[str, Float[Tensor, "row unit"]],
        transformation: str,
        magnitude: float,
        floor: Float[Tensor, "group unit"] | None,
        measures: Sequence[str] = LAYER_MEASURES,
    ) -> pd.DataFrame:
        """Rows of layers.parquet: each measure's distribution over the units of each site, in every group.

        `low` and `high` are the 95 % interval of the mean over units, from a bootstrap over images.

        Args:
            values: of the measures.
            transformation: its name.
            magnitude: NaN where the values are over all magnitudes.
            floor: invariance under interpolation alone, or None.
            measures: which.
        """
        values = dict(values)
        if "specialization" in values:
            values["absolute_specialization"] = values["specialization"].abs()
        rows = []
        for site, part in self.columns.items():
            for group, name in enumerate(self.groups.names):
                dead = _dead(values, group, part)
                for measure in measures:
                    if measure not in values:
                        continue
                    row: dict[str, object] = {
                        "layer": site,
                        "transformation": transformation,
                        "magnitude": float(magnitude),
                        "group": name,
                        "measure": measure,
                        "n_units": _size(part),
                        "n_dead": dead,
                    }
                    row |= self._distribution(values[measure], group, part)
                    compared = measure == "invariance"
                    row["null"] = _mean(values["null"][group, part]) if compared and "null" in values else np.nan
                    row["noise_floor"] = _mean(floor[group, part]) if compared and floor is not None else np.nan
                    rows.append(row)
        return pd.DataFrame(rows)

    def _distribution(self, values: Float[Tensor, "row unit"], group: int, part: slice) -> dict[str, float]:
        here = values[group, part]
        known = here[~here.isnan()].cpu().numpy()
        if not len(known):
            return dict.fromkeys(("mean", "low", "high", "q25", "median", "q75"), float("nan"))
        means = np.nanmean(_with_known(values[self.replicate_rows(group), part]), axis=1)
        low, high = np.nanquantile(means, [0.025, 0.975]) if not np.isnan(means).all() else (np.nan, np.nan)
        q25, median, q75 = np.quantile(known, [0.25, 0.5, 0.75])
        return {"mean": float(known.mean()), "low": low, "high": high, "q25": q25, "median": median, "q75": q75}


def _with_known(values: Float[Tensor, "replicate unit"]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    known = values.cpu().numpy()
    # A replicate in which no unit is active has no mean; one spare column of NaN would only warn about it.
    return known[~np.isnan(known).all(axis=1)] if np.isnan(known).all(axis=1).any() else known


def _dead(values: Mapping[str, Tensor], group: int, part: slice) -> int:
    dead = torch.zeros(_size(part), dtype=torch.bool)
    if "clean_variance" in values:
        dead |= (values["clean_variance"][group, part] == 0).cpu()
    if "n_active" in values:
        dead |= (values["n_active"][group, part] == 0).cpu()
    if "sample_variance" in values and "clean_variance" not in values:
        dead |= (values["sample_variance"][group, part] == 0).cpu()
    return int(dead.sum())


def _numbers(values: Tensor | None, row: int) -> object:
    return np.float32("nan") if values is None else values[row].float().cpu().numpy()


def _mean(values: Tensor) -> float:
    return float(values.nanmean())


def _size(part: slice) -> int:
    return int(part.stop - part.start)
