"""The answers above a study's page: those that its run names, or how many of the claims hold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from invariscope.core.words import listed
from invariscope.report.sections import Card
from invariscope.report.study.read import Finding, prose

SAID = {"holds": "holds", "does not hold": "does not hold", "undecided": "undecided", "": "said only"}
# What run.json calls good, bad and unsure, as the page's style names them.
_STYLES = {"good": "invariance", "bad": "not-tolerated", "unsure": "mixed"}
_MOST = 6


def cards_of(info: Mapping[str, Any], findings: Sequence[Finding]) -> list[Card]:
    """The cards of a page.

    Args:
        info: what run.json says; its `cards` are objects with `question`, `answer`, `detail`, and `kind`: "good",
            "bad", "unsure" or nothing.
        findings: on claims, which are counted where the run names no cards.
    """
    told = info.get("cards")
    if not isinstance(told, list):
        return _counted(findings)
    return [
        Card(
            prose(each.get("question") or "")[:60],
            prose(each.get("answer") or "–")[:40],
            prose(each.get("detail") or "")[:200],
            _STYLES.get(str(each.get("kind") or ""), ""),
        )
        for each in told[:_MOST]
        if isinstance(each, dict)
    ]


def _counted(findings: Sequence[Finding]) -> list[Card]:
    """How many of the claims hold; nothing where none was made."""
    judged = Counter(finding.verdict for finding in findings if finding.verdict)
    total = sum(judged.values())
    styles = {"holds": "good", "does not hold": "bad", "undecided": "unsure"}
    return [
        Card(
            SAID[verdict].capitalize(),
            f"{judged[verdict]} of {total}",
            _claims([finding for finding in findings if finding.verdict == verdict]),
            _STYLES[style] if judged[verdict] else "",
        )
        for verdict, style in styles.items()
        if total
    ]


def _claims(findings: Sequence[Finding]) -> str:
    """The different claims in a few words, the most frequent first."""
    named = Counter(finding.claim for finding in findings if finding.claim)
    return listed([f"{claim} ({n}×)" if n > 1 else claim for claim, n in named.most_common()], 3)
