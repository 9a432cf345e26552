"""What the study layerwise says of the paper's claim, with its numbers."""

import pandas as pd

from invariscope.core.words import title
from invariscope.studies.base import Finding
from invariscope.studies.compare import by_seed, mean_of
from invariscope.studies.judge import direction
from invariscope.studies.phrases import hundredths, sure

_DEPTH = "rank correlation of {} with depth"


def find_all(results: pd.DataFrame) -> list[Finding]:
    """A sentence per transformation and kind of unit, at the largest number of seen classes.

    Args:
        results: of `Layerwise.results`.
    """
    found = []
    for name in dict.fromkeys(results["transformation"]):
        own = results[(results["transformation"] == name) & (results["group"] == "all")]
        own = own[own["k"] == own["k"].max()]
        for units in dict.fromkeys(own["units"]):
            found += [_rises(own[own["units"] == units], str(name), units)]
    return found


def _rises(own: pd.DataFrame, name: str, units: str) -> Finding:
    layers = list(dict.fromkeys(own["layer"].dropna()))
    first, last = (_at(own, "invariance", layer) for layer in (layers[0], layers[-1]))
    nulls = [_at(own, "null", layer) for layer in (layers[0], layers[-1])]
    depth = mean_of(by_seed(own, quantity=_DEPTH.format("invariance")))
    excess = mean_of(by_seed(own, quantity=_DEPTH.format("above null")))
    k = int(own["k"].iloc[0])
    sentence = (
        f"{title(name)}, {units}, {k} classes seen: mean invariance goes from {hundredths(first)} in {layers[0]} to "
        f"{hundredths(last)} in {layers[-1]}, where different images reach {hundredths(nulls[0])} and "
        f"{hundredths(nulls[1])}; its rank correlation with depth is {hundredths(depth.value)}{sure(depth)}, and "
        f"{hundredths(excess.value)}{sure(excess)} for what lies above that null."
    )
    return Finding(sentence, direction(depth, 0.5), "invariance builds up across layers")


def _at(own: pd.DataFrame, quantity: str, layer: str) -> float:
    return mean_of(by_seed(own, quantity=quantity, layer=layer)).value
