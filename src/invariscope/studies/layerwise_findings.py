"""What the study layerwise says of the paper's claim, with its numbers."""

import pandas as pd

from invariscope.core.words import title
from invariscope.findings.finding import Finding
from invariscope.studies.compare import Estimate, by_seed, mean_of
from invariscope.studies.judge import direction
from invariscope.studies.phrases import hundredths, sure

_DEPTH = "rank correlation of {} with depth"


def find_all(results: pd.DataFrame) -> list[Finding]:
    """Two sentences per transformation and kind of unit, at the largest number of seen classes.

    Args:
        results: of `Layerwise.results`.
    """
    found = []
    for name in dict.fromkeys(results["transformation"]):
        own = results[(results["transformation"] == name) & (results["group"] == "all")]
        own = own[own["k"] == own["k"].max()]
        for units in dict.fromkeys(own["units"]):
            found += _rises(own[own["units"] == units], str(name), units)
    return found


def _rises(own: pd.DataFrame, name: str, units: str) -> list[Finding]:
    layers = list(dict.fromkeys(own["layer"].dropna()))
    ends = layers[0], layers[-1]
    value, null, excess = (
        [_at(own, quantity, layer) for layer in ends] for quantity in ("invariance", "null", "above null")
    )
    depth, above = (mean_of(by_seed(own, quantity=_DEPTH.format(each))) for each in ("invariance", "above null"))
    start = f"{title(name)}, {units}, {int(own['k'].iloc[0])} classes seen"
    return [
        Finding(
            f"{start}: mean invariance goes from {value[0]} in {ends[0]} to {value[1]} in {ends[1]}; its rank "
            f"correlation with depth is {_correlation(depth)}.",
            direction(depth, 0.5),
            "invariance builds up across layers",
        ),
        Finding(
            f"{start}: counted from what different images reach ({null[0]} in {ends[0]}, {null[1]} in {ends[1]}) to "
            f"perfect invariance, it goes from {excess[0]} to {excess[1]}; rank correlation {_correlation(above)}.",
            direction(above, 0.5),
            "invariance above that of different images builds up across layers",
        ),
    ]


def _at(own: pd.DataFrame, quantity: str, layer: str) -> str:
    return hundredths(mean_of(by_seed(own, quantity=quantity, layer=layer)).value)


def _correlation(estimate: Estimate) -> str:
    value = hundredths(estimate.value)
    if estimate.n > 1 and estimate.low == estimate.high:
        return f"{value} in all {estimate.n} seeds"
    return value + sure(estimate, lambda end: hundredths(min(max(end, -1.0), 1.0)))
