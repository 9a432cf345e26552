"""What the study worst-case says, with its numbers."""

import itertools

import numpy as np
import pandas as pd

from invariscope.core.words import number, percent, spoken
from invariscope.findings.finding import Finding
from invariscope.statistics.student import t_interval
from invariscope.studies.base import Tables
from invariscope.studies.compare import Estimate, difference
from invariscope.studies.evidence import estimate, surely
from invariscope.studies.judge import FEWEST_SEEDS, direction
from invariscope.studies.phrases import sure, tenths

TOGETHER = "together"
# Smallest difference of accuracies that matters.
_LEAST = 0.05


def find_all(results: pd.DataFrame, tables: Tables, points: int) -> list[Finding]:
    """All sentences, network by network, then of pairs.

    Args:
        results: of `WorstCaseStudy.results`.
        tables: of the study.
        points: of the grid over the whole region, the identity included.
    """
    if results.empty:
        return []
    known = tables["networks"]
    rows = results[results["extent"] == 1.0]
    names = list(dict.fromkeys(rows["network"]))
    found = [_below_random(rows, known, name) for name in names]
    axes = [each for each in dict.fromkeys(rows["axis"]) if each != TOGETHER]
    if len(axes) > 1:
        found += [_more_than_one(rows, known, name, axes) for name in names]
    found += [_compared(rows, tables["worst"], known, *pair) for pair in itertools.combinations(names, 2)]
    return [*found, *(_cost(rows, known, name, points) for name in names)]


def _below_random(rows: pd.DataFrame, known: pd.DataFrame, network: str) -> Finding:
    clean, random, least = (
        estimate(rows, known, network, quantity=name, axis=TOGETHER) for name in ("clean", "random", "worst")
    )
    gap = _gap(rows, known, network, {"quantity": "random"}, {"quantity": "worst"}, axis=TOGETHER)
    sentence = (
        f"{network} recognises {percent(clean.value, 1)} of clean images, {percent(random.value, 1)} at random points "
        f"of the region, and {percent(least.value, 1)} at every image's worst point"
        f"{surely(least, known, network, _percent)}."
    )
    return Finding(sentence, direction(gap, _LEAST), "the worst transformation is much worse than a random one")


def _more_than_one(rows: pd.DataFrame, known: pd.DataFrame, network: str, axes: list[str]) -> Finding:
    each = {axis: estimate(rows, known, network, quantity="worst", axis=axis) for axis in axes}
    strongest = min(each, key=lambda axis: each[axis].value)
    together = estimate(rows, known, network, quantity="worst", axis=TOGETHER)
    gap = _gap(rows, known, network, {"axis": strongest}, {"axis": TOGETHER}, quantity="worst")
    alone = ", ".join(f"{percent(found.value, 1)} under {spoken(axis)}" for axis, found in each.items())
    sentence = (
        f"{network}: of each transformation alone the worst leaves {alone}; of all together it leaves "
        f"{percent(together.value, 1)}, {tenths(-gap.value)} points against {spoken(strongest)} alone."
    )
    return Finding(sentence, direction(gap, _LEAST), "together they fool images that none fools alone")


def _compared(rows: pd.DataFrame, worst: pd.DataFrame, known: pd.DataFrame, one: str, other: str) -> Finding:
    values = [estimate(rows, known, name, quantity="worst", axis=TOGETHER) for name in (one, other)]
    gap = difference(rows, {"network": one}, {"network": other}, quantity="worst", axis=TOGETHER)
    how = sure(gap, tenths)
    held = [_held(worst, name) for name in (one, other)]
    if not known["trained"].any() and held[0].index.equals(held[1].index):
        # The same images, so each is its own control.
        low, high = t_interval((held[0] - held[1]).to_numpy(dtype=np.float64))
        how = f" (95 % in {tenths(low)} to {tenths(high)}, image by image)"
    sentence = (
        f"At every image's worst point {one} keeps {percent(values[0].value, 1)} and {other} "
        f"{percent(values[1].value, 1)}: {tenths(values[0].value - values[1].value)} points{how}."
    )
    return Finding(sentence)


def _held(worst: pd.DataFrame, network: str) -> "pd.Series[float]":
    own = worst[worst["network"] == network].set_index(["seed", "image"]).sort_index()
    return (~own["fooled"].astype(bool)).astype(float)


def _cost(rows: pd.DataFrame, known: pd.DataFrame, network: str, points: int) -> Finding:
    passes, *ways = (
        estimate(rows, known, network, quantity=name, axis=TOGETHER).value
        for name in ("passes", "fooled by grid", "fooled by random", "fooled by gradient")
    )
    sentence = (
        f"{network}: the search showed every image {number(passes)} times on average, the grid alone would be "
        f"{points}. Of the images that are recognised clean, {percent(ways[0], 1)} were fooled on the grid, "
        f"{percent(ways[1], 1)} more at random points, and {percent(ways[2], 1)} more along the gradient."
    )
    return Finding(sentence)


def _gap(
    rows: pd.DataFrame,
    known: pd.DataFrame,
    network: str,
    first: dict[str, str],
    second: dict[str, str],
    **where: str,
) -> Estimate:
    """The first less the second: paired over seeds if trained; if loaded, with both intervals put together."""
    own = rows[rows["network"] == network]
    if known.loc[known["network"] == network, "trained"].all():
        return difference(own, first, second, **where)
    a, b = (estimate(rows, known, network, **each, **where) for each in (first, second))
    # The ends of a difference of two independent numbers (Newcombe's method); paired ones are closer.
    low = a.value - b.value - float(np.hypot(a.value - a.low, b.high - b.value))
    high = a.value - b.value + float(np.hypot(a.high - a.value, b.value - b.low))
    return Estimate(a.value - b.value, low, high, FEWEST_SEEDS)


def _percent(share: float) -> str:
    return percent(share, 1)
