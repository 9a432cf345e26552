"""How far the invariance of layers and units moved between two runs of the same architecture."""

from typing import Any

import numpy as np
import pandas as pd

from invariscope.runs.run import Run
from invariscope.statistics.differences import mover

MOST_UNITS = 100
_UNIT = ["layer", "unit", "transformation", "magnitude"]


def common_layers(a: Run, b: Run) -> list[str]:
    """The layers that can be compared: those of the same name and shape in networks with as many parameters.

    Args:
        a: the reference.
        b: the other.

    Returns:
        Their names, in the order of the network; none where the networks are of different architectures.
    """
    if _size(a) != _size(b) or any(
        a.info["configuration"].get(key) != b.info["configuration"].get(key) for key in _SAME
    ):
        return []
    there = {_site(site) for site in b.info.get("sites") or []}
    return [str(site["name"]) for site in a.info.get("sites") or [] if _site(site) in there]


_SAME = ("units", "reduce", "negative")


def _size(run: Run) -> tuple[Any, Any]:
    network = run.info.get("network") or {}
    return network.get("parameters"), network.get("outputs")


def _site(site: dict[str, Any]) -> tuple[Any, ...]:
    return (site.get("name"), site.get("kind"), tuple(site.get("shape") or ()))


def layer_rows(a: Run, b: Run, layers: list[str], names: list[str]) -> pd.DataFrame:
    """The mean invariance of every layer in both runs, and the difference, negative where it is less.

    Its interval is made of the runs' own, as if their images had nothing in common.

    Args:
        a: the reference.
        b: the other.
        layers: those to compare.
        names: of the transformations.

    Returns:
        Columns `layer, transformation, magnitude, n_units, a, b, difference, low, high`.
    """
    keys = ["layer", "transformation", "magnitude"]
    chosen = []
    for run in (a, b):
        rows = run.layers
        if rows.empty:
            return pd.DataFrame()
        wanted = rows["layer"].isin(layers) & rows["transformation"].isin(names) & rows["magnitude"].notna()
        wanted &= (rows["measure"] == "invariance") & (rows["group"] == "all") & rows["mean"].notna()
        chosen.append(rows.loc[wanted, [*keys, "n_units", "mean", "low", "high"]])
    joined = chosen[0].merge(chosen[1], on=keys, suffixes=("_a", "_b"))
    first, second = (
        (joined[f"mean{end}"].to_numpy(), joined[f"low{end}"].to_numpy(), joined[f"high{end}"].to_numpy())
        for end in ("_a", "_b")
    )
    low, high = mover(first, second)
    rows = joined[keys].assign(n_units=joined["n_units_a"], a=first[0], b=second[0])
    return rows.assign(difference=second[0] - first[0], low=low, high=high)


def unit_rows(a: Run, b: Run, layers: list[str], names: list[str]) -> pd.DataFrame:
    """The units whose invariance moved most: means over the magnitudes at which it is known in both runs.

    A unit is the same unit in both networks only where one was made of the other, or both of a third.

    Args:
        a: the reference.
        b: the other.
        layers: those to compare.
        names: of the transformations.

    Returns:
        Columns `layer, unit, transformation, a, b, difference`, at most `MOST_UNITS` rows, what moved most first; none
        for runs of every position.
    """
    files = [run.path / "units.parquet" for run in (a, b)]
    if not all(file.exists() for file in files) or not layers:
        return pd.DataFrame()
    wanted = [("group", "==", "all"), ("layer", "in", layers), ("transformation", "in", names)]
    one, other = (pd.read_parquet(file, columns=[*_UNIT, "invariance"], filters=wanted).dropna() for file in files)
    joined = one.merge(other, on=_UNIT, suffixes=("_a", "_b"))
    means = joined.groupby(["layer", "unit", "transformation"], sort=False)[["invariance_a", "invariance_b"]].mean()
    rows = means.reset_index().rename(columns={"invariance_a": "a", "invariance_b": "b"})
    rows["difference"] = rows["b"] - rows["a"]
    order = np.argsort(-rows["difference"].abs().to_numpy(), kind="stable")[:MOST_UNITS]
    return rows.iloc[order].reset_index(drop=True)
