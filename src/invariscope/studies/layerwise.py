"""Does invariance build up from layer to layer?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from invariscope.core.errors import LayerError
from invariscope.findings.figures import Figure, Lines
from invariscope.findings.finding import Finding
from invariscope.measures.invariance import Invariance
from invariscope.networks.sites import Site, select_sites
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.layerwise_findings import find_all
from invariscope.studies.observed import Observed
from invariscope.studies.paradigm import ParadigmStudy
from invariscope.studies.scales import FACES, SMALL
from invariscope.studies.tidy import NAN, found
from invariscope.training.paradigm import generator

GROUPS = ("all", "seen", "unseen")
_LEAST_LAYERS = 3


@dataclass(frozen=True)
class _Layer:
    """Mean coefficients of a layer's units, by group of images."""

    invariance: Mapping[str, float]
    null: Mapping[str, float]
    active: Mapping[str, int]


@STUDIES.add("layerwise")
@dataclass(frozen=True)
class Layerwise(ParadigmStudy):
    """Does invariance build up from layer to layer?

    The mean invariance coefficient at every rectifying layer, in the order of execution, over images of seen classes,
    of unseen ones, and of both. A unit is a channel, its largest response counting, or a channel at one position, of
    which some are drawn at random. The null is the same coefficient between an image and the transformed version of
    another one; "above null" is where invariance lies between the null, 0, and perfect invariance, 1.

    Args:
        positions: how many positions of a layer are drawn, at most; 0 leaves positions out.
        layer: which layers, names and globs separated by commas; None is every rectifying one.

    Source: Jang et al., appendix D and figure 11.
    """

    source = "Jang et al., figure 11"
    limits = (
        "The paper does not say whether a unit of a convolution is a channel or a position; both are given. By "
        "position a layer that only moves its responses along with the image looks little invariant to geometric "
        "transformations; by channel, with its largest response, it does not.",
        "Early channels respond to nearly every image, so that even different images agree in them: compare with the "
        "null before reading a high coefficient as invariance.",
        "A rank correlation over few layers has few values; with four layers it says little more than the order.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (1, 54), "seeds": (0,), "epochs": 2, "positions": 200},
        "small": {"k": (1, 30, 54), "transformations": SMALL},
        "paper": {**FACES, "positions": 500},
    }

    positions: int = 1000

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Mean invariance, and how it goes with depth."""
        sites = rectifying_sites(seen)
        rows = []
        for units in ("channels", "positions") if self.positions else ("channels",):
            layers = _layers(seen, sites, self.positions if units == "positions" else None)
            rows += _rows(layers, units) + _with_depth(list(layers.values()), units)
        return {"results": rows}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claim, with its numbers."""
        return find_all(results)

    def figures(self) -> list[Figure]:
        """Invariance by layer: a figure per group of images, one by position, and one with the null."""
        groups = {
            "unseen": "images of classes never seen transformed",
            "seen": "images of classes seen transformed",
            "all": "all images",
        }
        shown = [("channels", group) for group in groups]
        shown += [("positions", "all")] if self.positions else []
        many = max(self.k)
        return [
            *(
                _figure(
                    name=f"{units}-{group}",
                    title=f"Invariance by layer: {units}, {groups[group]}",
                    caption=f"Mean coefficient of the active units; a unit is {_UNIT[units]}. The paper's rows.",
                    where={"quantity": "invariance", "units": units, "group": group},
                    colour="k",
                    labels={},
                )
                for units, group in shown
            ),
            _figure(
                name="null",
                title=f"Invariance and what different images reach, with k = {many}",
                caption="Channels, all images. The null pairs an image with the transformed version of another.",
                where={"quantity": ["invariance", "null"], "units": "channels", "group": "all", "k": many},
                colour="quantity",
                labels={"null": "between different images"},
            ),
        ]


_UNIT = {"channels": "a channel with its largest response", "positions": "a channel at one position"}


def _figure(
    *, name: str, title: str, caption: str, where: dict[str, Any], colour: str, labels: dict[str, str]
) -> Lines:
    return Lines(
        counts="units",
        name=name,
        title=title,
        caption=caption,
        where=where,
        x="layer",
        colour=colour,
        panel="transformation",
        labels=labels,
        x_label="rectifying layers in order",
        y_label="invariance coefficient",
        span=(0, 1),
    )


def rectifying_sites(seen: Observed) -> list[Site]:
    """The layers that are compared, in order of execution.

    Args:
        seen: the network, and the layers where it asks for some.

    Raises:
        LayerError: nothing in the network rectifies.
    """
    if seen.layer is not None:
        return select_sites(seen.sites, seen.layer)
    sites = [site for site in seen.sites if site.kind == "activation"]
    if not sites:
        raise LayerError(f"{seen.network.spec} has no rectifying layer; name the layers to compare with layer=.")
    return sites


def drawn_positions(site: Site, most: int) -> Int[Tensor, " unit"]:
    """Which positions of a layer count as its units: all, or so many drawn at random, the same for all networks.

    Args:
        site: the layer.
        most: how many at most.

    Example:
        >>> site = Site("relu", "activation", "ReLU", (2, 3, 3), "channels-first")
        >>> len(drawn_positions(site, 100)), len(drawn_positions(site, 5))
        (18, 5)
    """
    order = torch.randperm(site.positions, generator=generator(0, f"positions {site.name}"))
    return order[:most].sort().values


def _layers(seen: Observed, sites: list[Site], most: int | None) -> dict[str, _Layer]:
    places = None if most is None else {site.name: drawn_positions(site, most) for site in sites}
    layers = {}
    for name, pair in seen.pairs(sites, places=places).items():
        units = seen.units(pair, [Invariance()])
        grouped = {group: units[units["group"] == group] for group in GROUPS}
        layers[name] = _Layer(
            {group: float(own["invariance"].mean()) for group, own in grouped.items()},
            {group: float(own["null"].mean()) for group, own in grouped.items()},
            {group: int(own["n_active"].gt(0).sum()) for group, own in grouped.items()},
        )
    return layers


def above_null(invariance: float, null: float) -> float:
    """Where invariance lies between what different images reach, 0, and perfect invariance, 1.

    Example:
        >>> above_null(0.75, 0.5), above_null(0.5, 0.5)
        (0.5, 0.0)
    """
    return (invariance - null) / (1 - null) if null < 1 else NAN


def _rows(layers: Mapping[str, _Layer], units: str) -> list[Row]:
    rows = []
    for depth, (name, layer) in enumerate(layers.items(), 1):
        for group in GROUPS:
            value, null, n = layer.invariance[group], layer.null[group], layer.active[group]
            conditions: dict[str, Any] = {"units": units, "group": group, "layer": name, "depth": depth}
            rows += [
                found("invariance", value, n=n, unit_of_measure="coefficient", **conditions),
                found("null", null, n=n, unit_of_measure="coefficient", **conditions),
                found("above null", above_null(value, null), n=n, **conditions),
            ]
    return rows


def _with_depth(layers: list[_Layer], units: str) -> list[Row]:
    rows = []
    for group in GROUPS:
        values = [layer.invariance[group] for layer in layers]
        excess = [above_null(layer.invariance[group], layer.null[group]) for layer in layers]
        for quantity, each in (("invariance", values), ("above null", excess)):
            rows.append(
                found(
                    f"rank correlation of {quantity} with depth",
                    rank_correlation(each),
                    n=len(each),
                    unit_of_measure="r",
                    units=units,
                    group=group,
                )
            )
    return rows


def rank_correlation(values: Sequence[float]) -> float:
    """Spearman's correlation of values with their places in a sequence.

    Args:
        values: one per layer.

    Returns:
        −1 to 1; NaN for fewer than three layers, where one is unknown, or where all are equal.

    Example:
        >>> round(rank_correlation([0.1, 0.3, 0.2, 0.4]), 6), round(rank_correlation([0.3, 0.2, 0.1]), 6)
        (0.8, -1.0)
    """
    from scipy.stats import rankdata

    known = np.array(values, dtype=np.float64)
    if len(known) < _LEAST_LAYERS or np.isnan(known).any() or np.ptp(known) == 0:
        return NAN
    return float(np.corrcoef(rankdata(known), np.arange(len(known)))[0, 1])
