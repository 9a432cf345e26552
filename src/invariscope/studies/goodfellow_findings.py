"""What the study goodfellow-comparison says of the paper's claims, with its numbers."""

import numpy as np
import pandas as pd

from invariscope.core.words import number, percent, title
from invariscope.findings.finding import Finding
from invariscope.studies.compare import Estimate, by_seed, mean_of
from invariscope.studies.correlations import CENTRED, POOLED
from invariscope.studies.judge import direction, nearness

ONE, NEAR_CHANCE = 0.01, 0.05


def find_all(results: pd.DataFrame) -> list[Finding]:
    """All sentences.

    Args:
        results: of `GoodfellowComparison.results`.
    """
    rows = results[results["k"].notna()]
    most = int(rows["k"].max())
    last = rows[(rows["k"] == most) & (rows["images"] == "within")]
    names = list(dict.fromkeys(last["transformation"]))
    lost = [_lost(last[last["transformation"] == name], str(name)) for name in names]
    return [*lost, _recovered(last), *_correlated(results)]


def _lost(own: pd.DataFrame, name: str) -> Finding:
    cost = mean_of(by_seed(own, quantity="cost", silenced="inactive", share=ONE))
    left = mean_of(by_seed(own, quantity="accuracy", silenced="inactive", share=ONE))
    kept = mean_of(by_seed(own, quantity="accuracy", silenced="active", share=ONE))
    sentence = (
        f"{title(name)}: with only the top 1 % of each unit's responses left, accuracy on transformed images of seen "
        f"classes is {percent(left.value)}, {number(100 * cost.value, 2)} points less{_points(cost)}; without those it "
        f"is {percent(kept.value)}."
    )
    return Finding(sentence, direction(cost, 0.2), "activity outside the top 1 % still carries much of the accuracy")


def _recovered(last: pd.DataFrame) -> Finding:
    """The smallest share that is enough: without the rest accuracy is kept, and without it there is none."""
    keys = ["transformation", "seed"]
    rows = last[last["seed"].notna()]
    chance = 1 / float(last["n_classes"].iloc[0])
    cost = rows[(rows["quantity"] == "cost") & (rows["silenced"] == "inactive")].set_index([*keys, "share"])["value"]
    left = rows[(rows["quantity"] == "accuracy") & (rows["silenced"] == "active")].set_index([*keys, "share"])["value"]
    kept, gone = cost <= 0.01 + 1e-9, left <= chance + NEAR_CHANCE
    shares = sorted(rows["share"].dropna().unique())
    first = {what: _first(mask) for what, mask in (("kept", kept), ("gone", gone), ("both", kept & gone))}
    n = len(first["both"])
    reached = {what: int(np.isfinite(values).sum()) for what, values in first.items()}
    # A share beyond the grid is more than its end, which is all that the judgement needs.
    per_seed = first["both"].replace(np.inf, 1.0).groupby("seed").median()
    estimate = mean_of(per_seed)
    middle = first["both"].median()
    reach = (
        f"the median such share is {percent(middle)}"
        if np.isfinite(middle)
        else f"for most, none up to {percent(shares[-1])} is enough"
    )
    sentence = (
        f"In {reached['kept']} of {n} networks some share up to {percent(shares[-1])} keeps accuracy within one point "
        f"when all below is silenced, and in {reached['gone']} silencing what fires at some share leaves accuracy "
        f"within {number(100 * NEAR_CHANCE, 2)} points of chance; both at once in {reached['both']}: {reach}."
    )
    return Finding(
        sentence, nearness(estimate, 0.2, 0.1), "a threshold at the top 20 % recovers what the top 1 % misses"
    )


def _first(mask: "pd.Series[bool]") -> "pd.Series[float]":
    """Per network the smallest share at which the mask is true; infinite where it never is."""
    shares = mask.index.get_level_values("share").to_numpy(dtype=np.float64)
    values = pd.Series(np.where(mask.to_numpy(), shares, np.inf), index=mask.index)
    return values.groupby(level=["transformation", "seed"], sort=False).min()


def _correlated(results: pd.DataFrame) -> list[Finding]:
    found = []
    rows = results[results["k"].isna() & results["value"].notna()]
    for name in dict.fromkeys(rows["transformation"]):
        own = rows[rows["transformation"] == name]
        r = own[own["quantity"] == "correlation with across"].set_index("measure")
        gain = own[own["quantity"] == "gain in correlation with across"].set_index("measure")
        top = next((label for label in r.index if label.startswith("Goodfellow, top 1")), None)
        if top is None or top not in gain.index or "invariance" not in r.index:
            continue
        value, low, high, n = (gain.loc[top, column] for column in ("value", "low", "high", "n"))
        estimate = Estimate(float(value), float(low), float(high), int(n))
        where = f"Networks, {name}" if name in (POOLED, CENTRED) else title(str(name))
        firing = r["value"][[label for label in r.index if label.startswith("Goodfellow") and "any" not in label]]
        best = str(firing.idxmax())
        sentence = (
            f"{where}: accuracy on unseen classes correlates with the invariance coefficient with r = "
            f"{number(r.loc['invariance', 'value'], 2)}, with Goodfellow's measure at the top 1 % with r = "
            f"{number(r.loc[top, 'value'], 2)}{_gap(estimate)}, at its best share ({best}) with "
            f"r = {number(firing.max(), 2)}, with the cosine of the layer with r = "
            f"{number(r.loc['layer cosine', 'value'], 2)}."
        )
        claim = "the invariance coefficient goes better with accuracy than the top 1 % measure"
        found.append(Finding(sentence, direction(estimate, 0.1), claim))
    return found


def _points(estimate: Estimate) -> str:
    if np.isnan(estimate.low):
        return ""
    return f" (95 % in {number(100 * estimate.low, 2)} to {number(100 * estimate.high, 2)})"


def _gap(estimate: Estimate) -> str:
    if np.isnan(estimate.low):
        return ""
    return f" (a difference in 95 % in {number(estimate.low, 2)} to {number(estimate.high, 2)})"
