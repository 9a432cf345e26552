"""How many units are active, and does the rest of the activity matter?"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from invariscope.findings.figures import Figure, Lines, Scatter, Violins
from invariscope.findings.finding import Finding
from invariscope.measures.evaluate import evaluate
from invariscope.measures.invariance import Invariance
from invariscope.measures.unrestricted import UnrestrictedInvariance
from invariscope.responses.pair import Pair
from invariscope.studies.active_findings import find_all
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.correlations import with_correlations
from invariscope.studies.observed import Observed, reference_of
from invariscope.studies.paradigm import CONDITIONS, ParadigmStudy
from invariscope.studies.scales import FACES, SMALL
from invariscope.studies.silenced import conditions_of, counted, peak_of, shown_at_site, strengths, unit_means
from invariscope.studies.tidy import found, ordered, over_seeds
from invariscope.tolerance.activity import TAUS, Silenced, accuracy_curves, activity_thresholds, silence_by_activity
from invariscope.tolerance.cardinality import cardinalities
from invariscope.tolerance.tau import choose_tau

OWN, COMMON, GIVEN = "its own tau", "the common tau", "the given tau"
FEW_IMAGES = (0.01, 0.2)
COMPARED = {"invariance": "invariance_unseen", "unrestricted invariance": "unrestricted_invariance_unseen"}
_CHOICE = {
    "tau": "activity threshold",
    "tau_last": "last threshold that passes",
    "tau_half": "threshold of half of the images",
}


@STUDIES.add("active-units")
@dataclass(frozen=True)
class ActiveUnits(ParadigmStudy):
    """Are units active in few images only, and does their weaker activity matter?

    In every test image the units whose activity is at most τ times their peak are silenced, or those above. τ is the
    last value before accuracy on transformed images of seen classes first falls by more than one percentage point:
    each network's own, and a common one, the median over the networks with the most classes seen transformed. Then:
    how many images activate a unit, how many units an image activates, and what the invariance coefficient would be
    without its restriction to active images.

    Source: Jang et al., figures 3a and 7, and section 2.2.
    """

    source = "Jang et al., figures 3a and 7, section 2.2"
    limits = (
        "The threshold is a property of a layer, a network and a set of images: with few images of seen classes one "
        "error is more than a percentage point.",
        "Accuracy with inactive units silenced is at most one point lower on the images that chose the threshold, by "
        "construction; only the half that did not choose tells what it costs.",
        "A network that silence makes answer the right class by its biases alone bounds no threshold.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (30, 60), "seeds": (0,), "epochs": 2},
        "small": {"k": (1, 30, 54, 60), "transformations": SMALL},
        "paper": {**FACES, "k": (1, 100, 200, 300, 388)},
    }

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Silence units at every τ, count active ones, and measure invariance with and without restriction."""
        pair = seen.pairs([seen.site])[seen.site.name]
        taus = sorted({*TAUS, seen.tau})
        shown, thresholds = shown_at_site(seen), activity_thresholds(peak_of(pair), taus)
        images = counted(seen)
        silenced: dict[str, Silenced] = {}
        for strength, names in strengths(seen):
            whole = silence_by_activity(shown.tails(strength), thresholds, seen.labels, shown.reading)
            silenced |= {name: whole.of(images[name][1]) for name in names}
        curves = [accuracy_curves(one, taus).assign(images=name) for name, one in silenced.items()]
        deciding = torch.from_numpy(images["within"][1])
        choice = choose_tau(silenced["within"], taus, seen.labels[deciding], seed=int(seen.row.get("seed", 0)))
        row = conditions_of(seen) | asdict(choice) | {"given_tau": seen.tau}
        measures = evaluate(
            pair, reference_of(pair, seen.tau), seen.groups.weights, [Invariance(), UnrestrictedInvariance()]
        )
        del measures["n_active"], measures["null"]
        return {
            "networks": [row | unit_means(measures, seen)],
            "curves": pd.concat(curves, ignore_index=True),
            "cardinality": pd.concat([_cardinality(pair, tau) for tau in taus]),
            "shares": _shares(pair, seen.tau),
        }

    def results(self, tables: Tables) -> pd.DataFrame:
        """Thresholds, accuracies and cardinalities at each network's τ, the common and the given one; correlations."""
        networks = tables["networks"]
        common = common_tau(networks)
        rows: list[Row] = []
        for record in networks.to_dict("records"):
            network = {str(name): value for name, value in record.items()}
            where = {name: network[name] for name in (*CONDITIONS, "seed")}
            rows += [{**where, **row} for row in _choice_rows(network)]
            own = {name: _of(tables[name], where) for name in ("curves", "cardinality")}
            for at, tau in ((OWN, network["tau"]), (COMMON, common), (GIVEN, network["given_tau"])):
                curves, counts = (each[np.isclose(each["tau"], tau)] for each in own.values())
                rows += [{**where, **row, "at": at} for row in [*_accuracy_rows(curves), *_count_rows(counts)]]
        results = ordered(over_seeds(pd.DataFrame(rows)), self.source, CONDITIONS)
        return with_correlations(results, networks, COMPARED)

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claims, each with its number."""
        return find_all(results, tables["networks"], common_tau(tables["networks"]))

    def figures(self) -> list[Figure]:
        """Both ablation curves, both cardinalities, and invariance with and without restriction."""
        most = {"k": max(self.k, default=0)}
        tau = "activity threshold, as a fraction of a unit's peak"
        silenced = {"inactive": "inactive units silenced", "active": "active units silenced"}
        shares = {"of_images": "images that activate a unit", "of_units": "units active in an image"}
        restricted = {"invariance": "active images only", "unrestricted invariance": "all images"}
        return [
            Lines(
                name="ablation",
                title="Accuracy without inactive, and without active units",
                caption="Transformed images of seen classes. A dot per network.",
                table="curves",
                where={"images": "within", **most},
                x="tau",
                y="accuracy",
                colour="silenced",
                panel="transformation",
                labels=silenced,
                x_label=tau,
                y_label="accuracy, seen classes",
                share=True,
                span=(0, 1),
            ),
            Lines(
                name="ablation-by-k",
                title="Accuracy without inactive units, by classes seen",
                caption="Transformed images of classes never seen transformed, at each network's own threshold.",
                where={"quantity": "accuracy", "images": "across", "at": OWN},
                x="k",
                colour="silenced",
                panel="transformation",
                labels={"none": "nothing silenced", **silenced},
                x_label="classes seen transformed in training",
                y_label="accuracy, unseen classes",
                share=True,
                span=(0, 1),
            ),
            Violins(
                name="cardinalities",
                title="How many images activate a unit, and how many units an image",
                caption=f"Units that are driven at all, and images; activity above {self.tau:g} of the peak counts.",
                table="shares",
                where=most,
                x="transformation",
                colour="share",
                labels=shares,
                y_label="share",
                share=True,
                span=(0, 1),
            ),
            Lines(
                name="cardinalities-by-tau",
                title="Both shares at every threshold",
                caption="Means over units, and over images, whose mean is the same where no unit is dead.",
                table="cardinality",
                where={"share": ["of_images", "of_units"], **most},
                x="tau",
                y="mean",
                colour="share",
                panel="transformation",
                labels=shares,
                x_label=tau,
                y_label="mean share",
                share=True,
                span=(0, 1),
            ),
            Lines(
                name="restriction",
                title="Invariance over active images, and over all",
                caption="Mean over units, on images of classes never seen transformed.",
                where={"quantity": list(restricted), "group": "unseen"},
                x="k",
                colour="quantity",
                panel="transformation",
                labels=restricted,
                x_label="classes seen transformed in training",
                y_label="invariance coefficient",
                span=(0, 1),
            ),
            Scatter(
                name="across-by-unrestricted",
                title="Without the restriction, does invariance go with accuracy?",
                caption="A dot per network: unrestricted invariance on unseen classes, and accuracy on them.",
                table="networks",
                x="unrestricted_invariance_unseen",
                y="across",
                colour="transformation",
                x_label="invariance over all images, unseen classes",
                y_label="accuracy, unseen classes",
                share=True,
            ),
        ]


def common_tau(networks: pd.DataFrame) -> float:
    """One τ for all networks: the median of those of the networks with the most classes seen, from the grid.

    Args:
        networks: one row per network, with `k` and `tau`.

    Returns:
        The lower of two medians; NaN where no such network has a τ.
    """
    known = networks[networks["k"] == networks["k"].max()]["tau"].dropna()
    return statistics.median_low(known) if len(known) else float("nan")


def _cardinality(pair: Pair, tau: float) -> pd.DataFrame:
    counts = cardinalities(pair.clean, pair.transformed, tau)
    alive = counts.of_images[counts.alive]
    few = ((alive >= FEW_IMAGES[0]) & (alive <= FEW_IMAGES[1])).mean() if len(alive) else float("nan")
    table = counts.summary()
    table.insert(0, "tau", tau)
    return table.assign(few=np.where(table["share"] == "of_images", few, np.nan))


def _shares(pair: Pair, tau: float) -> pd.DataFrame:
    counts = cardinalities(pair.clean, pair.transformed, tau)
    values = {"of_images": counts.of_images[counts.alive], "of_units": counts.of_units}
    return pd.concat([pd.DataFrame({"share": name, "value": one}) for name, one in values.items()], ignore_index=True)


def _of(table: pd.DataFrame, where: Row) -> pd.DataFrame:
    own = np.ones(len(table), dtype=bool)
    for name, value in where.items():
        own &= (table[name] == value).to_numpy()
    return table[own]


def _choice_rows(network: Mapping[str, Any]) -> list[Row]:
    """A network's thresholds, what its threshold costs the other half of the images, and its invariance."""
    rows = [
        found(quantity, network[name], n=network["n"], unit_of_measure="fraction of peak", images="within")
        for name, quantity in _CHOICE.items()
    ]
    cost = (network["cost_held_out"], network["cost_low"], network["cost_high"], network["n"] // 2)
    rows.append(found("cost to the other half", *cost, images="within", silenced="inactive"))
    for quantity in ("invariance", "unrestricted invariance"):
        for group in ("all", "seen", "unseen"):
            value = network[f"{quantity.replace(' ', '_')}_{group}"]
            rows.append(found(quantity, value, unit_of_measure="coefficient", group=group))
    return rows


def _accuracy_rows(curves: pd.DataFrame) -> list[Row]:
    """Accuracy and what it costs, of the rows of one τ."""
    rows: list[Row] = []
    for row in curves.to_dict("records"):
        where = {"images": row["images"], "silenced": row["silenced"]}
        rows.append(found("accuracy", row["accuracy"], row["low"], row["high"], row["n"], **where))
        rows.append(found("cost", row["cost"], row["cost_low"], row["cost_high"], row["n"], **where))
        if row["silenced"] == "inactive":
            rows.append(found("accuracy", row["unablated"], n=row["n"], images=row["images"], silenced="none"))
    return rows


def _count_rows(counts: pd.DataFrame) -> list[Row]:
    """Both cardinalities, of the rows of one τ."""
    rows: list[Row] = []
    names = {"of_images": "images that activate a unit", "of_units": "units active in an image"}
    names["clean_units"] = "units active in a clean image"
    for row in counts[counts["share"].isin(list(names))].to_dict("records"):
        quantity = names[row["share"]]
        rows.append(found(f"{quantity}, mean", row["mean"], n=row["n"]))
        rows.append(found(f"{quantity}, median", row["median"], n=row["n"]))
        if row["share"] == "of_images":
            rows.append(found("units that 1 to 20 % of images activate", row["few"], n=row["n"]))
    return rows
