"""One sentence that tables support, and whether what a source claims holds here."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["holds", "does not hold", "undecided", ""]


@dataclass(frozen=True)
class Finding:
    """One sentence that tables support.

    Args:
        sentence: with its numbers.
        verdict: whether what the source claims holds here; empty where nothing is claimed.
        claim: the claim in a few words, where there is one.
    """

    sentence: str
    verdict: Verdict = ""
    claim: str = ""
