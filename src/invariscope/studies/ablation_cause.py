"""Do invariant units carry accuracy on classes never seen transformed, or only keep company with it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from invariscope.findings.figures import Bars, Figure, Lines
from invariscope.findings.finding import Finding
from invariscope.measures.evaluate import evaluate
from invariscope.measures.invariance import Invariance
from invariscope.measures.specialization import Specialization
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.cause_findings import AMONG, find_all
from invariscope.studies.observed import Observed, reference_of
from invariscope.studies.paradigm import CONDITIONS, ParadigmStudy
from invariscope.studies.scales import FACES, SMALL
from invariscope.studies.silenced import conditions_of, counted, peak_of, shown_at_site, strengths
from invariscope.studies.tidy import found, ordered, over_seeds
from invariscope.tolerance.cause import costs_of_sets, silence_sets
from invariscope.tolerance.unit_sets import INVARIANT_HALF, RANDOM, VARIANT_HALF, UnitSets, make_unit_sets

HALF = "half"
SHOWN = {
    "most invariant": "most invariant",
    "most specialized": "most specialized",
    "towards clean": "prefer clean",
    "towards transformed": "prefer transformed",
    RANDOM: "random",
}


@STUDIES.add("ablation-cause")
@dataclass(frozen=True)
class AblationCause(ParadigmStudy):
    """Does accuracy on classes never seen transformed rest on the invariant units?

    Of the active units of a layer the k most invariant, the most specialized, or as many random ones are silenced in
    all images, k = 1, 2, 4, 8, … up to half. What it costs is counted in accuracy on clean images, on transformed ones
    of seen classes, and of classes never seen transformed. Active units next to each other in mean activity are also
    split, and the more invariant half is silenced against the less invariant half.

    Whether an image of an unseen class is taken for a seen one is a matter of what the network expects as well as of
    what it recognises. So accuracy on unseen classes is counted twice: among all classes, and with only the unseen
    classes to choose from.

    Args:
        repeats: random sets of units per number.

    Source: ours; Jang et al., section 4, leave open whether invariance is the cause.
    """

    source = "ours; Jang et al., section 4"
    limits = (
        "Silencing units tells what the rest of the network does without them, not what training would have made "
        "without them.",
        "Units are ranked by their responses to the same test images whose answers are then counted.",
        "The halves are alike in mean activity, but not in the weights that read them out.",
        "Where accuracy on unseen classes is near chance there is nothing to lose, and costs say nothing.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (30, 54), "seeds": (0,), "epochs": 2},
        "small": {"k": (1, 30, 54), "transformations": SMALL},
        "paper": {**FACES, "k": (100, 200, 300, 350)},
    }

    repeats: int = 10

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Silence the sets of units and count the errors."""
        pair = seen.pairs([seen.site])[seen.site.name]
        reference = reference_of(pair, seen.tau)
        whole = evaluate(pair, reference, seen.groups.weights[:1], [Invariance(), Specialization()])
        invariance, preference, n_active = (
            whole[name][0].cpu().numpy() for name in ("invariance", "specialization", "n_active")
        )
        peak = peak_of(pair)
        mean = ((pair.clean.mean(0) + pair.transformed.mean(0)) / 2 / peak.clamp_min(1e-30)).double().cpu().numpy()
        active = (n_active > 0) & ~np.isnan(invariance) & ~np.isnan(preference)
        seed = int(seen.row.get("seed", 0))
        sets = make_unit_sets(invariance, preference, mean, active, repeats=self.repeats, seed=seed)
        images, shown = counted(seen), shown_at_site(seen)
        images[AMONG] = images["across"]
        tables = []
        unseen = torch.tensor([name not in (seen.network.seen or ()) for name in seen.sets.classes])
        for strength, names, classes in (
            *((*each, None) for each in strengths(seen)),
            (seen.strength, [AMONG], unseen),
        ):
            answers = silence_sets(
                shown.tails(strength), sets.masks, seen.labels, layout=seen.site.layout, classes=classes
            )
            tables += [costs_of_sets(sets, answers.of(images[name][1])).assign(images=name) for name in names]
        halves = _halves(sets, {"invariance": invariance, "activity": mean})
        n = int(active.sum())
        return {
            "networks": [conditions_of(seen) | {"tau": seen.tau, "n_active": n, "n_units": len(active)} | halves],
            "costs": pd.concat(tables, ignore_index=True).assign(
                n_active=n, is_half=lambda table: table["n_units"] == n // 2
            ),
        }

    def results(self, tables: Tables) -> pd.DataFrame:
        """What each kind and number of silenced units costs, and how much more than its control."""
        rows: list[Row] = []
        for record in tables["costs"].to_dict("records"):
            cost = {str(name): value for name, value in record.items()}
            where = {name: cost[name] for name in (*CONDITIONS, "seed", "images", "kind", "control")}
            # Half of the active units is another number in every network.
            where["silenced"] = HALF if cost["is_half"] else str(cost["n_units"])
            rows.append(found("accuracy", cost["accuracy"], n=cost["n"], **where))
            if cost["kind"] == INVARIANT_HALF:
                plain = {name: where[name] for name in (*CONDITIONS, "seed", "images")}
                rows.append(found("unablated accuracy", cost["unablated"], n=cost["n"], **plain))
            rows.append(found("cost", cost["cost"], cost["low"], cost["high"], cost["n"], **where))
            if cost["control"]:
                ends = (cost["excess_low"], cost["excess_high"], cost["n"])
                rows.append(found("cost above its control", cost["excess"], *ends, **where))
        for record in tables["networks"].to_dict("records"):
            network = {str(name): value for name, value in record.items()}
            where = {name: network[name] for name in (*CONDITIONS, "seed")}
            for kind in (INVARIANT_HALF, VARIANT_HALF):
                for quantity in ("invariance", "activity"):
                    value = network[f"{quantity}_{kind.replace(' ', '_')}"]
                    rows.append(found(f"mean {quantity}", value, unit_of_measure="coefficient", kind=kind, **where))
        return ordered(over_seeds(pd.DataFrame(rows)), self.source, CONDITIONS)

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """What silencing costs, with numbers."""
        return find_all(results)

    def figures(self) -> list[Figure]:
        """What each kind of unit costs, by how many are silenced."""
        k = max(self.k, default=0)
        return [
            *(
                Lines(
                    name=f"cost-{images.replace(' ', '-')}",
                    title=f"Accuracy lost, {what}",
                    caption=f"Networks with {k} classes seen transformed; a dot per network. Up to half of the units.",
                    table="costs",
                    where={"images": images, "kind": list(SHOWN), "k": k, "is_half": False},
                    x="n_units",
                    y="cost",
                    colour="kind",
                    panel="transformation",
                    labels=SHOWN,
                    x_label="units silenced",
                    y_label="accuracy lost",
                    share=True,
                    log_x=True,
                )
                for images, what in (
                    ("across", "classes never seen transformed"),
                    (AMONG, "classes never seen transformed, of which one must be chosen"),
                    ("within", "classes seen transformed"),
                    ("clean", "clean images"),
                )
            ),
            Bars(
                name="half",
                title="Accuracy lost without half of the active units",
                caption=f"Networks with {k} classes seen transformed.",
                table="costs",
                where={"kind": list(SHOWN), "k": k, "is_half": True},
                x="images",
                y="cost",
                colour="kind",
                panel="transformation",
                labels={**SHOWN, "within": "seen", "across": "unseen", AMONG: "only unseen", "clean": "clean"},
                x_label="images that are classified",
                y_label="accuracy lost",
                share=True,
            ),
            Bars(
                name="halves",
                title="The more invariant half against the less invariant half, alike in activity",
                caption="Accuracy lost on transformed images of unseen classes, of which one must be chosen.",
                table="costs",
                where={"images": AMONG, "kind": [INVARIANT_HALF, VARIANT_HALF]},
                x="k",
                y="cost",
                colour="kind",
                panel="transformation",
                labels={INVARIANT_HALF: "more invariant half", VARIANT_HALF: "less invariant half"},
                x_label="classes seen transformed in training",
                y_label="accuracy lost",
                share=True,
            ),
        ]


def _halves(sets: UnitSets, values: Mapping[str, np.ndarray]) -> Row:
    """What the matched halves are like: means over their units."""
    row: Row = {}
    for kind in (INVARIANT_HALF, VARIANT_HALF):
        place = sets.kinds.index(kind) if kind in sets.kinds else None
        for name, one in values.items():
            mean = float("nan") if place is None else float(one[sets.masks[place]].mean())
            row[f"{name}_{kind.replace(' ', '_')}"] = mean
    return row
