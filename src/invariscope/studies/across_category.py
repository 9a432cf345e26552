"""Does invariance that is learned on some classes carry over to others?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from invariscope.findings.figures import Figure, Lines, Scatter, Violins
from invariscope.findings.finding import Finding
from invariscope.measures.invariance import Invariance
from invariscope.measures.specialization import Specialization
from invariscope.studies.across_findings import find_all
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.compare import Estimate, correlation
from invariscope.studies.correlations import CENTRED, POOLED
from invariscope.studies.observed import Observed
from invariscope.studies.paradigm import CONDITIONS, ParadigmStudy
from invariscope.studies.scales import FACES, SMALL
from invariscope.studies.tidy import found, ordered

GROUPS = ("all", "seen", "unseen")


@STUDIES.add("across-category")
@dataclass(frozen=True)
class AcrossCategory(ParadigmStudy):
    """Does a network that sees k classes transformed recognise the other classes transformed, and by invariance?

    Networks are trained in the seen/unseen-transformed paradigm; each is measured at its own transformation and
    magnitude, in its last hidden layer. The invariance of a layer is the mean coefficient of its units that are active
    at all, over images of classes seen transformed in training, and over images of the others.

    Source: Jang et al., figures 2b, 2c, 3b, 3c, 4, 5, 9, 10, 13 and 14.
    """

    source = "Jang et al., figures 2b, 2c, 3b, 3c, 4, 5, 9, 10, 13, 14"
    limits = (
        "Networks of one seed share images, initial weights and nested sets of seen classes; intervals are over seeds, "
        "so with few seeds they are wide.",
        "With k close to the number of classes only few classes are left unseen, and accuracy across rests on them.",
        "A correlation of invariance with accuracy does not say that invariance is the cause; the study ablation-cause "
        "silences units to ask that.",
        "With ten classes the effect may not appear at all: it needs many.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (1, 54), "seeds": (0,), "epochs": 2},
        "small": {"k": (0, 1, 15, 30, 45, 54, 60), "transformations": SMALL},
        "paper": FACES,
    }

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Accuracies, and the coefficients of the units, by group of test images."""
        units = last_hidden_units(seen)
        row = network_row(seen, units)
        rows = [
            found(name, row[name], row[f"{name}_low"], row[f"{name}_high"], row[f"{name}_n"], group=group)
            for name, group in (("clean", "all"), ("within", "seen"), ("across", "unseen"))
        ]
        for group in GROUPS:
            n = row[f"n_active_{group}"]
            rows += [
                found(name, row[f"{name}_{group}"], n=n, unit_of_measure="1", group=group)
                for name in ("invariance", "specialization", "null")
            ]
            rows.append(
                found("active units", n, n=len(units[units["group"] == "all"]), unit_of_measure="units", group=group)
            )
        return {"results": rows, "units": units, "networks": [row]}

    def results(self, tables: Tables) -> pd.DataFrame:
        """What was found in every network, the means over seeds, and how invariance and accuracy go together."""
        results = super().results(tables)
        rows = ordered(_correlations(tables["networks"]), self.source, CONDITIONS)
        return pd.concat([results, rows[results.columns]], ignore_index=True)

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claims, each with its number."""
        return find_all(results)

    def figures(self) -> list[Figure]:
        """Accuracy and invariance against the number of classes seen, and against each other."""
        seen = "classes seen transformed in training"
        groups = {"within": "seen classes", "across": "unseen classes", "seen": "seen classes"}
        groups["unseen"] = "unseen classes"
        return [
            Lines(
                counts="images",
                name="accuracy",
                title="Accuracy on transformed images",
                caption="Classes that the network saw transformed in training, and classes that it did not.",
                where={"quantity": ["within", "across"]},
                x="k",
                colour="quantity",
                panel="transformation",
                labels=groups,
                x_label=seen,
                y_label="accuracy",
                share=True,
                span=(0, 1),
            ),
            Lines(
                counts="units",
                name="invariance",
                title="Invariance of the last hidden layer",
                caption="Mean invariance coefficient of the units that are active, over the same images.",
                where={"quantity": "invariance", "group": ["seen", "unseen"]},
                x="k",
                colour="group",
                panel="transformation",
                labels=groups,
                x_label=seen,
                y_label="invariance coefficient",
                span=(0, 1),
            ),
            Violins(
                name="units",
                title="Invariance of single units",
                caption="The invariance coefficients of all units that are active, all seeds together.",
                table="units",
                where={"group": ["seen", "unseen"]},
                x="k",
                y="invariance",
                colour="group",
                panel="transformation",
                labels=groups,
                x_label=seen,
                y_label="invariance coefficient",
                span=(0, 1),
            ),
            Scatter(
                name="across-by-invariance",
                title="Does invariance go with accuracy on unseen classes?",
                caption="A dot per network: mean invariance on images of unseen classes, and accuracy on them.",
                table="networks",
                x="invariance_unseen",
                y="across",
                colour="transformation",
                x_label="invariance coefficient, unseen classes",
                y_label="accuracy, unseen classes",
                share=True,
                correlation="correlation of invariance with across",
            ),
            Scatter(
                name="within-by-invariance",
                title="Does invariance go with accuracy on seen classes?",
                caption="A dot per network: mean invariance on images of seen classes, and accuracy on them.",
                table="networks",
                x="invariance_seen",
                y="within",
                colour="transformation",
                x_label="invariance coefficient, seen classes",
                y_label="accuracy, seen classes",
                share=True,
                correlation="correlation of invariance with within",
            ),
        ]


def last_hidden_units(seen: Observed) -> pd.DataFrame:
    """The coefficients of a layer's units, by group of test images.

    Args:
        seen: the network; the layer is its last hidden one unless it says otherwise.

    Returns:
        `layer`, `group`, `unit`, `invariance`, `specialization`, `null`, `n_active`.
    """
    site = seen.site
    units = seen.units(seen.pairs([site])[site.name], [Invariance(), Specialization()])
    units.insert(0, "layer", site.name)
    return units[["layer", "group", "unit", "invariance", "specialization", "null", "n_active"]]


def network_row(seen: Observed, units: pd.DataFrame) -> Row:
    """A network in one row: its accuracies, and means over the units that are active at all.

    Args:
        seen: the network.
        units: of `last_hidden_units`.

    Returns:
        The conditions, `clean`, `within`, `across` with intervals and numbers of images, `layer`, `tau`, and
        `invariance_`, `specialization_` (its size), `null_` and `n_active_` for the groups all, seen and unseen; NaN
        where there is no image or no such unit.

    Source: Jang et al., equation 1 and figure 12.
    """
    row = {name: value for name, value in seen.row.items() if name != "seconds"}
    row |= {"layer": units["layer"].iloc[0], "tau": seen.tau}
    for group in GROUPS:
        own = units[units["group"] == group]
        row[f"invariance_{group}"] = own["invariance"].mean()
        row[f"specialization_{group}"] = own["specialization"].abs().mean()
        row[f"null_{group}"] = own["null"].mean()
        row[f"n_active_{group}"] = int(own["n_active"].gt(0).sum())
    return row


def _correlations(networks: pd.DataFrame) -> pd.DataFrame:
    """Over networks with seen and unseen classes: within each transformation, pooled, and pooled after centring."""
    trained = networks[(networks["k"] > 0) & (networks["k"] < networks["n_classes"])]
    sets = {name: trained[trained["transformation"] == name] for name in dict.fromkeys(trained["transformation"])}
    rows: list[Row] = []
    for accuracy, group in (("across", "unseen"), ("within", "seen")):
        for rank, kind in ((False, "correlation"), (True, "rank correlation")):
            quantity, column = f"{kind} of invariance with {accuracy}", f"invariance_{group}"
            estimates = {name: correlation(part, column, accuracy, rank=rank) for name, part in sets.items()}
            estimates[POOLED] = correlation(trained, column, accuracy, rank=rank)
            estimates[CENTRED] = correlation(trained, column, accuracy, rank=rank, centre="transformation")
            rows += [_row(quantity, name, group, estimate) for name, estimate in estimates.items()]
    return pd.DataFrame(rows).astype({"seed": "Int64", "k": "Int64", "n_classes": "Int64"})


def _row(quantity: str, name: str, group: str, estimate: Estimate) -> Row:
    numbers = (estimate.value, estimate.low, estimate.high, estimate.n)
    unknown: Row = {"magnitude": float("nan"), "k": pd.NA, "n_classes": pd.NA, "seed": pd.NA}
    return unknown | found(quantity, *numbers, unit_of_measure="r", transformation=name, group=group)
