"""What the study of tolerance says of two networks: are their curves alike, do their tolerances go together?"""

import math
from typing import Any

import pandas as pd

from invariscope.core.words import listed, spoken
from invariscope.findings.finding import Finding, Verdict
from invariscope.studies.compare import Estimate, by_seed, mean_of
from invariscope.studies.judge import FEWEST_SEEDS, all_of, direction, equality
from invariscope.studies.phrases import hundredths, unsigned
from invariscope.studies.together import together
from invariscope.studies.tolerance_grids import PAPER
from invariscope.studies.tolerance_pairs import ACROSS, GAP, TOGETHER

_ALIKE, _RELATED = 0.15, 0.3


def pair_findings(results: pd.DataFrame, networks: pd.DataFrame) -> list[Finding]:
    """All sentences on two networks.

    Args:
        results: of `Tolerance.results`.
        networks: the table of networks.
    """
    trained = bool(networks["trained"].all())
    rows = results[results["quantity"].isin((GAP, TOGETHER, ACROSS))]
    said: list[Finding] = []
    for first, second in dict.fromkeys(zip(rows["network"], rows["other"], strict=True)):
        own = rows[(rows["network"] == first) & (rows["other"] == second)]
        pair = f"{first} and {second}"
        said += [*_curves(own, trained, pair), *_classes(own, trained, pair), *_thresholds(own, trained, pair)]
    return said


def _estimate(rows: pd.DataFrame, trained: bool, **where: Any) -> Estimate:
    """Over seeds of trained networks; of loaded ones with the interval over images or classes."""
    if trained:
        return mean_of(by_seed(rows, **where))
    own = rows[rows["seed"].notna()]
    for column, value in where.items():
        own = own[own[column] == value]
    value, low, high = (float(own[column].mean()) for column in ("value", "low", "high"))
    return Estimate(value, low, high, FEWEST_SEEDS if len(own) else 0)


def _each(rows: pd.DataFrame, trained: bool, quantity: str) -> dict[str, Estimate]:
    names = [name for name in dict.fromkeys(rows.loc[rows["quantity"] == quantity, "transformation"]) if name in PAPER]
    every = {name: _estimate(rows, trained, quantity=quantity, transformation=name) for name in names}
    return together({name: each for name, each in every.items() if not math.isnan(each.value)}, over_seeds=trained)


def _holding(verdicts: dict[str, Verdict]) -> int:
    return sum(verdict == "holds" for verdict in verdicts.values())


def _curves(rows: pd.DataFrame, trained: bool, pair: str) -> list[Finding]:
    gaps = _each(rows, trained, GAP)
    if not gaps:
        return []
    verdicts = {name: equality(gap, _ALIKE) for name, gap in gaps.items()}
    order = sorted(gaps, key=lambda name: gaps[name].value)
    low, high = order[0], order[-1]
    apart = [spoken(name) for name in order if verdicts[name] == "does not hold"]
    sentence = (
        f"{pair}: in parts of the clean accuracy, their curves lie at most {_points(gaps[low].value)} ({spoken(low)}) "
        "to "
        f"{_points(gaps[high].value)} ({spoken(high)}{_sure(gaps[high], trained, unsigned)}) apart, surely within "
        f"{_ALIKE * 100:.0f} points under {_holding(verdicts)} of {len(gaps)} transformations"
    )
    sentence += f", and surely further apart under {listed(apart, 12)}." if apart else "."
    return [Finding(sentence, all_of(list(verdicts.values())), "both networks have similar tolerance curves")]


def _classes(rows: pd.DataFrame, trained: bool, pair: str) -> list[Finding]:
    claim = "the tolerances of both networks correlate"
    every = _each(rows, trained, TOGETHER)
    if not every:
        return [Finding(f"{pair}: too few classes are recognised by both to correlate their thresholds.", "", claim)]
    verdicts = {name: direction(r, _RELATED) for name, r in every.items()}
    order = sorted(every, key=lambda name: every[name].value)
    low, high = order[0], order[-1]
    sentence = (
        f"{pair}: over classes, their thresholds correlate with a rank correlation of {hundredths(every[low].value)} "
        f"({spoken(low)}{_sure(every[low], trained, hundredths)}) to {hundredths(every[high].value)} ({spoken(high)}"
        f"{_sure(every[high], trained, hundredths)}); of 0.3 or more, and surely above 0, under {_holding(verdicts)} "
        "of "
        f"{len(every)} transformations."
    )
    return [Finding(sentence, all_of(list(verdicts.values())), claim)]


def _thresholds(rows: pd.DataFrame, trained: bool, pair: str) -> list[Finding]:
    r = _estimate(rows, trained, quantity=ACROSS)
    if math.isnan(r.value):
        return []
    n = int(rows.loc[rows["quantity"].eq(ACROSS) & rows["seed"].notna(), "n"].iloc[0])
    sentence = (
        f"{pair}: over {n} directions of the transformations, the change of pixels at the threshold correlates with a "
        "rank "
        f"correlation of {hundredths(r.value)}{_sure(r, trained, hundredths)}."
    )
    return [Finding(sentence, direction(r, _RELATED), "the tolerances of both networks correlate")]


def _sure(found: Estimate, trained: bool, write: Any) -> str:
    if math.isnan(found.low):
        return ""
    over = f" over {found.n} seeds" if trained else ""
    return f", 95 % in {write(found.low)} to {write(found.high)}{over}"


def _points(share: float) -> str:
    return f"{unsigned(share)} points"
