"""What the study specialization says of the paper's claims, with its numbers."""

import pandas as pd

from invariscope.core.words import listed, percent, spoken, title
from invariscope.findings.finding import Finding
from invariscope.studies.compare import Estimate, by_seed, mean_of
from invariscope.studies.judge import all_of, direction
from invariscope.studies.naming import family_of
from invariscope.studies.phrases import hundredths, sure

BOTH, ONLY_CLEAN = "x + T(x)", "x"
_TAIL = 0.05


def find_all(results: pd.DataFrame) -> list[Finding]:
    """All sentences, transformation by transformation, then over families.

    Args:
        results: of `SpecializationStudy.results`.
    """
    trained = results[results["trained"] == BOTH]
    names = list(dict.fromkeys(trained["transformation"]))
    found = []
    for name in names:
        own = results[results["transformation"] == name]
        found += [_tails(own, name), _relative(own, name)]
    return [*found, *_families(trained, names)]


def _tails(own: pd.DataFrame, name: str) -> Finding:
    clean, transformed = (_of(own, quantity) for quantity in ("prefer clean", "prefer transformed"))
    spread, chance = _of(own, "spread"), _of(own, "spread by chance").value
    before = _of(own, "spread", ONLY_CLEAN).value
    sentence = (
        f"{title(name)}: specialization spreads over units with a standard deviation of {hundredths(spread.value)} "
        f"({hundredths(before)} in networks that saw clean images only, {hundredths(chance)} by chance); "
        f"{percent(clean.value)} of the units clearly prefer clean images and {percent(transformed.value)} transformed "
        f"ones."
    )
    if family_of(name) != "geometric":
        return Finding(sentence)
    both = all_of([direction(_above(tail, _TAIL)) for tail in (clean, transformed)])
    return Finding(sentence, both, "under geometric transformations some units specialise in each version")


def _relative(own: pd.DataFrame, name: str) -> Finding:
    here, chance = (_of(own, quantity).value for quantity in ("relative spread", "relative spread by chance"))
    return Finding(
        f"{title(name)}: the spread of specialization is {percent(here)} of the most that units as invariant as these "
        f"(mean invariance {hundredths(_of(own, 'invariance').value)}) could have; by chance it would be "
        f"{percent(chance)}."
    )


def _families(trained: pd.DataFrame, names: list[str]) -> list[Finding]:
    geometric = [name for name in names if family_of(name) == "geometric"]
    local = [name for name in names if name not in geometric]
    if not geometric or not local:
        return []
    (spread, spreads), (relative, relatives) = (
        _compared(trained, quantity, (geometric, local)) for quantity in ("spread", "relative spread")
    )
    under = f"under geometric transformations ({listed([spoken(name) for name in geometric])})"
    alike = " At equal invariance it is not surely wider." if spread.value > 0 >= relative.low else ""
    return [
        Finding(
            f"The standard deviation of specialization {under} is {spreads}.",
            direction(spread, 0.05),
            "units specialise where invariance does not emerge",
        ),
        Finding(
            f"As a share of the most that units as invariant could have, the spread {under} is {relatives}.{alike}"
        ),
    ]


def _compared(trained: pd.DataFrame, quantity: str, families: tuple[list[str], list[str]]) -> tuple[Estimate, str]:
    first, second = (_family(trained, family, quantity) for family in families)
    gap = mean_of((first - second).dropna())
    means = f"{hundredths(float(first.mean()))} on average, under the others {hundredths(float(second.mean()))}"
    return gap, f"{means}, a difference of {hundredths(gap.value)}{sure(gap)}"


def _family(trained: pd.DataFrame, names: list[str], quantity: str) -> "pd.Series[float]":
    each = [by_seed(trained, quantity=quantity, transformation=name) for name in names]
    return pd.concat(each, axis=1).mean(axis=1)


def _of(own: pd.DataFrame, quantity: str, trained: str = BOTH) -> Estimate:
    return mean_of(by_seed(own, quantity=quantity, trained=trained))


def _above(estimate: Estimate, level: float) -> Estimate:
    return Estimate(estimate.value - level, estimate.low - level, estimate.high - level, estimate.n)
