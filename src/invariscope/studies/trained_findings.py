"""What the study trained-by-tested says of the paper's claims, with its numbers."""

import numpy as np
import pandas as pd

from invariscope.core.words import count, listed, number, percent, spoken
from invariscope.findings.finding import Finding, Verdict
from invariscope.statistics.proportions import wilson
from invariscope.studies.compare import Estimate, by_seed, difference, mean_of
from invariscope.studies.judge import all_of, direction, equality
from invariscope.studies.naming import family_of
from invariscope.studies.phrases import sure, tenths

CLEAN, NOTHING = "clean", "nothing"
_MOST_PAIRS, _HARD, _LEARNED = 0.9, 0.1, 0.2


def find_all(results: pd.DataFrame, total: int) -> list[Finding]:
    """All sentences.

    Args:
        results: of `TrainedByTested.results`.
        total: how many classes there are, for chance.
    """
    rows = results[results["quantity"] == "accuracy"]
    names = [name for name in dict.fromkeys(rows["tested"]) if name != CLEAN]
    trained = [name for name in dict.fromkeys(rows["trained"]) if name != NOTHING]
    return [
        *_left_out(results),
        _clean(rows, trained),
        *_own(rows, [name for name in trained if name in names]),
        *_others(rows, trained, names),
        *_colours(rows, trained, names),
        *_noise(rows, trained, names),
        *_filters(results),
        _hard(rows, names, total),
    ]


def _left_out(results: pd.DataFrame) -> list[Finding]:
    names = list(dict.fromkeys(results.loc[results["quantity"] == "images changed", "tested"]))
    if not names:
        return []
    verb = "changes" if len(names) == 1 else "change"
    return [
        Finding(
            f"{listed([spoken(name) for name in names]).capitalize()} {verb} none of these images and "
            f"{'is' if len(names) == 1 else 'are'} left out: an accuracy would only repeat the clean one."
        )
    ]


def _clean(rows: pd.DataFrame, trained: list[str]) -> Finding:
    gaps = {name: _gain(rows, name, CLEAN) for name in trained}
    furthest = max(gaps, key=lambda name: abs(gaps[name].value))
    base = _mean(rows, NOTHING, CLEAN)
    sentence = (
        f"On clean images the network trained on them alone reaches {percent(base.value, 1)}; with a transformation in "
        f"training that changes most for {spoken(furthest)}, by {tenths(gaps[furthest].value)} points"
        f"{sure(gaps[furthest], tenths)}."
    )
    verdict = all_of([equality(gap, 0.02) for gap in gaps.values()])
    return Finding(sentence, verdict, "accuracy on clean images does not depend on the transformation trained with")


def _own(rows: pd.DataFrame, names: list[str]) -> list[Finding]:
    """Judged where the network that saw clean images only falls far enough for training to gain 20 points."""
    clean = _mean(rows, NOTHING, CLEAN).value
    room = [name for name in names if clean - _mean(rows, NOTHING, name).value >= _LEARNED]
    found = []
    if room:
        gains = {name: _gain(rows, name, name) for name in room}
        weakest = min(gains, key=lambda name: gains[name].value)
        reached = {name: _mean(rows, name, name).value for name in room}
        lowest = min(reached, key=lambda name: reached[name])
        rest = [spoken(name) for name in names if name not in room]
        sentence = (
            f"Under the transformation that it was trained with a network reaches {percent(reached[lowest])} "
            f"({spoken(lowest)}) to {percent(max(reached.values()))}; training with it gains at least 20 points for "
            f"{sum(gain.value >= _LEARNED for gain in gains.values())} of {len(room)}, and least for "
            f"{spoken(weakest)}, from {percent(_mean(rows, NOTHING, weakest).value)} to {percent(reached[weakest])}"
            f"{sure(gains[weakest], tenths)}."
            + (f" Clean images alone suffice for {listed(rest, 12)}, where no 20 points can be gained." if rest else "")
        )
        verdict = all_of([direction(gain, _LEARNED) for gain in gains.values()])
        found.append(Finding(sentence, verdict, "a network is robust to the transformation it was trained with"))
    short = {name: _mean(rows, name, name).value for name in names}
    told = [f"{spoken(name)} ({percent(value)})" for name, value in short.items() if value < 0.9]
    if told:
        found.append(
            Finding(
                f"Not learned to 90 %: {listed(told, 12)}; what is said of these networks holds with that reservation."
            )
        )
    return found


def _others(rows: pd.DataFrame, trained: list[str], names: list[str]) -> list[Finding]:
    """Over pairs of families: judged by how many pairs hold, and how many could still."""
    gains = {
        (one, other): _gain(rows, one, other)
        for one in trained
        for other in names
        if family_of(one) != family_of(other)
    }
    if not gains:
        return []
    verdicts = [equality(gain, 0.05) for gain in gains.values()]
    same, n = verdicts.count("holds"), len(verdicts)
    differ = verdicts.count("does not hold")
    values = np.array([gain.value for gain in gains.values()])
    top = sorted(gains, key=lambda pair: -abs(gains[pair].value))[:3]
    sentence = (
        f"Training with a transformation of another family changes accuracy by {tenths(float(np.median(values)))} "
        f"points in the median of {count(n, 'pair')}; {int((np.abs(values) <= 0.05).sum())} stay within 5 points, "
        f"{same} of them surely and {differ} surely not. Furthest: "
        f"{listed([f'{spoken(one)} for {spoken(other)} ({tenths(gains[one, other].value)})' for one, other in top])}."
    )
    return [Finding(sentence, _most(same, differ, n), "a network is not robust to transformations of other families")]


def _most(same: int, differ: int, n: int) -> Verdict:
    """Judge that more than nine in ten pairs hold; pairs that are undecided count for neither side."""
    if float(wilson(same, n)[0]) > _MOST_PAIRS:
        return "holds"
    return "does not hold" if float(wilson(n - differ, n)[1]) < _MOST_PAIRS else "undecided"


def _colours(rows: pd.DataFrame, trained: list[str], names: list[str]) -> list[Finding]:
    colours = [name for name in names if family_of(name) == "colour"]
    rest = [name for name in names if family_of(name) != "colour"]
    if not colours or not rest:
        return []
    networks = [name for name in (NOTHING, *trained) if name not in colours]
    own, other = (
        pd.concat(
            [by_seed(rows, trained=network, tested=name) for network in networks for name in tested if name != network],
            axis=1,
        ).mean(axis=1)
        for tested in (colours, rest)
    )
    gap = mean_of((own - other).dropna())
    sentence = (
        f"Networks that never saw other colours reach {percent(float(own.mean()))} under "
        f"{listed([spoken(name) for name in colours])}, and {percent(float(other.mean()))} under the other "
        f"transformations that they were not trained with, a difference of {tenths(gap.value)} points"
        f"{sure(gap, tenths)}."
    )
    return [Finding(sentence, direction(gap, 0.1), "all networks are partly robust to changes of colour")]


def _noise(rows: pd.DataFrame, trained: list[str], names: list[str]) -> list[Finding]:
    noises = [name for name in names if family_of(name) == "noise"]
    if not noises or "gaussian-blur" not in trained:
        return []
    gains = [
        by_seed(rows, trained="gaussian-blur", tested=name) - by_seed(rows, trained=NOTHING, tested=name)
        for name in noises
    ]
    gain = mean_of(pd.concat(gains, axis=1).mean(axis=1).dropna())
    each = listed(
        [
            f"{spoken(name)} from {percent(_mean(rows, NOTHING, name).value)} to "
            f"{percent(_mean(rows, 'gaussian-blur', name).value)}"
            for name in noises
        ]
    )
    sentence = (
        f"Training with blur changes accuracy under noise by {tenths(gain.value)} points{sure(gain, tenths)}: {each}."
    )
    return [Finding(sentence, direction(gain, 0.03), "training with blur gives some robustness to noise")]


def _filters(results: pd.DataFrame) -> list[Finding]:
    rows = results[results["quantity"] == "spectral centroid"]
    if "gaussian-blur" not in set(rows["trained"]):
        return []
    blurred, clean = (by_seed(rows, trained=name) for name in ("gaussian-blur", NOTHING))
    fall = mean_of(((clean - blurred) / clean).dropna())
    places = rows[rows["seed"].notna()].groupby("trained")["value"].mean().sort_values()
    sentence = (
        f"Filters of the first layer have a mean frequency of {number(float(blurred.mean()))} cycles per pixel after "
        f"training with blur and of {number(float(clean.mean()))} after clean images alone: a fall of "
        f"{percent(fall.value, 1)}{sure(fall, _one_digit)}; the coarsest of all belong to "
        f"{spoken(str(places.index[0]))} ({number(float(places.iloc[0]))})."
    )
    return [Finding(sentence, direction(fall, 0.05), "training with blur makes filters of the first layer coarser")]


def _hard(rows: pd.DataFrame, names: list[str], total: int) -> Finding:
    each = {name: _mean(rows, NOTHING, name) for name in names}
    below = [name for name in names if each[name].value < _HARD]
    easiest = max(each, key=lambda name: each[name].value)
    verdicts = [direction(Estimate(_HARD - e.value, _HARD - e.high, _HARD - e.low, e.n)) for e in each.values()]
    sentence = (
        f"Trained on clean images alone, the network falls below {percent(_HARD)} under {len(below)} of {len(names)} "
        f"transformations{': ' + listed([spoken(name) for name in below], 12) if below else ''}; it keeps most under "
        f"{spoken(easiest)}, {percent(each[easiest].value)} (chance is {percent(1 / total, 1)})."
    )
    return Finding(sentence, all_of(verdicts), "the transformations are hard for a network trained on clean images")


def _gain(rows: pd.DataFrame, trained: str, tested: str) -> Estimate:
    return difference(rows, {"trained": trained}, {"trained": NOTHING}, tested=tested)


def _mean(rows: pd.DataFrame, trained: str, tested: str) -> Estimate:
    return mean_of(by_seed(rows, trained=trained, tested=tested))


def _one_digit(share: float) -> str:
    return percent(share, 1)
