"""The units of one layer as points, one axis per transformation, and the clusters they form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.measures.evaluate import evaluate
from invariscope.measures.invariance import Invariance
from invariscope.networks.sites import Site
from invariscope.responses.recorder import Strength
from invariscope.statistics.cluster_evidence import Clusters, agreement, find_clusters, stability
from invariscope.statistics.clusters import principal_axes
from invariscope.studies.base import Row
from invariscope.studies.observed import Observed, reference_of
from invariscope.studies.tidy import NAN, found
from invariscope.training.paradigm import generator

HALVES = 20
NO_CLUSTERS = "no clusters"
_FEWEST = 10


@dataclass(frozen=True)
class Layer:
    """The coefficients of a layer's units, over all test images first, then over pairs of halves.

    Args:
        transformations: their names.
        invariance: shape (row, unit, transformation).
        n_active: images that drive the unit; shape (row, unit, transformation).
        null: mean over units of what different images reach, by transformation.
    """

    transformations: tuple[str, ...]
    invariance: Float[np.ndarray, "row unit transformation"]
    n_active: Float[np.ndarray, "row unit transformation"]
    null: tuple[float, ...]

    def known(self, least: int, most: int) -> Int[np.ndarray, " known"]:
        """The units that at least so many images drive under every transformation; at most so many, drawn at random."""
        units = np.flatnonzero((self.n_active[0] >= least).all(axis=1))
        random = np.random.Generator(np.random.PCG64(0))
        return units if len(units) <= most else np.sort(random.choice(units, most, replace=False))


def halves_of(n_images: int, pairs: int = HALVES) -> Float[Tensor, "row image"]:
    """All images, then pairs of halves, each drawn at random; 1 where an image belongs.

    Example:
        >>> rows = halves_of(4, pairs=1)
        >>> rows[0].tolist(), (rows[1] + rows[2]).tolist(), rows[1].sum().item()
        ([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], 2.0)
    """
    draws, rows = generator(0, "halves"), [torch.ones(n_images)]
    for _ in range(pairs):
        first = (torch.randperm(n_images, generator=draws) < n_images // 2).float()
        rows += [first, 1 - first]
    return torch.stack(rows)


def layers_of(seen: Observed, sites: Sequence[Site], transformations: dict[str, Strength]) -> dict[str, Layer]:
    """The invariance of every unit to every transformation.

    Args:
        seen: the network.
        sites: which layers.
        transformations: by name, as test images get them.

    Returns:
        By layer, in order.
    """
    weights = halves_of(len(seen.sets.test))
    values: dict[str, list[dict[str, Tensor]]] = {site.name: [] for site in sites}
    for strength in transformations.values():
        for name, pair in seen.pairs(sites, strength).items():
            values[name].append(evaluate(pair, reference_of(pair, seen.tau), weights, [Invariance()]))
    return {name: _stacked(tuple(transformations), own) for name, own in values.items()}


def _stacked(names: tuple[str, ...], own: Sequence[dict[str, Tensor]]) -> Layer:
    invariance, n_active = (
        np.stack([each[column].cpu().numpy() for each in own], axis=-1) for column in ("invariance", "n_active")
    )
    return Layer(names, invariance, n_active, tuple(float(each["null"][0].nanmean()) for each in own))


def clusters_of(layer: Layer, *, least: int, most: int, draws: int) -> dict[str, pd.DataFrame]:
    """Whether a layer's units form clusters, and which.

    Args:
        layer: the units.
        least: images that must drive a unit under every transformation.
        most: units that are looked at, at most.
        draws: of points without clusters.

    Returns:
        "results": rows. "units": `unit`, its invariance by transformation, `cluster` ("A" is the largest), and `first`
        and `second`, its place along the directions of largest spread. "centres": by cluster and transformation
        `value`, the mean invariance, `difference` from the mean of all units, `units`, how many, and `most`, the
        transformation with the largest difference.
    """
    units = layer.known(least, most)
    points = layer.invariance[0][units].astype(np.float64)
    seen = find_clusters(points, draws=draws) if len(units) >= _FEWEST else None
    rows = _means(layer, points)
    rows.append(found("units", len(units), n=len(layer.invariance[0]), unit_of_measure="units"))
    if seen is not None:
        rows += [*_evidence(seen, points), _halves(layer, units, seen.count, least)]
    together = seen.labels if seen is not None and seen.found else np.zeros(len(units), dtype=np.int64)
    names = [chr(ord("A") + place) for place in range(6)] if seen is not None and seen.found else [NO_CLUSTERS]
    table = pd.DataFrame({"unit": units, "cluster": [names[label] for label in together]})
    for place, name in enumerate(layer.transformations):
        table[name] = points[:, place]
    axes = principal_axes(points) if len(units) > 1 else np.full((len(units), 2), NAN)
    table["first"], table["second"] = axes[:, 0], axes[:, 1]
    centres = _centres(layer.transformations, points, together, names)
    return {"results": pd.DataFrame(rows), "units": table, "centres": centres}


def which_or_how_much(points: Float[np.ndarray, "unit transformation"], labels: Int[np.ndarray, " unit"]) -> float:
    """The share of what parts clusters that is which transformation, not how invariant their units are to all.

    Each centre's difference from the mean of all units is split into its mean over transformations, and the rest;
    the share of the rest in the sum of squares over units.

    Args:
        points: coefficients; shape (unit, transformation).
        labels: clusters, from 0; shape (unit,).

    Returns:
        From 0, all units of a cluster are more invariant to everything alike, to 1; a difference in no particular
        direction has 1 − 1/transformations.

    Example:
        >>> which_or_how_much(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1]))
        1.0
        >>> which_or_how_much(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1]))
        0.0
    """
    sizes = np.bincount(labels)[:, None]
    gaps = np.stack([points[labels == place].mean(axis=0) for place in range(len(sizes))]) - points.mean(axis=0)
    which = gaps - gaps.mean(axis=1, keepdims=True)
    every = float((sizes * gaps**2).sum())
    return float((sizes * which**2).sum()) / every if every else NAN


def _means(layer: Layer, points: np.ndarray) -> list[Row]:
    rows = []
    for place, (name, null) in enumerate(zip(layer.transformations, layer.null, strict=True)):
        mean = float(points[:, place].mean()) if len(points) else NAN
        rows += [
            found(quantity, value, n=len(points), unit_of_measure="1", transformation=name)
            for quantity, value in (("invariance", mean), ("null", null))
        ]
    return rows


def _evidence(seen: Clusters, points: np.ndarray) -> list[Row]:
    n = len(points)
    values = {
        "silhouette": seen.silhouette,
        "silhouette of shuffled columns": seen.shuffled.mean,
        "silhouette of one cloud": seen.cloud.mean,
        "silhouette beyond shuffled columns": seen.shuffled.margin,
        "silhouette beyond one cloud": seen.cloud.margin,
        "margin of shuffled columns, 95 %": seen.shuffled.quantile,
        "margin of one cloud, 95 %": seen.cloud.quantile,
        "stability over draws of units": stability(points, seen.labels),
    }
    rows = [found(name, value, n=n, unit_of_measure="1") for name, value in values.items()]
    rows.append(found("difference by which transformation", which_or_how_much(points, seen.labels), n=n))
    rows.append(found("networks with clusters", float(seen.found), n=n))
    rows.append(found("networks with strays only", float(not seen.fair), n=n))
    return [*rows, found("clusters", seen.count if seen.found else 1, n=n, unit_of_measure="clusters")]


def _halves(layer: Layer, units: np.ndarray, count: int, least: int) -> Row:
    """How alike the clusters are that two halves of the images give, over units that both halves know."""
    found_alike, n = [], 0
    for row in range(1, len(layer.invariance), 2):
        both = units[(layer.n_active[row : row + 2, units] >= least).all(axis=(0, 2))]
        if len(both) >= _FEWEST:
            first, second = layer.invariance[row : row + 2, both].astype(np.float64)
            found_alike.append(agreement(first, second, count))
            n = max(n, len(both))
    known = [value for value in found_alike if value == value]
    value = float(np.mean(known)) if known else NAN
    return found("stability over halves of the images", value, n=n, unit_of_measure="1")


def _centres(names: Sequence[str], points: np.ndarray, labels: np.ndarray, clusters: Sequence[str]) -> pd.DataFrame:
    rows: list[Row] = []
    for label in np.unique(labels):
        own = points[labels == label]
        centre, gap = own.mean(axis=0), own.mean(axis=0) - points.mean(axis=0)
        most = names[int(gap.argmax())] if gap.max() > 1e-12 else "none"
        rows += [
            {"cluster": clusters[label], "units": len(own), "most": most}
            | {"transformation": name, "value": float(centre[place]), "difference": float(gap[place])}
            for place, name in enumerate(names)
        ]
    columns = ["cluster", "units", "most", "transformation", "value", "difference"]
    return pd.DataFrame(rows, columns=columns)
