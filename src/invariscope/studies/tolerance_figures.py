"""What the study of tolerance draws, and the tables that it draws from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from invariscope.core.words import amount, family, family_order, spoken, title
from invariscope.findings.figures import Figure, Gallery, Intervals, Lines, Scatter
from invariscope.studies.base import Tables
from invariscope.studies.tolerance_pairs import TOGETHER
from invariscope.studies.tolerance_pictures import PLACES
from invariscope.studies.tolerance_softmax import everything, extreme_classes, shown_rows, with_truth
from invariscope.studies.tolerance_sweeps import LEVELS, PLATEAU
from invariscope.tolerance.outputs import ALL
from invariscope.transformations.base import TRANSFORMATIONS

LEAST, MOST = "least tolerant", "most tolerant"
_ROLES = {ALL: "of all classes", LEAST: "of the least tolerant class", MOST: "of the most tolerant class"}


def tables_of(
    tables: Tables, results: pd.DataFrame, classes: Sequence[str], shown: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """The tables that are drawn.

    Args:
        tables: the jobs' tables.
        results: the tidy table.
        classes: whose softmax is drawn; none takes the least and the most tolerant one.
        shown: under which transformations.
    """
    made = {"accuracy_curves": _accuracy(tables["curves"]), "thresholds": _thresholds(results)}
    chosen = list(classes) or extreme_classes(tables["classes"])
    if len(tables.get("softmax", ())):
        roles = dict(zip(chosen, [LEAST, MOST], strict=False)) if not classes else {name: name for name in chosen}
        drawn = with_truth(shown_rows(tables["softmax"], everything(chosen), shown), tables["curves"])
        images = drawn["class"].map(lambda name: "images of all classes" if name == ALL else f"images of {name}")
        made["shown"] = drawn.assign(images=images, role=drawn["class"].map({ALL: ALL, **roles}))
    if len(tables.get("classes", ())):
        made["class_pairs"] = _class_pairs(tables["classes"])
    if len(tables.get("pictures", ())):
        made["at_thresholds"] = _pictures(tables["pictures"])
    return made


def _accuracy(curves: pd.DataFrame) -> pd.DataFrame:
    own = curves[curves["class"] == ALL]
    quality = "accuracy" if own["accuracy"].notna().any() else "agreement"
    columns = {quality: "value", f"{quality}_low": "low", f"{quality}_high": "high"}
    kept = own[["network", "seed", "transformation", "unit_of_measure", "magnitude", "n", *columns]]
    return _by_family(kept.rename(columns=columns))


def _by_family(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order in which families of transformations are drawn everywhere."""
    order = {name: place for place, name in enumerate(sorted(set(rows["transformation"]), key=family_order))}
    place = rows["transformation"].map(order)
    return rows.assign(_place=place).sort_values("_place", kind="stable", ignore_index=True).drop(columns="_place")


def _thresholds(results: pd.DataFrame) -> pd.DataFrame:
    """A row per network, transformation and side: the change of pixels at the threshold, and its magnitude in words."""
    keys = ["network", "transformation", "side"]
    single = results[results["seed"].notna() & (results["level"] == PLATEAU)]
    change = single[single["quantity"] == "change at the threshold"]
    magnitude = single[single["quantity"] == "threshold"]
    if change.empty:
        return change
    means = magnitude.groupby([*keys, "unit_of_measure"], sort=False)["value"].mean().reset_index()
    words = {}
    networks = list(dict.fromkeys(means["network"]))
    for (name, side), own in means.groupby(["transformation", "side"], sort=False):
        by_network = own.set_index("network")
        unit = own["unit_of_measure"].iloc[0]
        at = [amount(by_network["value"].get(network, np.nan), unit, 3) for network in networks]
        words[name, side] = f"{title(str(name))} {'+' if side == '+' else '−'}  ({', '.join(at)})"
    named = change.assign(
        name=[words[pair] for pair in zip(change["transformation"], change["side"], strict=True)],
        family=[family(name) for name in change["transformation"]],
    )
    return _by_family(named)


def _class_pairs(classes: pd.DataFrame) -> pd.DataFrame:
    """The first two networks' tolerances of each class beside one another."""
    networks = list(dict.fromkeys(classes["network"]))[:2]
    if len(networks) < 2:
        return pd.DataFrame(columns=["transformation", "first", "second"])
    keys = ["seed", "transformation", "side", "class"]
    first, second = (classes[classes["network"] == name] for name in networks)
    both = first.merge(second, on=keys, suffixes=("", "_other"))
    both = both[both["recognised"] & both["recognised_other"]]
    paired = both[keys].assign(
        first=both["share"],
        second=both["share_other"],
        first_network=networks[0],
        second_network=networks[1],
    )
    return _by_family(paired)


def _pictures(pictures: pd.DataFrame) -> pd.DataFrame:
    """Those of the first network and seed."""
    own = pictures[
        (pictures["network"] == pictures["network"].iloc[0]) & (pictures["seed"] == pictures["seed"].iloc[0])
    ]
    return _by_family(own)


def figures_of(shown: Sequence[str], classes: Sequence[str] = ()) -> list[Figure]:
    """The figures.

    Args:
        shown: transformations whose softmax curves are drawn.
        classes: whose; none draws the least and the most tolerant one.
    """
    level = f"{PLATEAU * 100:.0f} %"
    return [
        Lines(
            name="accuracy",
            title="Accuracy against magnitude",
            caption="The share of all test images that are classified correctly. Every transformation has its own "
            "unit.",
            table="accuracy_curves",
            x="magnitude",
            colour="network",
            panel="transformation",
            aside="unit_of_measure",
            free_x=True,
            band=True,
            share=True,
            span=(0, 1),
            counts="images",
            y_label="accuracy",
        ),
        Intervals(
            name="thresholds",
            title="How much an image may change",
            caption="The root mean squared change of the pixels, in parts of the range, at the magnitude at which "
            "accuracy "
            f"falls to {level} of its clean value; that magnitude stands in brackets, a network each. Rows without a "
            "dot "
            "never fall so far on the grid.",
            table="thresholds",
            x="value",
            y="name",
            colour="network",
            group="family",
            counts="images",
            x_label="change of the pixels at the threshold, of the range",
        ),
        Gallery(
            name="pictures",
            title="What images look like at the thresholds",
            caption="One image that the first network recognises, at the magnitudes below and above the identity at "
            "which "
            f"its accuracy on all images falls to {' and to '.join(f'{each * 100:.0f} %' for each in LEVELS)} of the "
            "clean "
            "one; below each picture the magnitude, and what the network takes it for.",
            table="at_thresholds",
            where={"place": list(PLACES)},
            x="place",
            y="transformation",
            note="note",
        ),
        *(_softmax(name, role) for name in shown for role in (ALL, *(classes or (LEAST, MOST)))),
        Scatter(
            name="classes",
            title="Tolerance of single classes in both networks",
            caption="A dot is a class on one side of a transformation: how far along the grid its mean softmax falls "
            "to half "
            "of the clean value; at 100 % it does not.",
            table="class_pairs",
            x="first",
            y="second",
            panel="transformation",
            share=True,
            x_share=True,
            correlation=TOGETHER,
            x_label="first network, share of the grid",
            y_label="second network, share of the grid",
        ),
    ]


def _softmax(transformation: str, role: str) -> Lines:
    unit = TRANSFORMATIONS[transformation].unit_of_measure
    of = _ROLES.get(role, f"of {role}")
    return Lines(
        name=f"softmax-{transformation}-{''.join(each if each.isalnum() else '-' for each in role)}",
        title=f"Softmax under {spoken(transformation)}, images {of}",
        caption="Mean softmax of the three classes that reach the highest values anywhere along the curve, in either "
        "network; the line of the others is the maximum of all the rest, those included that the other network has.",
        table="shown",
        where={"transformation": transformation, "role": role},
        x="magnitude",
        y="softmax",
        colour="predicted",
        panel="network",
        aside="images",
        band=True,
        share=True,
        span=(0, 1),
        counts="images",
        x_label=f"{spoken(transformation)}, {unit}",
        y_label="mean softmax",
    )
