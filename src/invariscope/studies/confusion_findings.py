"""What the study confusion says of the paper's claim, with its numbers."""

import math

import pandas as pd

from invariscope.core.words import listed, percent, title
from invariscope.findings.finding import Finding, Verdict
from invariscope.studies.compare import Estimate, by_seed, difference, mean_of
from invariscope.studies.judge import all_of, direction
from invariscope.studies.phrases import sure, tenths

_MOST_BY_CHANCE = 0.8
_MORE = 0.2
_UNSEEN = {"group": "unseen", "called": "seen"}


def find_all(results: pd.DataFrame) -> list[Finding]:
    """Three sentences per transformation.

    Args:
        results: of `Confusion.results`.
    """
    found = []
    for name in dict.fromkeys(results["transformation"]):
        own = results[results["transformation"] == name]
        ks = sorted({int(k) for k in own["k"] if 0 < k < own["n_classes"].iloc[0]})
        if ks:
            found += [_called(own, name, ks), _wrongly(own, name, ks), _marked(own, name, ks)]
    return found


def _called(own: pd.DataFrame, name: str, ks: list[int]) -> Finding:
    each = [f"{_share(own, k)} with {k} ({_share(own, k, shown='by chance')})" for k in ks[1:]]
    first = (
        f"{_share(own, ks[0])} of cases with {_classes(ks[0])} seen ({_share(own, ks[0], shown='by chance')} by chance)"
    )
    sentence = (
        f"{title(name)}: transformed images of classes never seen transformed are called a seen class in "
        f"{listed([first, *each], 12)}.{_where(own, ks, 'called')}"
    )
    claim = "transformed images of unseen categories are mainly taken for seen ones"
    return Finding(sentence, _over(own, ks, "called"), claim)


def _wrongly(own: pd.DataFrame, name: str, ks: list[int]) -> Finding:
    each = [f"{_share(own, k, quantity='wrongly called')} with {k}" for k in ks]
    sentence = (
        f"{title(name)}: of the wrong answers to transformed images of unseen classes, {listed(each, 12)} seen name a "
        f"seen class."
        f"{_where(own, ks, 'wrongly called')}"
    )
    claim = "wrong answers to transformed images of unseen categories are mainly seen ones"
    return Finding(sentence, _over(own, ks, "wrongly called"), claim)


def _marked(own: pd.DataFrame, name: str, ks: list[int]) -> Finding:
    gaps = {
        k: difference(own, {"shown": "transformed"}, {"shown": "clean"}, quantity="called", k=k, **_UNSEEN) for k in ks
    }
    most = max(gaps, key=lambda k: -math.inf if math.isnan(gaps[k].value) else gaps[k].value)
    missed = mean_of(by_seed(own, quantity="called", shown="transformed", group="seen", called="unseen", k=most)).value
    sentence = (
        f"{title(name)}: with {_classes(most)} seen, {_share(own, most, shown='clean')} of the clean images of unseen "
        f"classes are called a seen class; transforming them changes that by {tenths(gaps[most].value)} points"
        f"{sure(gaps[most], tenths)}. Of the transformed images of seen classes {percent(missed)} are called an "
        f"unseen one."
    )
    return Finding(sentence, direction(gaps[most], _MORE), "it is the transformation that marks seen categories")


def _over(own: pd.DataFrame, ks: list[int], quantity: str) -> Verdict:
    """Over all k at which chance leaves room for a verdict."""
    return all_of([_verdict(own, k, quantity) for k in ks if _chance(own, k) <= _MOST_BY_CHANCE])


def _where(own: pd.DataFrame, ks: list[int], quantity: str) -> str:
    room = [k for k in ks if _chance(own, k) <= _MOST_BY_CHANCE]
    if not room:
        return f" Chance is above {percent(_MOST_BY_CHANCE)} everywhere, so this says nothing."
    shares = {k: _estimate(own, k, quantity).value for k in room}
    met = [str(k) for k in room if shares[k] > 0.5 and shares[k] - _chance(own, k) >= _MORE]
    which = f"with {listed(met, 12)} seen" if met else "nowhere"
    said = listed([str(k) for k in room], 12)
    return f" That is more than half and 20 points above chance {which}; chance leaves room for it with {said}."


def _verdict(own: pd.DataFrame, k: int, quantity: str) -> Verdict:
    share = _estimate(own, k, quantity=quantity)
    chance = _chance(own, k)
    return all_of([direction(_less(share, 0.5)), direction(_less(share, chance), _MORE)])


def _estimate(own: pd.DataFrame, k: int, quantity: str = "called", shown: str = "transformed") -> Estimate:
    return mean_of(by_seed(own, quantity=quantity, shown=shown, k=k, **_UNSEEN))


def _chance(own: pd.DataFrame, k: int) -> float:
    return _estimate(own, k, shown="by chance").value


def _share(own: pd.DataFrame, k: int, quantity: str = "called", shown: str = "transformed") -> str:
    return percent(_estimate(own, k, quantity, shown).value)


def _less(share: Estimate, level: float) -> Estimate:
    return Estimate(share.value - level, share.low - level, share.high - level, share.n)


def _classes(k: int) -> str:
    return "1 class" if k == 1 else f"{k} classes"
