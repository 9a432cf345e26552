"""What the study across-category says of the paper's claims, with its numbers."""

import math
from collections.abc import Callable

import pandas as pd

from invariscope.core.words import listed, number, percent, points, spoken, title
from invariscope.findings.finding import Finding
from invariscope.studies.compare import Estimate, by_seed, difference, mean_of
from invariscope.studies.judge import direction, equality, nearness
from invariscope.studies.naming import family_of


def find_all(results: pd.DataFrame) -> list[Finding]:
    """All sentences, transformation by transformation, then over all.

    Args:
        results: of `AcrossCategory.results`.
    """
    rows = results[results["k"].notna()]
    found: list[Finding] = []
    for name in dict.fromkeys(rows["transformation"]):
        own = rows[rows["transformation"] == name]
        ends = sorted({int(k) for k in own["k"] if 0 < k < own["n_classes"].iloc[0]})
        if len(ends) > 1:
            found += [judge(own, str(name), ends) for judge in _PER_TRANSFORMATION]
    return [*found, *_compared(results, rows), *_correlated(results)]


def _rise(own: pd.DataFrame, name: str, ends: list[int]) -> Finding:
    rise = _change(own, ends, quantity="across")
    few, many = (mean_of(by_seed(own, quantity="across", k=k)).value for k in (ends[0], ends[-1]))
    sentence = (
        f"{title(name)}: accuracy on classes never seen transformed goes from {percent(few)} with "
        f"{_classes(ends[0])} seen to {percent(many)} with {ends[-1]} of {_total(own)}{_gain(rise)}."
    )
    return Finding(sentence, direction(rise, 0.05), "accuracy across categories rises with the number of seen ones")


def _within(own: pd.DataFrame, name: str, ends: list[int]) -> Finding:
    each = {k: mean_of(by_seed(own, quantity="within", k=k)) for k in ends}
    lowest = min(each, key=lambda k: each[k].value)
    first = each[ends[0]]
    sentence = (
        f"{title(name)}: classes that were seen transformed are recognised transformed, {percent(first.value)} with "
        f"{_classes(ends[0])} seen, and at least {percent(each[lowest].value)} (with {lowest})."
    )
    return Finding(
        sentence, nearness(first, 1.0, 0.05), "with few seen categories, accuracy within them is close to 100 %"
    )


def _units(own: pd.DataFrame, name: str, ends: list[int]) -> Finding:
    rise = _change(own, ends, quantity="invariance", group="unseen")
    few, many = (mean_of(by_seed(own, quantity="invariance", group="unseen", k=k)).value for k in (ends[0], ends[-1]))
    null = mean_of(by_seed(own, quantity="null", group="unseen", k=ends[-1])).value
    sentence = (
        f"{title(name)}: the mean invariance of units on unseen classes goes from {few:.2f} to {many:.2f}"
        f"{_gain(rise, shares=False)}; between different images it would be {null:.2f}."
    )
    return Finding(sentence, direction(rise, 0.05), "invariance rises with the number of seen categories")


def _alike(own: pd.DataFrame, name: str, ends: list[int]) -> Finding:
    later = [k for k in ends if k >= int(own["n_classes"].iloc[0]) / 4]
    groups = {"group": "seen"}, {"group": "unseen"}
    gaps = {k: difference(own, *groups, quantity="invariance", k=k) for k in later}
    widest = max(gaps, key=lambda k: abs(gaps[k].value))
    gap = gaps[widest]
    sentence = (
        f"{title(name)}: from a quarter of the classes on, invariance on seen and on unseen classes differs by at most "
        f"{number(abs(gap.value), 2)} (with {widest} seen)."
    )
    return Finding(sentence, equality(gap, 0.05), "invariance is the same on seen and unseen categories")


def _trained(own: pd.DataFrame, name: str, ends: list[int]) -> Finding:
    total = int(own["n_classes"].iloc[0])
    gain = difference(own, {"k": total}, {"k": 0}, quantity="invariance", group="all")
    if not gain.n:
        return Finding(f"{title(name)}: networks that saw no class or every class transformed were not trained here.")
    sentence = (
        f"{title(name)}: units of a network that saw every class transformed are more invariant by "
        f"{number(gain.value, 2)} than those of one that saw none{_interval(gain)}."
    )
    return Finding(sentence, direction(gain, 0.03), "training with a transformation gives more invariance to it")


_PER_TRANSFORMATION: tuple[Callable[[pd.DataFrame, str, list[int]], Finding], ...] = (
    _rise,
    _within,
    _units,
    _alike,
    _trained,
)


def _compared(results: pd.DataFrame, rows: pd.DataFrame) -> list[Finding]:
    """Local against geometric transformations: how much invariance each gains."""
    names = list(dict.fromkeys(rows["transformation"]))
    local, geometric = (
        [str(name) for name in names if (family_of(str(name)) == "geometric") == wanted] for wanted in (False, True)
    )
    families = local, geometric
    if not all(families):
        return []
    gains = []
    for family in families:
        each = []
        for name in family:
            own = rows[rows["transformation"] == name]
            ends = sorted({int(k) for k in own["k"] if 0 < k < own["n_classes"].iloc[0]})
            first, last = (by_seed(own, quantity="invariance", group="unseen", k=k) for k in (ends[0], ends[-1]))
            each.append(last - first)
        gains.append(pd.concat(each, axis=1).mean(axis=1))
    gap = mean_of((gains[0] - gains[1]).dropna())
    sentence = (
        f"Local transformations ({listed([spoken(name) for name in families[0]])}) gain {number(gains[0].mean(), 2)} "
        f"of invariance on unseen classes, geometric ones ({listed([spoken(name) for name in families[1]])}) "
        f"{number(gains[1].mean(), 2)}{_interval(gap)}."
    )
    return [
        Finding(sentence, direction(gap, 0.05), "invariance grows more for local than for geometric transformations")
    ]


def _correlated(results: pd.DataFrame) -> list[Finding]:
    found = []
    pairs = [results[results["quantity"] == f"correlation of invariance with {name}"] for name in ("across", "within")]
    across, within = (rows.set_index("transformation") for rows in pairs)
    for name in across.index:
        value, low, high, n = (float(across.loc[name, column]) for column in ("value", "low", "high", "n"))
        if math.isnan(value):
            continue
        estimate = Estimate(value, low, high, int(n))
        where = str(name) if " " in str(name) else title(str(name))
        sentence = (
            f"{where[:1].upper()}{where[1:]}: invariance on unseen classes correlates with accuracy on them with "
            f"r = {number(value, 2)}{_interval(estimate)}; on seen classes with "
            f"r = {number(float(within.loc[name, 'value']), 2)}."
        )
        found.append(Finding(sentence, direction(estimate, 0.5), "accuracy across categories goes with invariance"))
    return found


def _change(own: pd.DataFrame, ends: list[int], **where: str) -> Estimate:
    return difference(own, {"k": ends[-1]}, {"k": ends[0]}, **where)


def _gain(rise: Estimate, *, shares: bool = True) -> str:
    if rise.n < 2:
        return ""
    if not shares:
        return _interval(rise, f"a change of {number(rise.value, 2)}, ")
    return f" ({points(rise.value)} points, 95 % in {points(rise.low)} to {points(rise.high)} over {rise.n} seeds)"


def _interval(estimate: Estimate, what: str = "") -> str:
    if estimate.n < 2:
        return ""
    return f" ({what}95 % in {number(estimate.low, 2)} to {number(estimate.high, 2)} over {estimate.n} seeds)"


def _classes(k: int) -> str:
    return "1 class" if k == 1 else f"{k} classes"


def _total(own: pd.DataFrame) -> int:
    return int(own["n_classes"].iloc[0])
