"""Tables of sensitivity: ratios of sums over images, with their bootstrap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from invariscope.tolerance.infinitesimal_sums import Table
from invariscope.tolerance.resample import REPLICATES, draws, interval

Sums = Mapping[str, Float[ndarray, "row layer"]]
_WITH_INTERVALS = ("sensitivity", "relative", "gain", "selectivity_noise", "selectivity_phase", "equivariance")
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Layer:
    """What a table says of a layer besides its numbers.

    Args:
        name: of the site; "image" for the image itself.
        kind: of the site.
        after: places of the layers that it is computed from.
    """

    name: str
    kind: str
    after: tuple[int, ...]


def ratios(sums: Sums, layers: Sequence[Layer]) -> dict[str, Float[ndarray, "row layer"]]:
    """Every quantity of a table from weighted sums over images.

    Args:
        sums: `change` Σ|t|², `spread` Σ|a − ā|², `noise` and `phase` Σ|t|² along random directions as long as the
            transformation's; `inner` Σ|t|², `moved` Σ|u|² and `shared` Σt·u away from the border of maps, where u is
            the map's own motion. NaN where nothing was measured.
        layers: of the columns.

    Returns:
        By name; NaN where a layer never varies, or the transformation changes nothing.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # What is so small beside noise is rounding, and gains of it would mean nothing.
        change = np.where(sums["change"] > _ROUNDING**2 * sums["noise"], sums["change"], 0.0)
        squared = _over(change, sums["spread"])
        before = np.stack([_before(squared, layer.after) for layer in layers], axis=1)
        rest = sums["inner"] - 2 * sums["shared"] + sums["moved"]
        return {
            "sensitivity": np.sqrt(squared),
            "relative": np.sqrt(_over(squared, squared[:, :1])),
            "gain": np.sqrt(_over(squared, before)),
            "noise": np.sqrt(_over(sums["noise"], sums["spread"])),
            "selectivity_noise": np.sqrt(_over(change, sums["noise"])),
            "phase": np.sqrt(_over(sums["phase"], sums["spread"])),
            "selectivity_phase": np.sqrt(_over(change, sums["phase"])),
            "equivariance": 1 - _over(rest, sums["inner"]),
            "explained": _over(sums["shared"] ** 2, sums["inner"] * sums["moved"]),
            "change_to_motion": np.sqrt(_over(sums["inner"], sums["moved"])),
        }


def _over(numerator: ndarray, denominator: ndarray) -> ndarray:
    return np.where(denominator > 0, numerator / denominator, np.nan)


def _before(squared: Float[ndarray, "row layer"], after: tuple[int, ...]) -> Float[ndarray, " row"]:
    """The mean square over the layers that a layer is computed from; NaN for the image."""
    return squared[:, list(after)].mean(axis=1) if after else np.full(len(squared), np.nan)


@dataclass(frozen=True, eq=False)
class Measured:
    """Every quantity of one transformation, over all images and over resamplings of them.

    Args:
        transformation: its name.
        layers: in order of execution, the image first.
        values: by quantity; shape (layer,).
        replicates: by quantity, the same in every resampling; empty for fewer than two images.
    """

    transformation: str
    layers: Sequence[Layer]
    values: Mapping[str, Float[ndarray, " layer"]]
    replicates: Mapping[str, Float[ndarray, "replicate layer"]]

    def ends(self, quantity: str) -> tuple[Float[ndarray, " layer"], Float[ndarray, " layer"]]:
        """The 95 % interval of a quantity; NaN where it is unknown."""
        if quantity not in self.replicates:
            unknown = np.full(len(self.layers), np.nan)
            return unknown, unknown
        low, high = interval(self.replicates[quantity][None])
        return low[0], high[0]


def measure_layers(
    table: Table,
    transformation: str,
    layers: Sequence[Layer],
    n_images: int,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Measured:
    """All quantities of all layers for one transformation, with their bootstrap over images.

    Args:
        table: sums per image, by (what, transformation, layer); those of noise by ("noise", "", layer) for directions
            of root mean square 1.
        transformation: its name.
        layers: in order of execution, the image first.
        n_images: how many images there are.
        replicates: of the bootstrap over images.
        seed: of the bootstrap; all transformations share their draws.
    """
    size = table.images("size", transformation, "")
    whole = {
        "change": _columns(table, "change", transformation, layers),
        "spread": _columns(table, "spread", "", layers),
        "noise": size[:, None] ** 2 * _columns(table, "noise", "", layers),
        **{what: _columns(table, what, transformation, layers) for what in ("phase", "inner", "moved", "shared")},
    }
    means = ratios({name: values.mean(0, keepdims=True) for name, values in whole.items()}, layers)
    drawn: dict[str, list[ndarray]] = {}
    for weights in draws(n_images, replicates, seed) if n_images > 1 else ():
        for name, again in ratios({each: weights @ values for each, values in whole.items()}, layers).items():
            drawn.setdefault(name, []).append(again)
    return Measured(
        transformation,
        layers,
        {name: values[0] for name, values in means.items()},
        {name: np.concatenate(parts) for name, parts in drawn.items()},
    )


def layer_rows(measured: Measured, step: float, unit_of_measure: str, n_images: int) -> pd.DataFrame:
    """A row per layer for one transformation.

    Args:
        measured: its quantities.
        step: of the default grid, in the derivative's variable.
        unit_of_measure: of that variable.
        n_images: how many images there are.

    Returns:
        Columns as `Sensitivity.layers` says.
    """
    layers = measured.layers
    columns: dict[str, Any] = {
        "transformation": measured.transformation,
        "layer": [layer.name for layer in layers],
        "depth": np.arange(len(layers)),
        "kind": [layer.kind for layer in layers],
        "after": [", ".join(layers[place].name for place in layer.after) for layer in layers],
    }
    for name, values in measured.values.items():
        columns[name] = values
        if name in _WITH_INTERVALS:
            prefix = "" if name == "sensitivity" else f"{name}_"
            columns[f"{prefix}low"], columns[f"{prefix}high"] = measured.ends(name)
        if name == "sensitivity":
            columns["per_step"] = values * step
    return pd.DataFrame({**columns, "step": step, "unit_of_measure": unit_of_measure, "n": n_images})


def _columns(table: Table, what: str, transformation: str, layers: Sequence[Layer]) -> Float[ndarray, "image layer"]:
    parts = []
    for layer in layers:
        values = table.images(what, transformation, layer.name)
        parts.append(values if table.has(what, transformation, layer.name) else np.full_like(values, np.nan))
    return np.stack(parts, axis=1)


def unit_rows(table: Table, transformation: str, layers: Sequence[Layer]) -> pd.DataFrame:
    """A row per unit of every layer for one transformation: its change over its own spread.

    Args:
        table: sums per unit.
        transformation: its name.
        layers: in order of execution.
    """
    frames = []
    for layer in layers:
        change, spread = (
            table.units("unit_change", transformation, layer.name),
            table.units("unit_spread", "", layer.name),
        )
        if change is None or spread is None:
            continue
        phase = table.units("unit_phase", transformation, layer.name)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = {
                "sensitivity": np.sqrt(_over(change, spread)),
                "selectivity_phase": np.full(len(change), np.nan) if phase is None else np.sqrt(_over(change, phase)),
            }
        frames.append(
            pd.DataFrame(
                {"transformation": transformation, "layer": layer.name, "unit": np.arange(len(change)), **columns}
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
