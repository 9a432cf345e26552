"""What the study invariance-clusters says, with its numbers."""

import pandas as pd

from invariscope.core.words import count, listed, percent, spoken
from invariscope.findings.finding import Finding, Verdict
from invariscope.studies.compare import Estimate, by_seed, difference, mean_of
from invariscope.studies.judge import all_of, direction
from invariscope.studies.phrases import hundredths, sure

_HOW = {
    "all": "Images of seen classes under any of the transformations",
    "own": "Each seen class under a transformation of its own",
    "none": "Trained on x only",
}
_BEYOND = ("silhouette beyond shuffled columns", "silhouette beyond one cloud")
_CLAIM = "units form clusters by the transformation they are invariant to"


def find_all(results: pd.DataFrame, centres: pd.DataFrame) -> list[Finding]:
    """All sentences: the networks that see the most classes layer by layer, the others in short.

    Args:
        results: of `InvarianceClusters.results`.
        centres: of every cluster.
    """
    finds: list[Finding] = []
    conditions = (
        results[["assignment", "k"]].drop_duplicates().sort_values(["k", "assignment"], ascending=[False, True])
    )
    most = conditions["k"].max()
    for row in conditions.itertuples():
        own = results[(results["assignment"] == row.assignment) & (results["k"] == row.k)]
        shown = centres[(centres["assignment"] == row.assignment) & (centres["k"] == row.k)]
        here = _where(own)
        finds.append(_learned(own, here))
        if row.k == most:
            for layer in _layers(own):
                finds += _layer(own[own["layer"] == layer], shown[shown["layer"] == layer], f"{here}, {layer}")
            finds += [*_across(own, here), *_against(own, results[results["assignment"] == "none"], here)]
        else:
            finds.append(_short(own, here))
    return finds


def _learned(own: pd.DataFrame, here: str) -> Finding:
    clean = _mean(own, quantity="clean")
    seen = own[own["quantity"] == "within"]
    what = "within"
    if not by_seed(seen).notna().any():
        seen, what = own[own["quantity"] == "across"], "across"
    each = [
        f"{percent(_mean(seen, transformation=name).value)} under {spoken(str(name))}"
        for name in dict.fromkeys(seen["transformation"].dropna())
    ]
    of = "on classes that saw the transformation" if what == "within" else "although no class saw a transformation"
    return Finding(f"{here}: accuracy is {percent(clean.value)} on clean images, and {of} {listed(each, 6)}.")


def _layer(own: pd.DataFrame, centres: pd.DataFrame, here: str) -> list[Finding]:
    each = by_seed(own, quantity="networks with clusters").dropna()
    if each.empty:
        return [Finding(f"{here}: too few units are driven under every transformation to look for clusters.")]
    beyond = [_mean(own, quantity=quantity) for quantity in _BEYOND]
    values = [
        hundredths(_mean(own, quantity=f"silhouette{of}").value) for of in ("", " of shuffled columns", " of one cloud")
    ]
    which = _mean(own, quantity="difference by which transformation")
    half = Estimate(which.value - 0.5, which.low - 0.5, which.high - 0.5, which.n)
    all_found: Verdict = "holds" if each.all() else "undecided"
    verdict = all_of([direction(beyond[0], 0.1), direction(beyond[1]), direction(half), all_found])
    n_clusters = by_seed(own, quantity="clusters")[each == 1]
    numbers = f" ({listed([str(int(n)) for n in n_clusters], 10)} clusters)" if len(n_clusters) else ""
    of, gap = count(len(each), "network"), "a difference of"
    sentence = (
        f"{here}: units form clusters in {int(each.sum())} of {of}{numbers}{_strays(own)}. The best cut has a "
        f"silhouette of {values[0]}; shuffled columns have {values[1]}, {gap} {hundredths(beyond[0].value)}"
        f"{sure(beyond[0])}, and one cloud has {values[2]}, {gap} {hundredths(beyond[1].value)}{sure(beyond[1])}."
    )
    finds = [Finding(sentence, verdict, _CLAIM), _cut(own, which, here)]
    return [*finds, _named(centres, here)] if each.any() else finds


def _strays(own: pd.DataFrame) -> str:
    n = int(by_seed(own, quantity="networks with strays only").sum())
    return f"; in {n}, every cut leaves a cluster of fewer than 3 units or 5\u202f% of them" if n else ""


def _cut(own: pd.DataFrame, which: Estimate, here: str) -> Finding:
    halves, draws = (
        hundredths(_mean(own, quantity=f"stability over {over}").value)
        for over in ("halves of the images", "draws of units")
    )
    return Finding(
        f"{here}: {percent(which.value)} of what parts the best cut is which transformation"
        f"{sure(which, lambda end: percent(min(max(end, 0), 1)))}, the rest is how invariant units are to all alike; "
        f"halves of the images give the same cut to an adjusted Rand index of {halves}, draws of units to {draws}."
    )


def _named(centres: pd.DataFrame, here: str) -> Finding:
    parts = []
    for seed, own in centres.groupby("seed", sort=True):
        clusters = own.drop_duplicates("cluster").sort_values("cluster")
        if len(clusters) > 1:
            sizes, names = clusters["units"].tolist(), clusters["most"].tolist()
            each = [f"{count(size, 'unit')} {_most(name)}" for size, name in zip(sizes, names, strict=True)]
            parts.append(f"with seed {seed}, {listed(each, 6)}")
    return Finding(f"{here}: compared with all units of the layer, the clusters are: {'; '.join(parts)}.")


def _most(name: str) -> str:
    return "less invariant to all" if name == "none" else f"most invariant to {spoken(name)}"


def _across(own: pd.DataFrame, here: str) -> list[Finding]:
    layers = _layers(own)
    if len(layers) < 2:
        return []
    first, last = (_mean(own, quantity=_BEYOND[0], layer=layer) for layer in (layers[0], layers[-1]))
    gap = difference(own, {"layer": layers[-1]}, {"layer": layers[0]}, quantity=_BEYOND[0])
    return [
        Finding(
            f"{here}: from {layers[0]} to {layers[-1]} the silhouette beyond shuffled columns goes from "
            f"{hundredths(first.value)} to {hundredths(last.value)}, a change of {hundredths(gap.value)}{sure(gap)}."
        )
    ]


def _against(own: pd.DataFrame, plain: pd.DataFrame, here: str) -> list[Finding]:
    """How much of it is there without having seen a transformation."""
    each = []
    for layer in _layers(own):
        where = {"quantity": _BEYOND[0], "layer": layer}
        gap = mean_of((by_seed(own, **where) - by_seed(plain, **where)).dropna())
        if gap.n:
            each.append(f"{hundredths(gap.value)} in {layer}{sure(gap)}")
    if not each or own["assignment"].eq("none").all():
        return []
    return [
        Finding(
            f"{here}: against networks of the same seeds trained on x only, the silhouette beyond shuffled columns "
            f"changes by {listed(each, 20)}."
        )
    ]


def _short(own: pd.DataFrame, here: str) -> Finding:
    parts = []
    for layer in _layers(own):
        each = by_seed(own, quantity="networks with clusters", layer=layer).dropna()
        beyond = _mean(own, quantity=_BEYOND[0], layer=layer)
        if len(each):
            parts.append(f"{layer} {int(each.sum())} of {len(each)} ({hundredths(beyond.value)})")
    return Finding(
        f"{here}: networks with clusters, and the silhouette beyond shuffled columns: {listed(parts, 20)}."
        if parts
        else f"{here}: too few units to look for clusters."
    )


def _layers(own: pd.DataFrame) -> list[str]:
    return [str(name) for name in dict.fromkeys(own["layer"].dropna())]


def _where(own: pd.DataFrame) -> str:
    how, k = str(own["assignment"].iloc[0]), int(own["k"].iloc[0])
    return _HOW[how] if how == "none" else f"{_HOW[how]}, {k} of {int(own['n_classes'].iloc[0])} classes seen"


def _mean(rows: pd.DataFrame, **where: object) -> Estimate:
    return mean_of(by_seed(rows, **where))
