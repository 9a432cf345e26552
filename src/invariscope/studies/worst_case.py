"""How much accuracy remains under the worst transformation of every image?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.words import title
from invariscope.findings.figures import Bars, Figure, Gallery, Lines
from invariscope.findings.finding import Finding
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.given import Given, GivenStudy
from invariscope.studies.tidy import found
from invariscope.studies.worst_findings import TOGETHER, find_all
from invariscope.studies.worst_pictures import draw_examples
from invariscope.tolerance.region import Region
from invariscope.tolerance.worst_case import METHODS, WorstCase, worst_case
from invariscope.transformations.base import TRANSFORMATIONS

_ANSWERS = {"clean": "Clean images", "random": "Random points", "worst": "Worst point of every image"}


@STUDIES.add("worst-case")
@dataclass(frozen=True)
class WorstCaseStudy(GivenStudy):
    """How much accuracy remains under the worst transformation of every image within a region?

    For every image the point of the region is sought at which the network is wrong: over a grid that lets go of images
    as soon as they are fooled, then along the gradient. Beside it stand the accuracy on clean images and at random
    points, each transformation alone, and smaller regions.

    Args:
        region: name, lowest and highest magnitude of every transformation, in the order in which they are applied.
        extents: shares of the way from the identity to the region's ends.
        method: "grid", "gradient" or "both".
        steps: magnitudes per axis of the grid.
        restarts: points at which the gradient starts, per image.
        ascent: points that are asked from each start.
        draws: random points per image.
        examples: how many images to show at their worst, per network.

    Source: beyond Bunne et al., who transform all images alike; grid, random points and gradient of Engstrom et al.,
    "Exploring the landscape of spatial robustness" (2019), sections 3 and 4.
    """

    source = "beyond Bunne et al., section IV-A; Engstrom et al. 2019"
    limits = (
        "A search finds points that fool; that it finds none proves nothing. What remains is an upper bound of the "
        "true worst case, and a finer grid or more starts can only lower it.",
        "An image that is turned or moved far may no longer show what its label says; the region decides what counts.",
        "Transformations outside of the region's family (elastic, perspective, colour) are not looked for.",
        "The worst point that the table names is the first that fooled, not the only one.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {
            "images": "builtin:glyphs?per_class=4",
            "seeds": (0,),
            "epochs": 1,
            "limit": 60,
            "extents": (0.5, 1.0),
            "steps": 3,
            "restarts": 2,
            "ascent": 5,
            "draws": 2,
        },
        "small": {"limit": 300},
        "paper": {
            "images": "imagenet",
            "networks": ("torchvision:alexnet?weights=DEFAULT", "torchvision:resnet101?weights=DEFAULT"),
            "seeds": (0,),
            "epochs": 0,
            "limit": 5000,
        },
    }

    region: tuple[tuple[str, float, float], ...] = (
        ("translation-x", -0.1, 0.1),
        ("translation-y", -0.1, 0.1),
        ("rotation", -30.0, 30.0),
    )
    extents: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    method: str = "both"
    steps: int = 5
    restarts: int = 4
    ascent: int = 20
    draws: int = 10
    examples: int = 8

    def check(self) -> None:
        """Refuse what no network could be asked.

        Raises:
            InvariscopeError: what does not fit.
        """
        super().check()
        if self.method not in METHODS:
            raise SettingError(f"method is {', '.join(METHODS[:-1])} or {METHODS[-1]}; got {self.method!r}.")
        if not self.extents or not all(0 < extent <= 1 for extent in self.extents) or 1.0 not in self.extents:
            raise SettingError(f"extents are shares above 0, up to 1 and with it; got {self.extents}.")
        numbers = {"steps": 2, "restarts": 1, "ascent": 2, "draws": 1, "examples": 0}
        for name, least in numbers.items():
            if getattr(self, name) < least:
                raise SettingError(f"{name} is {least} or more; got {getattr(self, name)}.")
        Region.of({name: (low, high) for name, low, high in self.region}, (224, 224))

    def passes(self) -> float:
        """A guess: a fifth of the grid, for images are let go, and random points, for every extent."""
        points = float(self.steps ** len(self.region))
        return len(self.extents) * (points / 5 + self.draws + self.ascent)

    def observe(self, given: Given) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """The worst of every image: in regions of every extent, and along each axis alone."""
        whole = {name: (low, high) for name, low, high in self.region}
        rows: list[Row] = []
        worst, remaining = [], []
        for extent in self.extents:
            seen = self._search(given, {name: _shrunk(name, ends, extent) for name, ends in whole.items()})
            rows += _found(seen, TOGETHER, extent)
            remaining.append(seen.remaining.assign(axis=TOGETHER, extent=extent))
            if extent == 1:
                worst.append(seen.worst)
        for name in whole if len(whole) > 1 else ():
            seen = self._search(given, {name: whole[name]})
            rows += _found(seen, name, 1.0)
            remaining.append(seen.remaining.assign(axis=name, extent=1.0))
        tables: dict[str, Sequence[Row] | pd.DataFrame] = {
            "results": rows,
            "remaining": pd.concat(remaining, ignore_index=True),
            "worst": worst[0],
        }
        if given.folder is not None and self.examples:
            tables["examples"] = draw_examples(given, worst[0], list(whole), self.examples)
        return tables

    def _search(self, given: Given, region: Mapping[str, tuple[float, float]]) -> WorstCase:
        smooth = any(TRANSFORMATIONS[name].smooth and not TRANSFORMATIONS[name].whole for name in region)
        return worst_case(
            given.network,
            given.images,
            region,
            method=self.method if smooth else "grid",
            steps=self.steps,
            restarts=self.restarts,
            ascent=self.ascent,
            draws=self.draws,
            seed=given.seed,
        )

    def named(self, tables: Tables) -> Tables:
        """Pictures of one seed are enough."""
        shown = tables.get("examples", pd.DataFrame())
        return tables if shown.empty else {**tables, "examples": shown[shown["seed"] == shown["seed"].min()]}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """What remains, what does the damage, which network stands more, and what the search cost."""
        return find_all(results, tables, self.steps ** len(self.region))

    def figures(self) -> list[Figure]:
        """Accuracy against the region's extent, axis by axis, and images at their worst."""
        names = {name: title(name) for name, _, _ in self.region} | {TOGETHER: "All together"}
        shown: list[Figure] = [
            Lines(
                name="extent",
                title="What remains as the region grows",
                caption="Accuracy on clean images, at random points of the region, and at every image's worst point, "
                "against the region's extent: at 100 % it is the whole of it.",
                where={"axis": TOGETHER, "quantity": list(_ANSWERS)},
                x="extent",
                colour="quantity",
                panel="network",
                labels=_ANSWERS,
                x_label="extent of the region, of the whole",
                y_label="accuracy",
                share=True,
                span=(0.0, 1.0),
                counts="images",
            ),
            Bars(
                name="axes",
                title="Which transformation does the damage",
                caption="Accuracy at every image's worst point: of each transformation alone, and of all together.",
                where={"extent": 1.0, "quantity": "worst"},
                x="axis",
                colour="network",
                labels=names,
                x_label="what is searched",
                y_label="accuracy that remains",
                share=True,
                counts="images",
            ),
        ]
        if self.examples:
            shown.append(
                Gallery(
                    name="examples",
                    title="Images at their worst",
                    caption="Images that are recognised as they are, and below each the transformation that fools the "
                    "network, with its answer.",
                    table="examples",
                    x="place",
                    y="shown",
                    panel="network",
                    note="note",
                    labels={"clean": "as it is", "worst": "at its worst"},
                )
            )
        return shown


def _shrunk(name: str, ends: tuple[float, float], extent: float) -> tuple[float, float]:
    """A share of the way from the identity to both ends."""
    identity = TRANSFORMATIONS[name].identity
    low, high = (identity + extent * (end - identity) for end in ends)
    return low, high


def _found(seen: WorstCase, axis: str, extent: float) -> list[Row]:
    row = seen.remaining.iloc[0]
    shared: dict[str, Any] = {"n": int(row["n"]), "axis": axis, "extent": extent}
    rows = [
        found("clean", row["clean"], **shared),
        found("random", row["random"], row["random_low"], row["random_high"], **shared),
    ]
    rows.append(found("worst", row["worst"], row["worst_low"], row["worst_high"], **shared))
    right = seen.worst[seen.worst["clean_correct"]]
    for way in ("grid", "random", "gradient"):
        share = (right["found_by"] == way).mean() if len(right) else float("nan")
        rows.append(found(f"fooled by {way}", share, **shared))
    passes = seen.passes / row["n"]
    return [*rows, found("passes", passes, unit_of_measure="per image", **shared)]
