"""What the study ablation-cause says, with its numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from invariscope.core.words import listed, number, percent, spoken, title
from invariscope.findings.finding import Finding
from invariscope.studies.compare import Estimate, by_seed, difference, mean_of
from invariscope.studies.judge import direction
from invariscope.tolerance.unit_sets import INVARIANT_HALF, RANDOM, VARIANT_HALF

LEAST = 0.05
TO_LOSE, TIMES_CHANCE = 0.1, 2
"""Below this accuracy on unseen classes, or so many times chance, there is too little to lose for costs to tell."""
ACROSS, AMONG = "across", "among unseen classes"
HOW = {ACROSS: "among all classes", AMONG: "with only unseen classes to choose from"}
CLAIM = "invariant units carry accuracy across categories"


def find_all(results: pd.DataFrame) -> list[Finding]:
    """All sentences: for both ways to count, by transformation and together; then what else is lost.

    Args:
        results: of `AblationCause.results`.
    """
    names = list(dict.fromkeys(results["transformation"]))
    found: list[Finding] = []
    for images in HOW:
        able = []
        for name in names:
            own = results[results["transformation"] == name]
            k = [each for each in _seen(own) if _can_lose(own, each, images)]
            if k:
                able.append(own[own["k"].isin(k)])
                found.append(_halves(able[-1], str(name), k, images))
            else:
                best = max((_plain(own, each, images) for each in _seen(own)), default=float("nan"))
                nothing = (
                    f"accuracy on unseen classes {HOW[images]} is at most {percent(best)}: there is little to lose."
                )
                found.append(Finding(f"{title(str(name))}: {nothing}"))
        found += _together(able, images)
    most = max(_seen(results), default=0)
    last = results[results["k"] == most]
    found += [_ranked(last[last["transformation"] == name], str(name), most) for name in names]
    return [*found, *_within(results)]


def _can_lose(own: pd.DataFrame, k: int, images: str) -> bool:
    classes = int(own["n_classes"].iloc[0]) - (k if images == AMONG else 0)
    return classes > 1 and _plain(own, k, images) >= max(TO_LOSE, TIMES_CHANCE / classes)


def _halves(own: pd.DataFrame, name: str, k: Sequence[int], images: str) -> Finding:
    """The mean over k inside each seed decides; all k are told."""
    costs = own[(own["quantity"] == "cost") & (own["images"] == images)]
    gap = difference(costs, {"kind": INVARIANT_HALF}, {"kind": VARIANT_HALF})
    told = []
    for each in k:
        more, less = (_mean(costs[costs["k"] == each], kind=kind).value for kind in (INVARIANT_HALF, VARIANT_HALF))
        whole = percent(_plain(own, each, images))
        told.append(f"{_points(more)} against {_points(less)} points of {whole} ({each} seen)")
    invariance = [_mean(own, quantity="mean invariance", kind=kind).value for kind in (INVARIANT_HALF, VARIANT_HALF)]
    sentence = (
        f"{title(name)}: silencing the more invariant half of the active units (mean invariance "
        f"{number(invariance[0], 2)}) rather than the less invariant half ({number(invariance[1], 2)}), alike in "
        f"activity, costs {listed(told, most=9)} of accuracy on unseen classes {HOW[images]}{_interval(gap)}."
    )
    return Finding(sentence, direction(gap, LEAST), f"{CLAIM}, counted {HOW[images]}")


def _ranked(own: pd.DataFrame, name: str, k: int) -> Finding:
    """The largest sets, half of the active units, and where they cost."""
    half = own[own["silenced"] == "half"]
    costs = half[half["quantity"] == "cost"]

    def say(images: str) -> str:
        part = costs[costs["images"] == images]
        return listed(
            [_points(_mean(part, kind=kind).value) for kind in ("most invariant", "most specialized", RANDOM)]
        )

    excess = half[(half["quantity"] == "cost above its control") & (half["images"] == AMONG)]
    gap = _mean(excess, kind="most invariant")
    sentence = (
        f"{title(name)}, {k} classes seen: without the most invariant, the most specialized or a random half of the "
        f"active units {say('across')} points are lost on unseen classes, {say(AMONG)} with only those to choose "
        f"from, {say('within')} on seen classes and {say('clean')} on clean images."
    )
    return Finding(sentence, direction(gap, LEAST), "the most invariant units carry more than random ones")


def _together(able: Sequence[pd.DataFrame], images: str) -> list[Finding]:
    if len(able) < 2:
        return []
    costs = pd.concat(able)
    own = costs[(costs["quantity"] == "cost") & (costs["images"] == images)]
    gap, clean = (
        difference(part, {"kind": INVARIANT_HALF}, {"kind": VARIANT_HALF})
        for part in (own, costs[(costs["quantity"] == "cost") & (costs["images"] == "clean")])
    )
    sentence = (
        f"Over the {len(able)} transformations with something to lose, the more invariant half costs "
        f"{_points(gap.value)} points more accuracy on unseen classes than the less invariant half, {HOW[images]}"
        f"{_interval(gap, '')}; on clean images it costs {_points(clean.value)} points more{_interval(clean, '')}."
    )
    return [Finding(sentence, direction(gap, LEAST), f"{CLAIM}, counted {HOW[images]}")]


def _within(results: pd.DataFrame) -> list[Finding]:
    """With few classes seen: what accuracy on them rests on."""
    least = min(_seen(results), default=0)
    rows = results[(results["k"] == least) & (results["silenced"] == "half") & (results["quantity"] == "cost")]
    costs = rows[rows["images"] == "within"]
    told = []
    for name in dict.fromkeys(costs["transformation"]):
        own = costs[costs["transformation"] == name]
        values = [_mean(own, kind=kind).value for kind in ("towards transformed", "towards clean", RANDOM)]
        told.append(f"{spoken(str(name))} {listed([_points(value) for value in values])}")
    if not told:
        return []
    gap = difference(costs, {"kind": "towards transformed"}, {"kind": RANDOM})
    sentence = (
        f"With {least} {'class' if least == 1 else 'classes'} seen, accuracy on transformed images of seen classes "
        f"falls by so many points without the half of the active units that prefers transformed images, without the "
        f"half that prefers clean ones, and without a random half: {'; '.join(told)}{_interval(gap)}."
    )
    claim = "with few categories seen, units specialized to transformed images carry accuracy within them"
    return [Finding(sentence, direction(gap, LEAST), claim)]


def _plain(own: pd.DataFrame, k: int, images: str) -> float:
    return _mean(own[own["k"] == k], quantity="unablated accuracy", images=images).value


def _seen(rows: pd.DataFrame) -> list[int]:
    return sorted({int(k) for k in rows["k"] if k > 0})


def _mean(rows: pd.DataFrame, **where: Any) -> Estimate:
    return mean_of(by_seed(rows, **where))


def _points(share: float) -> str:
    return number(100 * share, 2)


def _interval(gap: Estimate, what: str = "a difference in ") -> str:
    if np.isnan(gap.low):
        return ""
    return f" ({what}95 % in {_points(gap.low)} to {_points(gap.high)} over {gap.n} seeds)"
