"""What the study ablation-cause says, with its numbers."""

from typing import Any

import numpy as np
import pandas as pd

from invariscope.core.words import number, percent, title
from invariscope.studies.base import Finding
from invariscope.studies.compare import Estimate, by_seed, difference, mean_of
from invariscope.studies.judge import direction
from invariscope.tolerance.unit_sets import INVARIANT_HALF, RANDOM, VARIANT_HALF

LEAST = 0.05
TO_LOSE = 0.1
"""Below this accuracy on unseen classes there is too little to lose for costs to say anything."""
CLAIM = "invariant units carry accuracy across categories"


def find_all(results: pd.DataFrame) -> list[Finding]:
    """All sentences: transformation by transformation, then over those with something to lose.

    Args:
        results: of `AblationCause.results`.
    """
    most = int(results["k"].max())
    last = results[results["k"] == most]
    found, able = [], []
    for name in dict.fromkeys(last["transformation"]):
        own = last[last["transformation"] == name]
        across = _mean(own, quantity="unablated accuracy", images="across")
        if across.value >= TO_LOSE:
            able.append(name)
            found += [_halves(own, str(name)), _ranked(own, str(name))]
        else:
            told = "no image of an unseen class" if np.isnan(across.value) else f"only {percent(across.value)} right"
            found.append(Finding(f"{title(str(name))}: with {most} classes seen, {told}: there is nothing to lose."))
    return [*found, *_together(last[last["transformation"].isin(able)], len(able))]


def _halves(own: pd.DataFrame, name: str) -> Finding:
    costs = own[(own["quantity"] == "cost") & (own["images"] == "across")]
    more, less = (_mean(costs, kind=kind) for kind in (INVARIANT_HALF, VARIANT_HALF))
    gap = difference(costs, {"kind": INVARIANT_HALF}, {"kind": VARIANT_HALF})
    invariance = [_mean(own, quantity="mean invariance", kind=kind).value for kind in (INVARIANT_HALF, VARIANT_HALF)]
    whole = _mean(own, quantity="unablated accuracy", images="across")
    sentence = (
        f"{title(name)}: without the more invariant half of the active units (mean invariance "
        f"{number(invariance[0], 2)}) accuracy on unseen classes falls from {percent(whole.value)} by "
        f"{number(100 * more.value, 2)} points, without the less invariant half ({number(invariance[1], 2)}), alike in "
        f"activity, by {number(100 * less.value, 2)}{_points(gap)}."
    )
    return Finding(sentence, direction(gap, LEAST), CLAIM)


def _ranked(own: pd.DataFrame, name: str) -> Finding:
    """The largest sets, half of the active units, and where they cost."""
    costs = own[(own["quantity"] == "cost") & (own["silenced"] == "half")]

    def say(images: str) -> str:
        part = costs[costs["images"] == images]
        each = [
            number(100 * _mean(part, kind=kind).value, 2) for kind in ("most invariant", "most specialized", RANDOM)
        ]
        return f"{each[0]}, {each[1]} and {each[2]} points"

    excess = own[(own["quantity"] == "cost above its control") & (own["silenced"] == "half")]
    gap = _mean(excess[excess["images"] == "across"], kind="most invariant")
    sentence = (
        f"{title(name)}: silencing the most invariant, the most specialized or a random half of the active units costs "
        f"{say('across')} on unseen classes, {say('within')} on seen ones, {say('clean')} on clean images; the most "
        f"invariant half costs {number(100 * gap.value, 2)} points more than a random one{_points(gap, '')}."
    )
    return Finding(sentence, direction(gap, LEAST), "the most invariant units carry more than random ones")


def _together(rows: pd.DataFrame, n: int) -> list[Finding]:
    costs = rows[(rows["quantity"] == "cost") & (rows["images"] == "across")]
    if costs.empty or n < 2:
        return []
    gap = difference(costs, {"kind": INVARIANT_HALF}, {"kind": VARIANT_HALF})
    sentence = (
        f"Over the {n} transformations with something to lose, the more invariant half costs "
        f"{number(100 * gap.value, 2)} points more accuracy on unseen classes than the less invariant half"
        f"{_points(gap, '')}."
    )
    return [Finding(sentence, direction(gap, LEAST), CLAIM)]


def _mean(rows: pd.DataFrame, **where: Any) -> Estimate:
    return mean_of(by_seed(rows, **where))


def _points(gap: Estimate, what: str = "a difference in ") -> str:
    if np.isnan(gap.low):
        return ""
    return f" ({what}95 % in {number(100 * gap.low, 2)} to {number(100 * gap.high, 2)} over {gap.n} seeds)"
