"""Two networks along the same transformations: how far their curves part, and whether their tolerances go together."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from invariscope.studies.tidy import NAN, Row, found
from invariscope.studies.tolerance_ranks import rank_correlation
from invariscope.studies.tolerance_sweeps import PLATEAU, ends_of

GAP, TOGETHER, ACROSS = "largest gap of the curves", "correlation of class tolerances", "correlation of thresholds"


def pair_rows(tables: dict[str, pd.DataFrame], rows: pd.DataFrame) -> list[Row]:
    """What holds between each network and the next, seed by seed.

    Args:
        tables: the jobs' tables: `curves`, `classes` and, of networks that were loaded, `replicates`.
        rows: the jobs' tidy rows.

    Returns:
        Tidy rows whose `network` is the one, and whose `other` the other.
    """
    found_rows: list[Row] = []
    for seed, first, second in _pairs(tables["networks"]):
        where = {"network": first, "other": second, "seed": seed}
        found_rows += [{**row, **where} for row in _gaps(tables, seed, first, second)]
        found_rows += [{**row, **where} for row in _together(tables["classes"], seed, first, second)]
        found_rows += [{**row, **where} for row in _across(rows, seed, first, second)]
    return found_rows


def _pairs(networks: pd.DataFrame) -> Iterator[tuple[int, str, str]]:
    names = list(dict.fromkeys(networks["network"]))
    for seed in dict.fromkeys(networks["seed"]):
        for first, second in pairwise(names):
            yield int(seed), first, second


def _of(table: pd.DataFrame, seed: int, network: str) -> pd.DataFrame:
    return table[(table["seed"] == seed) & (table["network"] == network)]


def _gaps(tables: dict[str, pd.DataFrame], seed: int, first: str, second: str) -> Iterator[Row]:
    """The largest distance of the two accuracy curves, each in parts of its clean accuracy."""
    curves = tables["curves"]
    both = [_of(curves[curves["class"] == "all"], seed, name) for name in (first, second)]
    drawn = [_of(tables["replicates"], seed, name) for name in (first, second)] if "replicates" in tables else []
    for name in dict.fromkeys(both[0]["transformation"]):
        own = [each[each["transformation"] == name].set_index("magnitude") for each in both]
        magnitudes = own[0].index.intersection(own[1].index)
        clean = own[0].loc[own[0]["identity"], :].index
        if len(magnitudes) < 2 or not len(clean):
            continue
        quality = "accuracy" if own[0]["accuracy"].notna().any() else "agreement"
        means = [np.asarray(each.loc[magnitudes, quality], dtype=np.float64)[None] for each in own]
        place = magnitudes.get_loc(clean[0])
        value, low, high = float(_gap(means[0], means[1], place)[0]), NAN, NAN
        if drawn and all(len(each) for each in drawn):
            one, other = (_replicates(each, name, list(magnitudes)) for each in drawn)
            low, high = ends_of(_gap(one, other, place), around=value)
        yield found(GAP, value, low, high, int(own[0]["n"].iloc[0]), transformation=name)


def _replicates(table: pd.DataFrame, name: str, magnitudes: list[float]) -> np.ndarray:
    own = table[table["transformation"] == name].pivot(index="replicate", columns="magnitude", values="accuracy")
    return own[magnitudes].to_numpy(np.float64)


def _gap(first: np.ndarray, second: np.ndarray, clean: int) -> np.ndarray:
    """Shape (replicate,); NaN where a network is never right on clean images."""
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [each / each[:, clean : clean + 1] for each in (first, second)]
    gap: np.ndarray = np.abs(parts[0] - parts[1]).max(axis=1)
    return np.where(np.isfinite(gap), gap, np.nan)


def _together(classes: pd.DataFrame, seed: int, first: str, second: str) -> Iterator[Row]:
    """Spearman over the classes that both recognise, inside each transformation, both sides together."""
    if classes.empty:
        return
    keys = ["transformation", "side", "class"]
    both = _of(classes, seed, first).merge(_of(classes, seed, second), on=keys, suffixes=("", "_other"))
    both = both[both["recognised"] & both["recognised_other"]]
    for name in dict.fromkeys(both["transformation"]):
        own = both[both["transformation"] == name]
        members = pd.factorize(own["class"])[0].astype(np.int64)
        sides = pd.factorize(own["side"])[0].astype(np.int64)
        one, other = (own[column].to_numpy(np.float64) for column in ("share", "share_other"))
        r, low, high = rank_correlation(one, other, within=sides, members=members)
        yield found(TOGETHER, r, low, high, len(set(members.tolist())), "r", transformation=name)


def _across(rows: pd.DataFrame, seed: int, first: str, second: str) -> Iterator[Row]:
    """Spearman over transformations and their sides of how much images change at the threshold."""
    own = rows[(rows["quantity"] == "change at the threshold") & (rows["level"] == PLATEAU)]
    keys = ["transformation", "side"]
    both = _of(own, seed, first).merge(_of(own, seed, second), on=keys, suffixes=("", "_other"))
    # A threshold beyond the grid is larger than every other.
    one, other = (both[column].fillna(np.inf).to_numpy(np.float64) for column in ("value", "value_other"))
    members = pd.factorize(both["transformation"])[0].astype(np.int64)
    r, low, high = rank_correlation(one, other, members=members)
    yield found(ACROSS, r, low, high, len(both), "r")
