"""Do units specialise in transformed or in clean images where they are not invariant?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch

from invariscope.findings.figures import Bars, Figure, Violins
from invariscope.findings.finding import Finding
from invariscope.measures.invariance import Invariance
from invariscope.measures.specialization import Specialization
from invariscope.responses.pair import Pair
from invariscope.responses.recorder import Strength
from invariscope.statistics.proportions import wilson
from invariscope.studies.all_or_none import AllOrNoneStudy, changes_images
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.naming import labels_of
from invariscope.studies.observed import Observed
from invariscope.studies.specialization_findings import BOTH, ONLY_CLEAN, find_all
from invariscope.studies.tidy import NAN, found
from invariscope.training.paradigm import generator

_STRONG = 0.5
_CERTAIN = 1e-9


@STUDIES.add("specialization")
@dataclass(frozen=True)
class SpecializationStudy(AllOrNoneStudy):
    """Where units are not invariant, do some specialise in transformed images and others in clean ones?

    Networks that saw every class transformed, x + T(x), stand beside ones that saw clean images only, x. A unit's
    specialization S is 1 if it answers to transformed images only, −1 if to clean ones only. How far units differ in it
    is the spread, the standard deviation of S. Because |S| ≤ 1 − I, with I the unit's invariance, the spread is at most
    √mean((1 − I)²); the relative spread is the share of that. What chance would spread is found by exchanging clean and
    transformed for about half of the images.

    Source: Jang et al., appendix D and figure 12.
    """

    source = "Jang et al., figure 12"
    limits = (
        "The size of a unit's specialization is at most 1 less its invariance, so specialization spreads less wherever "
        "invariance is higher: the spread alone says little beyond that; the relative spread is free of it.",
        "That a unit prefers one version says nothing of whether the network uses it; the study ablation-cause "
        "silences units to ask that.",
        "Units that no image drives have no specialization and are left out; networks that saw clean images only may "
        "have units that transformed images never drive, which count as specialised in clean ones.",
    )

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """The specialization of the units under the network's own transformation, or under all if it saw none."""
        own, strengths = self.trained_with(seen), self.strengths(seen)
        rows, units = [], []
        for label, strength in strengths.items():
            if own in (None, label) and changes_images(seen, strength):
                conditions: dict[str, Any] = {
                    "transformation": strength.transformation.name,
                    "magnitude": strength.magnitude,
                    "trained": ONLY_CLEAN if own is None else BOTH,
                }
                table = units_under(seen, strength)
                rows += [{**row, **conditions} for row in summary(table)]
                units.append(table.drop(columns="swapped").assign(**conditions))
        return {"results": rows, "units": pd.concat(units, ignore_index=True)} if units else {"results": []}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claims, each with its number."""
        return find_all(results)

    def figures(self) -> list[Figure]:
        """How specialization is distributed, its tails, and its spread at equal invariance."""
        labels = {label: label.replace("-", " ").capitalize() for label in labels_of(self.transformations)}
        tails = {"prefer clean": "S < −0.5: clean images", "prefer transformed": "S > 0.5: transformed images"}
        return [
            Violins(
                name="specialization",
                title="Specialization of the units",
                caption="1 is a unit that answers to transformed images only, −1 one that answers to clean ones only.",
                table="units",
                where={"trained": [BOTH, ONLY_CLEAN]},
                x="transformation",
                y="specialization",
                colour="trained",
                labels=labels | {BOTH: "every class seen, x + T(x)", ONLY_CLEAN: "clean images only, x"},
                x_label="transformation",
                y_label="specialization coefficient",
                span=(-1, 1),
            ),
            Bars(
                name="tails",
                title="Units that prefer one version",
                caption="Share of the units that are active at all, in networks that saw every class transformed.",
                where={"trained": BOTH, "quantity": list(tails)},
                x="transformation",
                colour="quantity",
                labels=labels | tails,
                x_label="transformation",
                y_label="share of units",
                share=True,
                reference=0.05,
            ),
            Bars(
                name="relative-spread",
                title="Spread of specialization at equal invariance",
                caption="Standard deviation of S as a share of the most that units as invariant could have, and what "
                "chance leaves of it; networks that saw every class transformed.",
                where={"trained": BOTH, "quantity": ["relative spread", "relative spread by chance"]},
                x="transformation",
                colour="quantity",
                labels=labels | {"relative spread": "as measured", "relative spread by chance": "by chance"},
                x_label="transformation",
                y_label="relative spread",
                share=True,
            ),
        ]


def units_under(seen: Observed, strength: Strength) -> pd.DataFrame:
    """The coefficients of a layer's units under one transformation, over all test images.

    Args:
        seen: the network; the layer is its last hidden one unless it says otherwise.
        strength: the transformation.

    Returns:
        `layer`, `unit`, `specialization`, `invariance`, `n_active`, and `swapped`, the specialization after clean and
        transformed were exchanged for about half of the images.
    """
    site = seen.site
    pair = seen.pairs([site], strength)[site.name]
    coin = torch.rand(len(pair.clean), 1, generator=generator(0, "swap")).to(pair.clean.device) < 0.5
    swapped = Pair(torch.where(coin, pair.transformed, pair.clean), torch.where(coin, pair.clean, pair.transformed))
    units = seen.units(pair, [Invariance(), Specialization()])
    by_chance = seen.units(swapped, [Specialization()])["specialization"]
    units = units.assign(layer=site.name, swapped=by_chance)[units["group"] == "all"]
    return units[["layer", "unit", "specialization", "invariance", "n_active", "swapped"]]


def summary(units: pd.DataFrame) -> list[Row]:
    """What the units of a network have in common.

    Args:
        units: of `units_under`.

    Returns:
        Rows: the mean "specialization", its "spread" (standard deviation over units) and "spread by chance", the
        "relative spread", the same "by chance", the shares that "prefer clean" (S < −0.5) and "prefer transformed"
        (S > 0.5) with Wilson's intervals over units, "invariance", "active units".

    Example:
        >>> table = pd.DataFrame({"specialization": [-1.0, 1.0], "invariance": 0.0, "swapped": 0.0, "n_active": 9})
        >>> {row["quantity"]: row["value"] for row in summary(table)}["prefer clean"]
        0.5
    """
    known = units[units["specialization"].notna()]
    n, value = len(known), known["specialization"]
    most = ((1 - known["invariance"]) ** 2).mean() ** 0.5
    rows = [found("specialization", value.mean(), n=n, unit_of_measure="coefficient")]
    for name, spread in (("spread", value.std(ddof=0)), ("spread by chance", known["swapped"].std(ddof=0))):
        rows.append(found(name, spread, n=n, unit_of_measure="coefficient"))
        rows.append(found(f"relative {name}", spread / most if most > _CERTAIN else NAN, n=n))
    for name, strong in (("prefer clean", value < -_STRONG), ("prefer transformed", value > _STRONG)):
        low, high = wilson(int(strong.sum()), n)
        rows.append(found(name, strong.mean(), float(low), float(high), n))
    rows += [
        found("invariance", known["invariance"].mean(), n=n, unit_of_measure="coefficient"),
        found("active units", n, n=len(units), unit_of_measure="units"),
    ]
    return rows
