"""What the study during-training says, with its numbers."""

import pandas as pd

from invariscope.core.words import count, listed, number, percent, points, spoken, title
from invariscope.findings.finding import Finding
from invariscope.studies.compare import Estimate, by_seed, mean_of
from invariscope.studies.during_gains import LEAST, QUARTILES
from invariscope.studies.judge import all_of, direction
from invariscope.studies.phrases import hundredths, sure


def find_all(results: pd.DataFrame) -> list[Finding]:
    """All sentences, transformation by transformation.

    Args:
        results: of `DuringTraining.results`.
    """
    finds: list[Finding] = []
    for name in dict.fromkeys(results["transformation"]):
        own = results[results["transformation"] == name]
        shown = sorted({int(k) for k in own["k"] if k > 0})
        if shown and own["k"].eq(0).any():
            finds += [judge(own, str(name), shown[-1]) for judge in (_lead, _most, _since)]
            finds += [_ends(own, str(name), shown), _without(own, str(name))]
    return finds


def _lead(own: pd.DataFrame, name: str, k: int) -> Finding:
    rows = own[own["k"] == k]
    here = f"{title(name)}, {_seen(own, k)}"
    late = [
        what
        for what in ("accuracy across", "invariance")
        if not by_seed(rows, quantity=f"epochs to half of {what}").notna().any()
    ]
    if late:
        least = {"accuracy across": f"{points(LEAST['accuracy across'])[1:]} points of accuracy on unseen classes"}
        least["invariance"] = f"{number(LEAST['invariance'])} of invariance on unseen classes"
        return Finding(
            f"{here}: training gains less than {listed([least[each] for each in late])}, so there is "
            "no half of it to be timed."
        )
    lead = _mean(rows, quantity="lead of invariance over accuracy across")
    times = {
        each: _mean(rows, quantity=f"epochs to half of {each}").value
        for each in ("invariance", "accuracy across", "clean accuracy")
    }
    sentence = (
        f"{here}: half of what invariance gains on unseen classes is there after "
        f"{times['invariance']:.1f} epochs, half of what accuracy on them gains after "
        f"{times['accuracy across']:.1f}, half of clean accuracy after {times['clean accuracy']:.1f}; "
        f"invariance leads accuracy by {hundredths(lead.value)} epochs{sure(lead)}."
    )
    return Finding(sentence, direction(lead), "invariance rises before accuracy across categories does")


def _most(own: pd.DataFrame, name: str, k: int) -> Finding:
    rows = own[own["k"] == k]
    end = rows["epoch"].max()
    shifts = [_mean(rows, quantity=f"shift of the {each}", epoch=end) for each in QUARTILES]
    above = _mean(rows, quantity="units above the x-only median", epoch=end)
    sentence = (
        f"{title(name)}, {_seen(own, k)}: after training the quartiles of the units' invariance, lower to upper, "
        f"are shifted by {listed([_signed(shift.value) for shift in shifts])} against those of a network trained on x "
        f"only, and {percent(above.value)} of the units lie above its median{sure(above, percent)}."
    )
    half = Estimate(above.value - 0.5, above.low - 0.5, above.high - 0.5, above.n)
    verdict = all_of([*(direction(shift, 0.03) for shift in shifts), direction(half)])
    return Finding(sentence, verdict, "most units gain invariance, not a few")


def _since(own: pd.DataFrame, name: str, k: int) -> Finding:
    end = own["epoch"].max()
    shares = [
        percent(_mean(own, quantity="units above the starting median", k=each, epoch=end).value) for each in (k, 0)
    ]
    return Finding(
        f"{title(name)}, {_seen(own, k)}: {shares[0]} of the units end more invariant than the median unit was before "
        f"training; of a network trained on x only, {shares[1]} do."
    )


def _ends(own: pd.DataFrame, name: str, shown: list[int]) -> Finding:
    end = own["epoch"].max()
    gained, right = (
        [_mean(own, quantity=f"gain of {what}", k=k, epoch=end).value for k in shown]
        for what in ("invariance", "accuracy across")
    )
    return Finding(
        f"{title(name)}: over networks trained on x only, invariance on unseen classes has gained "
        f"{listed([_signed(value) for value in gained])} at the end with {listed([str(k) for k in shown])} "
        f"classes seen transformed, accuracy on them {listed([points(value) for value in right])} points."
    )


def _without(own: pd.DataFrame, name: str) -> Finding:
    plain = own[(own["k"] == 0) & (own["group"] == "all")]
    means = plain[plain["seed"].notna()].groupby(["quantity", plain["epoch"].astype("Int64")])["value"].mean()
    curve, null = means["invariance"], means["null"]
    top, end = curve.idxmax(), curve.index.max()
    between = " (between different images, {:.2f})"
    sentence = (
        f"{title(name)}: in networks trained on x only, units have a mean invariance to {spoken(name)} of "
        f"{curve[0]:.2f}{between.format(null[0])} before training, {curve[top]:.2f}{between.format(null[top])} at its "
        f"height after {count(int(top), 'epoch')}, and {curve[end]:.2f}{between.format(null[end])} at the end; "
        "therefore gains are taken over these networks."
    )
    return Finding(sentence)


def _mean(rows: pd.DataFrame, **where: object) -> Estimate:
    return mean_of(by_seed(rows, **where))


def _seen(own: pd.DataFrame, k: int) -> str:
    return f"{k} of {int(own['n_classes'].iloc[0])} classes seen"


def _signed(value: float) -> str:
    return ("+" if hundredths(value) == hundredths(abs(value)) != "0.00" else "") + hundredths(value)
