"""How well several numbers of a network go with its accuracy across classes, and which of them goes better."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray

from invariscope.studies.compare import REPLICATES, Estimate
from invariscope.studies.paradigm import CONDITIONS
from invariscope.studies.tidy import Row, found, ordered

POOLED, CENTRED = "all together", "all, each centred"
FEWEST = 4


def correlate(
    x: Float[ndarray, " network"],
    y: Float[ndarray, " network"],
    weights: Float[ndarray, "replicate network"],
    groups: Int[ndarray, " network"],
) -> Float[ndarray, " replicate"]:
    """Pearson's correlation of networks that count with weights, within groups.

    Args:
        x: a number per network.
        y: another.
        weights: how often each network counts; shape (replicate, network).
        groups: networks of one group are compared with their own means; shape (network,).

    Returns:
        From −1 to 1; NaN where nothing varies.

    Example:
        >>> x, y, one = np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 5, 6]), np.ones((1, 4))
        >>> round(correlate(x, y, one, np.zeros(4, int)).item(), 3), correlate(x, y, one, np.array([0, 0, 1, 1])).item()
        (0.965, 1.0)
    """
    a, b = (np.broadcast_to(each, weights.shape).copy() for each in (x, y))
    for group in np.unique(groups):
        own = groups == group
        total = np.maximum(weights[:, own].sum(axis=1), 1e-300)
        for values in (a, b):
            values[:, own] -= ((weights[:, own] * values[:, own]).sum(axis=1) / total)[:, None]
    scale = np.sqrt((weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1))
    r: ndarray = np.where(scale > 1e-12, (weights * a * b).sum(axis=1) / np.maximum(scale, 1e-300), np.nan)
    return r


def correlation_rows(networks: pd.DataFrame, columns: Mapping[str, str], accuracy: str = "across") -> list[Row]:
    """The correlation of several numbers with accuracy, and how much better the first one goes with it.

    Only networks with seen and unseen classes count, and for every correlation only those of which all the numbers
    are known, so that all rest on the same networks. Intervals draw seeds with all their networks.

    Args:
        networks: one row per network.
        columns: what each number is called, and its column; the first is compared with every other.
        accuracy: the column of the accuracy.

    Returns:
        Rows "correlation with ACCURACY" and "gain in correlation with ACCURACY" (the first's less this one's) by
        transformation (one, `POOLED`, `CENTRED`) and `measure`; n counts seeds.
    """
    usable = networks[(networks["k"] > 0) & (networks["k"] < networks["n_classes"])]
    usable = usable.dropna(subset=[accuracy, *columns.values()])
    names = list(dict.fromkeys(networks["transformation"]))
    parts = {name: (usable[usable["transformation"] == name], False) for name in names}
    if len(names) > 1:
        parts |= {POOLED: (usable, False), CENTRED: (usable, True)}
    rows: list[Row] = []
    for name, (part, centred) in parts.items():
        estimates = _estimates(part, list(columns.values()), accuracy, centred)
        for place, label in enumerate(columns):
            for quantity, estimate in zip(_quantities(accuracy), estimates[place], strict=True):
                if quantity.startswith("gain") and place == 0:
                    continue
                numbers = (estimate.value, estimate.low, estimate.high, estimate.n)
                where = {"transformation": name, "measure": label}
                rows.append({**where, "seed": pd.NA, **found(quantity, *numbers, unit_of_measure="r")})
    return rows


def with_correlations(results: pd.DataFrame, networks: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """A study's tidy table with `correlation_rows` after it, and their column `measure` among the conditions.

    Args:
        results: the tidy table.
        networks: one row per network.
        columns: as in `correlation_rows`.
    """
    source = str(results["source"].iloc[0])
    rows = pd.DataFrame(correlation_rows(networks, columns))
    whole = {"seed": "Int64", "k": "Int64", "n_classes": "Int64"}
    # As objects, so that columns that are empty in one part do not decide how the joined ones are stored.
    both = pd.concat([each.astype(object) for each in (results, rows)], ignore_index=True)
    return ordered(both.infer_objects().astype(whole), source, CONDITIONS)


def _quantities(accuracy: str) -> tuple[str, str]:
    return f"correlation with {accuracy}", f"gain in correlation with {accuracy}"


def _estimates(part: pd.DataFrame, columns: list[str], accuracy: str, centred: bool) -> list[tuple[Estimate, Estimate]]:
    """Per column its correlation, and the first column's less its own."""
    seeds = part["seed"].to_numpy()
    known = np.unique(seeds)
    if len(part) < FEWEST:
        nothing = Estimate(float("nan"), float("nan"), float("nan"), len(known))
        return [(nothing, nothing)] * len(columns)
    random = np.random.Generator(np.random.PCG64(0))
    times = random.multinomial(len(known), np.full(len(known), 1 / len(known)), REPLICATES)
    weights = np.concatenate([np.ones((1, len(part))), times[:, np.searchsorted(known, seeds)]])
    _, codes = np.unique(part["transformation"].to_numpy().astype(str), return_inverse=True)
    groups = codes if centred else np.zeros(len(part), dtype=np.int64)
    y = part[accuracy].to_numpy(np.float64)
    each = [correlate(part[column].to_numpy(np.float64), y, weights, groups) for column in columns]
    return [(_estimate(r, len(known)), _estimate(each[0] - r, len(known))) for r in each]


def _estimate(drawn: Float[ndarray, " replicate"], n_seeds: int) -> Estimate:
    """The first is of the networks as they are, the others of drawn seeds."""
    low = high = float("nan")
    if n_seeds > 1 and not np.isnan(drawn[0]):
        low, high = (float(end) for end in np.nanquantile(drawn[1:], [0.025, 0.975]))
    return Estimate(float(drawn[0]), low, high, n_seeds)
