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
_WITH_INTERVALS = ("sensitivity", "gain", "selectivity_noise", "selectivity_phase", "equivariance")


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
        squared = _over(sums["change"], sums["spread"])
        before = np.stack([_before(squared, layer.after) for layer in layers], axis=1)
        rest = sums["inner"] - 2 * sums["shared"] + sums["moved"]
        return {
            "sensitivity": np.sqrt(squared),
            "relative": np.sqrt(_over(squared, squared[:, :1])),
            "gain": np.sqrt(_over(squared, before)),
            "noise": np.sqrt(_over(sums["noise"], sums["spread"])),
            "selectivity_noise": np.sqrt(_over(sums["change"], sums["noise"])),
            "phase": np.sqrt(_over(sums["phase"], sums["spread"])),
            "selectivity_phase": np.sqrt(_over(sums["change"], sums["phase"])),
            "equivariance": 1 - _over(rest, sums["inner"]),
            "explained": _over(sums["shared"] ** 2, sums["inner"] * sums["moved"]),
            "change_to_motion": np.sqrt(_over(sums["inner"], sums["moved"])),
        }


def _over(numerator: ndarray, denominator: ndarray) -> ndarray:
    return np.where(denominator > 0, numerator / denominator, np.nan)


def _before(squared: Float[ndarray, "row layer"], after: tuple[int, ...]) -> Float[ndarray, " row"]:
    """The mean square over the layers that a layer is computed from; NaN for the image."""
    return squared[:, list(after)].mean(axis=1) if after else np.full(len(squared), np.nan)


def layer_rows(
    table: Table,
    transformation: str,
    layers: Sequence[Layer],
    about: Mapping[str, Any],
    n_images: int,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """A row per layer for one transformation.

    Args:
        table: sums per image, by (what, transformation, layer); those of noise by ("noise", "", layer) for directions
            of root mean square 1.
        transformation: its name.
        layers: in order of execution, the image first.
        about: columns that are the same in all rows; `step` among them.
        n_images: how many images there are.
        replicates: of the bootstrap over images.
        seed: of the bootstrap.

    Returns:
        Columns as `Sensitivity.layers` says.
    """
    size = table.images("size", transformation, "")
    whole = {
        "change": _columns(table, "change", transformation, layers),
        "spread": _columns(table, "spread", "", layers),
        "noise": size[:, None] ** 2 * _columns(table, "noise", "", layers),
        **{what: _columns(table, what, transformation, layers) for what in ("phase", "inner", "moved", "shared")},
    }
    found = {
        name: values[0]
        for name, values in ratios({k: v.mean(0, keepdims=True) for k, v in whole.items()}, layers).items()
    }
    ends = {name: (np.full(len(layers), np.nan),) * 2 for name in _WITH_INTERVALS}
    if n_images > 1:
        drawn: dict[str, list[ndarray]] = {name: [] for name in _WITH_INTERVALS}
        for weights in draws(n_images, replicates, seed):
            again = ratios({name: weights @ values for name, values in whole.items()}, layers)
            for name in _WITH_INTERVALS:
                drawn[name].append(again[name])
        for name, parts in drawn.items():
            low, high = interval(np.concatenate(parts)[None])
            ends[name] = low[0], high[0]
    columns: dict[str, Any] = {
        "transformation": transformation,
        "layer": [layer.name for layer in layers],
        "depth": np.arange(len(layers)),
        "kind": [layer.kind for layer in layers],
        "after": [", ".join(layers[place].name for place in layer.after) for layer in layers],
    }
    for name, values in found.items():
        columns[name] = values
        if name in ends:
            prefix = "" if name == "sensitivity" else f"{name}_"
            columns |= {f"{prefix}low": ends[name][0], f"{prefix}high": ends[name][1]}
        if name == "sensitivity":
            columns["per_step"] = values * about["step"]
    return pd.DataFrame({**columns, **about, "n": n_images})


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
