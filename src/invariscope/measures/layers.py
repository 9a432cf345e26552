"""A layer in one row per measure: mean and quartiles over its units, dead units, null and noise floor."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

# Of the numbers per unit, those that a layer is summarised by; the others count images or belong to one of these.
LAYER_COLUMNS = (
    "invariance",
    "specialization",
    "active_fraction",
    "clean_variance",
    "correlation",
    "goodfellow_global",
    "goodfellow_local",
    "goodfellow_local_unconditioned",
    "transformation_variance",
    "sample_variance",
    "normalized_variance",
)


def layer_values(columns: Mapping[str, Float[Tensor, "row unit"]]) -> dict[str, Float[Tensor, "row unit"]]:
    """The numbers per unit that a layer is summarised by, the size of the specialization among them.

    Args:
        columns: from `evaluate`, `Accumulator.compute` or `Variances.finish`.

    Returns:
        Per measure of a layer, numbers per unit.

    Example:
        >>> list(layer_values({"specialization": torch.tensor([[-0.5]]), "n_active": torch.tensor([[3.0]])}))
        ['specialization', 'absolute_specialization']
    """
    values = {}
    for name in LAYER_COLUMNS:
        if name in columns:
            values[name] = columns[name]
            if name == "specialization":
                values["absolute_specialization"] = columns[name].abs()
    return values


def dead_units(columns: Mapping[str, Float[Tensor, "row unit"]]) -> Bool[Tensor, "row unit"]:
    """Units that no image drives, or whose responses do not vary.

    Args:
        columns: with "n_active" and "clean_variance", or with "sample_variance"; NaN does not make a unit dead.

    Returns:
        Shape (row, unit).

    Example:
        >>> dead_units({"n_active": torch.tensor([[0.0, 2.0]]), "clean_variance": torch.tensor([[0.0, 1.0]])})
        tensor([[ True, False]])
    """
    signs = [columns[name] == 0 for name in ("n_active", "clean_variance", "sample_variance") if name in columns]
    assert signs, "no column tells whether a unit is dead"
    return torch.stack(signs).any(0)


def summarise(
    columns: Mapping[str, Float[Tensor, "row unit"]],
    groups: Sequence[str],
    intervals: Mapping[str, tuple[Float[Tensor, " row"], Float[Tensor, " row"]]] | None = None,
    noise_floor: Float[Tensor, "row unit"] | None = None,
) -> list[dict[str, str | int | float]]:
    """The rows of a layer's table: one per group and measure.

    The null and the noise floor are means over units of the invariance coefficient's, and stand in its row only.

    Args:
        columns: numbers per unit; shape (row, unit).
        groups: the names of the rows.
        intervals: per measure, the low and the high end of its mean, as `Influence.intervals` or
            `Variances.intervals` gives; NaN where missing.
        noise_floor: the invariance coefficient at a near-identity magnitude of the same transformation.

    Returns:
        Rows with group, measure, n_units, n_dead, mean, low, high, q25, median, q75, null and noise_floor; units
        that are NaN are left out of mean and quartiles.

    Example:
        >>> columns = {"n_active": torch.tensor([[2.0, 0.0]]), "invariance": torch.tensor([[0.5, float("nan")]])}
        >>> row = summarise(columns, ["all"])[0]
        >>> row["measure"], row["n_units"], row["n_dead"], row["mean"]
        ('invariance', 2, 1, 0.5)
    """
    values = layer_values(columns)
    stacked = torch.stack(list(values.values())).double().cpu()
    measures, rows, units = stacked.shape
    assert rows == len(groups)
    means = stacked.nanmean(2)
    quartiles = _quartiles(stacked.reshape(-1, units)).reshape(3, measures, rows)
    dead = dead_units(columns).sum(1)
    found: list[dict[str, str | int | float]] = []
    for row, group in enumerate(groups):
        for place, measure in enumerate(values):
            low, high = (end[row].item() for end in intervals[measure]) if intervals and measure in intervals else _NAN
            entry: dict[str, str | int | float] = {"group": group, "measure": measure}
            entry |= {"n_units": units, "n_dead": int(dead[row])}
            entry |= {"mean": means[place, row].item(), "low": low, "high": high}
            for name, quartile in zip(("q25", "median", "q75"), quartiles, strict=True):
                entry[name] = quartile[place, row].item()
            invariance = measure == "invariance"
            entry["null"] = columns["null"][row].nanmean().item() if invariance and "null" in columns else _NAN[0]
            floor = noise_floor if invariance else None
            entry["noise_floor"] = _NAN[0] if floor is None else floor[row].nanmean().item()
            found.append(entry)
    return found


_NAN = (float("nan"), float("nan"))


def _quartiles(values: Tensor) -> Tensor:
    # torch.quantile refuses more than 16 million numbers at once; a row at a time never has so many.
    ends = torch.tensor([0.25, 0.5, 0.75], dtype=values.dtype)
    if values.numel() < 2**24:
        return torch.nanquantile(values, ends, dim=1)
    return torch.stack([torch.nanquantile(row, ends) for row in values], dim=1)
