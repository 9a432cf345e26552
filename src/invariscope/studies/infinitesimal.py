"""Where in a network is sensitivity to small transformations created, and where removed?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.findings.figures import Figure
from invariscope.findings.finding import Finding
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.given import Given, GivenStudy
from invariscope.studies.infinitesimal_figures import figures_of
from invariscope.studies.infinitesimal_findings import find_all
from invariscope.studies.infinitesimal_flips import flip_rows, flips_of
from invariscope.studies.network_names import network_labels
from invariscope.studies.tidy import found, ordered, over_seeds
from invariscope.tolerance.infinitesimal import Sensitivity, sensitivity
from invariscope.transformations.base import TRANSFORMATIONS

_QUANTITIES = {
    "relative": "relative sensitivity",
    "gain": "gain",
    "selectivity_noise": "selectivity against noise",
    "selectivity_phase": "selectivity",
    "equivariance": "equivariance",
}
_CONDITIONS = ("network", "transformation", "layer", "depth")


@STUDIES.add("infinitesimal")
@dataclass(frozen=True)
class Infinitesimal(GivenStudy):
    """Where in a network is sensitivity to small transformations created, and where removed?

    The derivative of every transformation at its identity is carried through all layers in forward mode. A layer's
    relative sensitivity is its change per unit of the transformation over its spread between images, as a multiple of
    the same for the image; its gain is that over the layers before it. Beside it stand random directions with the
    same power spectrum, which tell invariance from contraction, and the motion of the layer's own map, which tells
    equivariance from invariance. Where straight lines would flip each prediction is set against where it flips.

    Args:
        transformations: names of smooth ones; those that change nothing of the images are left out.
        layers: which are measured; the output always is.
        steps: of the search for the magnitude at which predictions flip, to either side; 0 leaves it out.
        replicates: of the bootstrap over images.

    Source: Bunne et al., section II (Goodfellow et al., Lenc & Vedaldi) and IV.
    """

    source = "Bunne et al., section II (after Goodfellow et al. and Lenc & Vedaldi)"
    limits = (
        "A derivative says what the first step does. What happens at 30 degrees may be another matter; the figure of "
        "flips says how far the first step carries.",
        "Sensitivity is counted in the spread of a layer between images: a layer that hardly tells images apart looks "
        "sensitive.",
        "Bilinear reading blurs as well as moves; the derivative is that of the motion alone.",
        "Noise of the same power spectrum is no natural change of an image. A change that is the same everywhere, such "
        "as brightness, is its own noise, so that its selectivity is 1 whatever the network does.",
        "Equivariance is that of the map as it is sampled: behind a stride without a blur, maps move exactly by whole "
        "pixels of their own and not by less, so that most of the fall with depth may be that of aliasing.",
        "Mirror images have no derivative, so that of the claims on flips nothing is said.",
        "A rank correlation over few layers has few values.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {
            "images": "builtin:glyphs?per_class=4",
            "transformations": ("rotation", "brightness"),
            "seeds": (0,),
            "epochs": 1,
            "limit": 40,
            "steps": 6,
            "replicates": 50,
        },
        "small": {"limit": 400, "seeds": (0, 1, 2, 3, 4)},
        "paper": {
            "images": "imagenet",
            "networks": ("torchvision:alexnet?weights=DEFAULT", "torchvision:resnet101?weights=DEFAULT"),
            "seeds": (0,),
            "epochs": 0,
            "limit": 2000,
        },
    }

    transformations: tuple[str, ...] = (
        "translation-x",
        "rotation",
        "zoom",
        "shear",
        "brightness",
        "contrast",
        "hue",
        "gaussian-blur",
        "gaussian-noise",
    )
    layers: str = "activations"
    steps: int = 60
    replicates: int = 500

    def check(self) -> None:
        """Refuse what has no derivative.

        Raises:
            InvariscopeError: what does not fit.
        """
        super().check()
        if not self.transformations:
            raise SettingError("the study needs at least one transformation.")
        if self.steps < 0:
            raise SettingError(f"the search for flips takes steps, or none with 0; got {self.steps}.")
        for name in self.transformations:
            if not TRANSFORMATIONS[name].smooth:
                raise SettingError(f"{name} has no derivative in its magnitude; leave it out.")

    def passes(self) -> float:
        """Two directions per transformation at about two passes each, and the search for flips."""
        return 4.0 * len(self.transformations) + (12.0 * len(self.transformations) if self.steps else 0.0)

    def observe(self, given: Given) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Every layer's derivative along every transformation, and where predictions flip."""
        seen = sensitivity(
            given.network,
            given.images,
            self.transformations,
            layers=self.layers,
            replicates=self.replicates,
            seed=given.seed,
        )
        rows = [*_layer_rows(seen.layers), *_trend_rows(seen)]
        tables: dict[str, pd.DataFrame] = {"layers": seen.layers, "trends": seen.trends}
        images = _answering(seen)
        if self.steps and len(images):
            flips = flips_of(given, images, self.steps)
            rows += flip_rows(flips, given.seed)
            tables["flips"] = flips
        return {"results": rows, **tables}

    def results(self, tables: Tables) -> pd.DataFrame:
        """What was found of every network, then the means over seeds."""
        rows = tables.get("results", pd.DataFrame())
        return rows if rows.empty else ordered(over_seeds(rows), self.source, _CONDITIONS)

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """Where sensitivity is created and removed, and the claims on depth."""
        return find_all(results, tables)

    def figures(self) -> list[Figure]:
        """Profiles over depth, gains, selectivity, equivariance, and flips."""
        return figures_of(network_labels(self.networks), flips=bool(self.steps))


def _answering(seen: Sensitivity) -> pd.DataFrame:
    """The images under those transformations to which the output answers at all."""
    silent = seen.layers[(seen.layers["layer"] == "output") & ~(seen.layers["sensitivity"] > 0)]
    return (
        seen.images[~seen.images["transformation"].isin(silent["transformation"])] if len(seen.images) else seen.images
    )


def _layer_rows(layers: pd.DataFrame) -> list[Row]:
    rows = []
    for row in layers.to_dict("records"):
        conditions = {name: row[name] for name in ("transformation", "layer", "depth")}
        per_step = row["per_step"]
        rows.append(found("sensitivity per step", per_step, n=row["n"], unit_of_measure="spreads", **conditions))
        for column, quantity in _QUANTITIES.items():
            value, low, high = row[column], row[f"{column}_low"], row[f"{column}_high"]
            rows.append(found(quantity, value, low, high, n=row["n"], unit_of_measure="times", **conditions))
        change, low, high = (row[name] - 1 for name in ("gain", "gain_low", "gain_high"))
        rows.append(found("created", change, low, high, n=row["n"], **conditions))
    return [row for row in rows if not pd.isna(row["value"])]


def _trend_rows(seen: Sensitivity) -> list[Row]:
    rows = []
    nowhere = {"layer": None, "depth": float("nan")}
    for row in seen.trends.to_dict("records"):
        quantity, conditions = _QUANTITIES[row["quantity"]], {"transformation": row["transformation"], **nowhere}
        ends = row["correlation"], row["low"], row["high"]
        rows.append(
            found(
                f"rank correlation of {quantity} with depth", *ends, n=row["layers"], unit_of_measure="r", **conditions
            )
        )
        if not pd.isna(row["inside"]):
            rows.append(found(f"least {quantity} inside", *(row["inside"],) * 3, n=row["layers"], **conditions))
    return rows
