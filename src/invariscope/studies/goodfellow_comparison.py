"""Is the top one per cent of a unit's responses all that matters?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.words import percent
from invariscope.findings.figures import Bars, Figure, Lines, Scatter
from invariscope.findings.finding import Finding
from invariscope.measures.cosine import layer_cosine
from invariscope.measures.evaluate import evaluate
from invariscope.measures.goodfellow import Goodfellow
from invariscope.measures.invariance import Invariance
from invariscope.measures.unrestricted import UnrestrictedInvariance
from invariscope.responses.pair import Pair
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.correlations import with_correlations
from invariscope.studies.goodfellow_findings import find_all
from invariscope.studies.observed import Observed, reference_of
from invariscope.studies.paradigm import CONDITIONS, ParadigmStudy
from invariscope.studies.scales import FACES, SMALL
from invariscope.studies.silenced import conditions_of, counted, shown_at_site, strengths, unit_means
from invariscope.studies.tidy import found, ordered, over_seeds
from invariscope.tolerance.activity import accuracy_curves
from invariscope.tolerance.goodfellow_ablation import SHARES, firing_thresholds, silence_by_firing

LOCAL, UNCONDITIONED = "goodfellow_local", "goodfellow_local_unconditioned"


@STUDIES.add("goodfellow-comparison")
@dataclass(frozen=True)
class GoodfellowComparison(ParadigmStudy):
    """Does all that a network's accuracy rests on lie in the top one per cent of its units' responses?

    A unit fires where its response exceeds a threshold that the top share of its responses to clean images exceeds,
    from 0.5 to 40 %. In every image the units that do not fire are silenced, or those that do. Goodfellow's measure at
    each share, the invariance coefficient, the same over all images, and the cosine between a layer's clean and
    transformed responses are then set against accuracy on classes never seen transformed.

    Source: Jang et al., figure 8 and section 2.2.
    """

    source = "Jang et al., figure 8, section 2.2"
    limits = (
        "A correlation over networks with few seeds is wide, and correlations over all transformations mix how "
        "transformations differ with how networks differ.",
        "At a small share and with few test images of unseen classes many units never fire on them; such units are "
        "left out of the mean of the conditional form.",
        "The cosine and the coefficient answer different questions: one is of a layer, the other of units.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (30, 60), "seeds": (0,), "epochs": 2},
        "small": {"k": (1, 30, 54, 60), "transformations": SMALL},
        "paper": {**FACES, "k": (1, 100, 200, 300, 388)},
    }

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Silence units at every share, and compare the responses in every way."""
        pair = seen.pairs([seen.site])[seen.site.name]
        shown, images = shown_at_site(seen), counted(seen)
        curves = []
        for strength, names in strengths(seen):
            whole = silence_by_firing(shown.tails(strength), pair.clean, seen.labels, shown.reading)
            curves += [
                accuracy_curves(whole.of(images[name][1]), SHARES, name="share").assign(images=name) for name in names
            ]
        reference = reference_of(pair, seen.tau)
        measures = evaluate(pair, reference, seen.groups.weights, [Invariance(), UnrestrictedInvariance()])
        del measures["n_active"], measures["null"]
        row = conditions_of(seen) | {"tau": seen.tau} | unit_means(measures, seen) | _cosines(pair, seen)
        for share, threshold in zip(SHARES, firing_thresholds(pair.clean), strict=True):
            firing = evaluate(pair, replace(reference, firing=threshold), seen.groups.weights, [Goodfellow()])
            means = unit_means({name: firing[name] for name in (LOCAL, UNCONDITIONED)}, seen)
            row |= {f"{name}_{share:g}": value for name, value in means.items()}
        return {"networks": [row], "curves": pd.concat(curves, ignore_index=True)}

    def results(self, tables: Tables) -> pd.DataFrame:
        """Accuracy and cost at every share, the measures, and how each goes with accuracy across classes."""
        rows: list[Row] = []
        for record in tables["curves"].to_dict("records"):
            curve = {str(name): value for name, value in record.items()}
            where = {name: curve[name] for name in (*CONDITIONS, "seed", "images", "silenced", "share")}
            rows.append(found("accuracy", curve["accuracy"], curve["low"], curve["high"], curve["n"], **where))
            rows.append(found("cost", curve["cost"], curve["cost_low"], curve["cost_high"], curve["n"], **where))
        for record in tables["networks"].to_dict("records"):
            network = {str(name): value for name, value in record.items()}
            where = {name: network[name] for name in (*CONDITIONS, "seed")}
            for label, column in compared().items():
                own = {**where, "measure": label, "group": "unseen"}
                rows.append(found("measure", network[column], unit_of_measure="coefficient", **own))
        results = ordered(over_seeds(pd.DataFrame(rows)), self.source, CONDITIONS)
        return with_correlations(results, tables["networks"], compared())

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claims, each with its number."""
        return find_all(results)

    def figures(self) -> list[Figure]:
        """Accuracy at every share, and how each measure goes with accuracy across classes."""
        most = {"k": max(self.k, default=0)}
        silenced = {"inactive": "units that do not fire silenced", "active": "units that fire silenced"}
        return [
            Lines(
                name="ablation",
                title="Accuracy without the units that do not fire, and without those that do",
                caption="Transformed images of seen classes. A dot per network.",
                table="curves",
                where={"images": "within", **most},
                x="share",
                y="accuracy",
                colour="silenced",
                panel="transformation",
                labels=silenced,
                x_label="share of a unit's clean responses that count as firing",
                y_label="accuracy, seen classes",
                share=True,
                log_x=True,
                span=(0, 1),
            ),
            Bars(
                name="correlations",
                title="Which measure goes with accuracy on unseen classes?",
                caption="Pearson's correlation over all networks with seen and unseen classes.",
                where={"quantity": "correlation with across", "transformation": "all together"},
                x="measure",
                x_label="measure",
                y_label="correlation",
            ),
            Bars(
                name="correlations-by-transformation",
                title="The same within each transformation",
                caption="Pearson's correlation over the networks of one transformation.",
                where={
                    "quantity": "correlation with across",
                    "measure": ["invariance", firing_label(0.01), "layer cosine"],
                    "transformation": [name for name, _ in self.transformations],
                },
                x="transformation",
                colour="measure",
                x_label="transformation",
                y_label="correlation",
            ),
            Scatter(
                name="across-by-goodfellow",
                title="Does Goodfellow's measure go with accuracy on unseen classes?",
                caption="A dot per network: mean over units at the top 1 %, on images of unseen classes.",
                table="networks",
                x=f"{LOCAL}_unseen_0.01",
                y="across",
                colour="transformation",
                x_label="share of firing that survives, unseen classes",
                y_label="accuracy, unseen classes",
                share=True,
            ),
        ]


def firing_label(share: float) -> str:
    """What Goodfellow's measure at a top share is called."""
    return f"Goodfellow, top {percent(share, 1 if share < 0.01 else 0)}"


def compared() -> dict[str, str]:
    """What each measure is called, and its column: the invariance coefficient first."""
    columns = {
        "invariance": "invariance_unseen",
        "invariance over all images": "unrestricted_invariance_unseen",
        "layer cosine": "cosine_unseen",
    }
    columns |= {firing_label(share): f"{LOCAL}_unseen_{share:g}" for share in SHARES}
    unconditioned = {f"{firing_label(share)}, any image": f"{UNCONDITIONED}_unseen_{share:g}" for share in SHARES}
    return columns | unconditioned


def _cosines(pair: Pair, seen: Observed) -> Row:
    """The mean cosine over images of each group; images that drive no unit are left out."""
    cosine = layer_cosine(pair.clean, pair.transformed)
    row: Row = {}
    for group in ("all", "seen", "unseen"):
        known = group in seen.groups.names
        own = cosine[seen.groups.weights[seen.groups.names.index(group)] > 0] if known else cosine[:0]
        row[f"cosine_{group}"] = own.nanmean().item()
    return row
