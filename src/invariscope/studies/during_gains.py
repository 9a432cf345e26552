"""What networks gain over others that never saw the transformation, epoch by epoch, and when half of it is there."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from invariscope.studies.tidy import Row, found

QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}
LEAST = {"accuracy across": 0.1, "accuracy within": 0.1, "clean accuracy": 0.1, "invariance": 0.05}
"""The smallest gain that has a half worth timing."""
_QUANTITY = {"accuracy across": "across", "accuracy within": "within", "clean accuracy": "clean"}
_NETWORK = ["transformation", "magnitude", "k", "n_classes", "split", "seed"]


def when(values: Sequence[float] | np.ndarray, level: float) -> float:
    """The epoch at which a curve first reaches a level, straight between epochs.

    Args:
        values: one per epoch, from epoch 0.
        level: to be reached from below.

    Returns:
        The epoch, with a fraction; NaN where the level is never reached.

    Example:
        >>> when([0.0, 0.2, 0.6, 1.0], 0.5), when([0.0, 0.2], 0.5)
        (1.75, nan)
    """
    curve = np.asarray(values, dtype=np.float64)
    reached = np.flatnonzero(curve >= level)
    if not len(reached):
        return float("nan")
    epoch = int(reached[0])
    if epoch == 0:
        return 0.0
    before, after = curve[epoch - 1], curve[epoch]
    return float(epoch - 1 + (level - before) / (after - before))


def gains(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows for every network that saw some classes transformed.

    A gain is over the network of the same seed that was trained on x only, at the same epoch, on the same images; that
    of clean accuracy is over the network's own start. Accuracy across and invariance are those on unseen classes, on
    all where no class is unseen.

    Args:
        rows: of single networks; `k` = 0 are those trained on x only, with the `split` of every other k.

    Returns:
        By epoch "gain of X" and "progress of X", which is the gain as a share of the last one; "shift of the median"
        and of the other quartiles; without epoch "epochs to half of X", and "lead of invariance over X", in epochs.
        What gains less than `LEAST` has no progress and no half.
    """
    more: list[Row] = []
    for network, own, plain in _pairs(rows):
        unseen = "unseen" if (own["group"] == "unseen").any() else "all"
        groups = {"accuracy across": unseen, "accuracy within": "seen", "clean accuracy": "all", "invariance": unseen}
        halves = {}
        for name, group in groups.items():
            quantity = _QUANTITY.get(name, name)
            curve = _curve(own, quantity, group)
            if curve.empty:
                continue
            gain = curve - (curve.iloc[0] if name == "clean accuracy" else _curve(plain, quantity, group))
            last, at = float(gain.iloc[-1]), {**network, "group": group}
            more += _rows(f"gain of {name}", gain, "share" if name in _QUANTITY else "1", at)
            halves[name] = float("nan")
            if last >= LEAST[name]:
                halves[name] = when(gain.to_numpy(), last / 2)
                more += _rows(f"progress of {name}", gain / last, "share", at)
        for name in QUARTILES:
            shift = _curve(own, name, "all") - _curve(plain, name, "all")
            more += _rows(f"shift of the {name}", shift, "1", {**network, "group": "all"})
        more += list(_timed(halves, {**network, "group": unseen}))
    return pd.DataFrame(more)


def units_above(units: pd.DataFrame) -> pd.DataFrame:
    """The share of a network's units that are more invariant than the median unit trained on x only, by epoch.

    Args:
        units: a row per unit, for the epochs that were kept.

    Returns:
        Rows "units above the x-only median", over all test images.
    """
    more: list[Row] = []
    known = units[units["group"] == "all"].dropna(subset="invariance")
    plain = known[known["k"] == 0].groupby(["transformation", "magnitude", "seed", "epoch"])["invariance"].median()
    for key, own in known[known["k"] > 0].groupby([*_NETWORK, "epoch"], sort=False):
        at: Row = dict(zip([*_NETWORK, "epoch"], key, strict=True))
        median = plain.get((at["transformation"], at["magnitude"], at["seed"], at["epoch"]), float("nan"))
        above = float(own["invariance"].gt(median).mean()) if median == median else float("nan")
        more.append(found("units above the x-only median", above, n=len(own), group="all", **at))
    return pd.DataFrame(more)


def _pairs(rows: pd.DataFrame) -> Iterator[tuple[Row, pd.DataFrame, pd.DataFrame]]:
    """Each network that saw classes transformed, and the one trained on x only, on the same images."""
    for key, own in rows[rows["k"] > 0].groupby(_NETWORK, sort=False):
        network: dict[str, Any] = dict(zip(_NETWORK, key, strict=True))
        plain = rows[(rows["k"] == 0) & rows["split"].isin([0, network["split"]])]
        for name in ("transformation", "magnitude", "seed"):
            plain = plain[plain[name] == network[name]]
        if len(plain):
            yield network, own, plain


def _curve(rows: pd.DataFrame, quantity: str, group: str) -> "pd.Series[float]":
    if (quantity, group) == ("across", "all"):
        quantity = "transformed"
    chosen = rows[(rows["quantity"] == quantity) & (rows["group"] == group)]
    assert chosen["epoch"].is_unique
    return chosen.set_index("epoch")["value"].sort_index()


def _rows(quantity: str, curve: "pd.Series[float]", unit_of_measure: str, at: Row) -> list[Row]:
    return [
        found(quantity, value, n=1, unit_of_measure=unit_of_measure, epoch=epoch, **at)
        for epoch, value in curve.items()
    ]


def _timed(halves: dict[str, float], at: Row) -> Iterator[Row]:
    where = {**at, "epoch": pd.NA, "unit_of_measure": "epochs", "n": 1}
    for name, epoch in halves.items():
        yield found(f"epochs to half of {name}", epoch, **where)
        if name != "invariance":
            yield found(f"lead of invariance over {name}", epoch - halves.get("invariance", float("nan")), **where)
