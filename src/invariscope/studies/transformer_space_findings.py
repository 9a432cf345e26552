"""How much of what a network stands the learned family comes near."""

import pandas as pd

from invariscope.core.words import count, percent
from invariscope.findings.finding import Finding, Verdict
from invariscope.studies.compare import Estimate, mean_of
from invariscope.studies.judge import FEWEST_SEEDS
from invariscope.studies.phrases import sure

_MUCH, _LITTLE = 0.5, 0.2
_HEADS = {"colour": "colour", "spatial": "space"}


def extracted(region: pd.DataFrame | None, networks: list[str]) -> list[Finding]:
    """A sentence for every network and head.

    Args:
        region: the random changes.
        networks: their labels.
    """
    if region is None or region.empty:
        return []
    return [
        _one(region[(region["network"] == name) & (region["head"] == head)], name, head)
        for name in networks
        for head in dict.fromkeys(region["head"])
    ]


def _one(draws: pd.DataFrame, network: str, head: str) -> Finding:
    claim = "the transformer net extracts the space of transformations that the network ignores"
    stands = draws[draws["stands"].astype(bool)]
    if stands.empty:
        return Finding(
            f"{network}: of {count(len(draws), 'random change')} in {_HEADS.get(head, head)}, as long as the learned "
            "ones, it stands none, so that there is no region to compare with.",
            "undecided",
            claim,
        )
    share = mean_of(stands.groupby("seed")["near"].mean())
    sentence = (
        f"{network}: of {count(len(draws), 'random change')} in {_HEADS.get(head, head)}, as long as the learned ones, "
        f"{percent(len(stands) / len(draws))} cost at most 5 points; the learned family comes within a tenth of "
        f"{percent(share.value, 1)} of these{sure(share, _tenth)}, and to within "
        f"{percent(stands['distance'].median())} in the median."
    )
    return Finding(sentence, _verdict(share), claim)


def _verdict(share: Estimate) -> Verdict:
    if share.n < FEWEST_SEEDS or pd.isna(share.low):
        return "undecided"
    return "holds" if share.low > _MUCH else "does not hold" if share.high < _LITTLE else "undecided"


def _tenth(share: float) -> str:
    return percent(share, 1)
