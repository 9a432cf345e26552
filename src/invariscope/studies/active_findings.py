"""What the study active-units says of the paper's claims, with its numbers."""

from typing import Any

import numpy as np
import pandas as pd

from invariscope.core.words import listed, number, percent, spoken
from invariscope.findings.finding import Finding
from invariscope.studies.compare import Estimate, by_seed, difference, mean_of
from invariscope.studies.correlations import CENTRED, POOLED
from invariscope.studies.judge import direction, equality, nearness


def find_all(results: pd.DataFrame, networks: pd.DataFrame, common: float) -> list[Finding]:
    """All sentences.

    Args:
        results: of `ActiveUnits.results`.
        networks: one row per network.
        common: the τ that all networks share; NaN where there is none.
    """
    rows = results[results["k"].notna()]
    most = int(rows["k"].max())
    last = rows[rows["k"] == most]
    seen = f"{most} of {int(last['n_classes'].iloc[0])} classes seen transformed"
    found = [_threshold(last, networks[networks["k"] == most], seen)]
    if not np.isnan(common):
        counts = last[last["at"] == "the common tau"]
        found += [_images(counts, common), _units(counts, common), *_silenced(last, common)]
    return [*found, *_few_seen(rows, networks), *_restriction(rows, most), *_correlated(results)]


def _threshold(last: pd.DataFrame, networks: pd.DataFrame, seen: str) -> Finding:
    rows = last[last["quantity"] == "activity threshold"]
    per_seed = rows[rows["seed"].notna()].groupby("seed")["value"].median()
    tau = mean_of(per_seed)
    each = {spoken(str(name)): part["tau"].median() for name, part in networks.groupby("transformation", sort=False)}
    sentence = (
        f"With {seen}, the activity threshold is {number(tau.value, 2)} of a unit's peak{_interval(tau)}, the median "
        f"over transformations: {listed([f'{name} {number(value, 2)}' for name, value in each.items()], most=12)}."
    )
    return Finding(sentence, nearness(tau, 0.1, 0.05), "the threshold is about 0.1 of the peak")


def _images(counts: pd.DataFrame, tau: float) -> Finding:
    few = _over_transformations(counts, quantity="units that 1 to 20 % of images activate")
    median = _over_transformations(counts, quantity="images that activate a unit, median")
    sentence = (
        f"At the threshold {number(tau, 2)} the median unit is activated by {percent(median.value)} of the images; "
        f"{percent(few.value)} of the units are activated by 1 to 20 %{_interval(few, shares=True)}."
    )
    return Finding(sentence, direction(_less(few, 0.5)), "1 to 20 % of the images activate a unit")


def _units(counts: pd.DataFrame, tau: float) -> Finding:
    share = _over_transformations(counts, quantity="units active in an image, mean")
    clean = _over_transformations(counts, quantity="units active in a clean image, mean")
    sentence = (
        f"At the threshold {number(tau, 2)} an image activates {percent(share.value)} of the units, by itself or "
        f"transformed{_interval(share, shares=True)}; the clean image alone {percent(clean.value)}."
    )
    return Finding(sentence, nearness(share, 0.15, 0.05), "10 to 20 % of the units are active in an image")


def _silenced(last: pd.DataFrame, tau: float) -> list[Finding]:
    cost = _over_transformations(last, quantity="cost to the other half")
    held_out = (
        f"When one half of the images chooses the threshold, the other half loses {_in_points(cost)} of accuracy "
        "without its inactive units, the mean over transformations."
    )
    within = last[(last["quantity"] == "accuracy") & (last["images"] == "within") & (last["at"] == "the common tau")]
    plain, active, inactive = (_over_transformations(within, silenced=name) for name in ("none", "active", "inactive"))
    chance = 1 / float(last["n_classes"].iloc[0])
    left = (
        f"At the common threshold {number(tau, 2)}, accuracy on transformed images of seen classes is "
        f"{percent(plain.value, 1)}; {percent(inactive.value, 1)} without the inactive units, and "
        f"{percent(active.value, 1)}{_interval(active, shares=True)} without the active ones, where chance is "
        f"{percent(chance, 1)}."
    )
    above = _less(active, chance)
    return [
        Finding(held_out, equality(cost, 0.01), "silencing inactive units costs less than one point"),
        Finding(left, nearness(active, 0.05, 0.05), "without the active units accuracy is very low"),
        Finding(
            f"Without the active units accuracy lies {_in_points(above)} above chance.",
            direction(above, 0.01),
            "without the active units accuracy is above chance",
        ),
    ]


def _few_seen(rows: pd.DataFrame, networks: pd.DataFrame) -> list[Finding]:
    """Where the rule says little: networks with few classes seen, of which hardly any image decides."""
    least = int(rows["k"].min())
    few = networks[networks["k"] == least]
    if least == int(rows["k"].max()) or few["tau"].isna().all():
        return []
    low, high = few["tau"].min(), few["tau"].max()
    sentence = (
        f"With {least} {'class' if least == 1 else 'classes'} seen the rule gives thresholds from {number(low, 2)} to "
        f"{number(high, 2)} ({int(few['n'].min())} images decide), which is why all networks share one."
    )
    return [Finding(sentence)]


def _restriction(rows: pd.DataFrame, most: int) -> list[Finding]:
    own = rows[(rows["group"] == "all") & (rows["k"] == most)]
    gap = difference(own, {"quantity": "unrestricted invariance"}, {"quantity": "invariance"})
    values = [_over_transformations(own, quantity=name).value for name in ("invariance", "unrestricted invariance")]
    sentence = (
        f"Over active images the mean invariance of units is {number(values[0], 2)}, over all images "
        f"{number(values[1], 2)}{_interval(gap, what='a difference in ')}."
    )
    return [
        Finding(
            sentence,
            direction(gap, 0.05),
            "without the restriction to active images, indifference counts as invariance",
        )
    ]


def _correlated(results: pd.DataFrame) -> list[Finding]:
    found = []
    for name in (POOLED, CENTRED):
        own = results[(results["transformation"] == name) & results["value"].notna()]
        r = own[own["quantity"] == "correlation with across"].set_index("measure")["value"]
        gain = own[own["quantity"] == "gain in correlation with across"]
        if len(r) < 2 or gain.empty:
            continue
        row = gain.iloc[0]
        estimate = Estimate(row["value"], row["low"], row["high"], int(row["n"]))
        sentence = (
            f"Networks, {name}: invariance over active images correlates with accuracy on unseen classes with r = "
            f"{number(r['invariance'], 2)}, over all images with r = {number(r['unrestricted invariance'], 2)}"
            f"{_interval(estimate, what='a difference in ')}."
        )
        found.append(
            Finding(sentence, direction(estimate, 0.05), "without the restriction, invariance goes less with accuracy")
        )
    return found


def _over_transformations(rows: pd.DataFrame, **where: Any) -> Estimate:
    """The mean over transformations inside each seed, then over seeds."""
    return mean_of(by_seed(rows, **where))


def _less(estimate: Estimate, value: float) -> Estimate:
    return Estimate(estimate.value - value, estimate.low - value, estimate.high - value, estimate.n)


def _in_points(estimate: Estimate) -> str:
    if estimate.n < 2:
        return f"{number(100 * estimate.value, 2)} points"
    ends = f"{number(100 * estimate.low, 2)} to {number(100 * estimate.high, 2)}"
    return f"{number(100 * estimate.value, 2)} points (95 % in {ends} over {estimate.n} seeds)"


def _interval(estimate: Estimate, *, shares: bool = False, what: str = "") -> str:
    if np.isnan(estimate.low):
        return ""
    say = percent if shares else lambda value: number(value, 2)
    return f" ({what}95 % in {say(estimate.low)} to {say(estimate.high)})"
