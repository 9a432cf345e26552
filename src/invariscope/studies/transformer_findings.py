"""What the study transformer-net says of the paper's claims, with its numbers."""

import pandas as pd

from invariscope.core.words import count, listed, number, percent
from invariscope.findings.finding import Finding, Verdict
from invariscope.studies.base import Tables
from invariscope.studies.compare import Estimate, by_seed, mean_of
from invariscope.studies.judge import all_of, direction, equality
from invariscope.studies.phrases import hundredths, sure, tenths
from invariscope.studies.transformer_shape_findings import shape
from invariscope.studies.transformer_space_findings import extracted
from invariscope.studies.transformer_versions import COLOUR, LITERAL, RECOMMENDED, SUM

_ARCHITECTURES = 3


def find_all(results: pd.DataFrame, tables: Tables) -> list[Finding]:
    """All sentences, claim by claim.

    Args:
        results: of `TransformerNetStudy.results`.
        tables: of the study.
    """
    if results.empty:
        return []
    networks = [name for name in dict.fromkeys(results["network"]) if isinstance(name, str)]
    usual = results[results["version"] == RECOMMENDED]
    kept = {name: _kept(usual, name) for name in networks}
    ordered = {name: _ordered(usual, name) for name in networks}
    return [
        *[_course(usual, name) for name in networks],
        *[finding for name in networks for finding in kept[name]],
        *ordered.values(),
        *[finding for name in networks for finding in shape(usual, tables["entries"], name)],
        *[finding for name in networks for finding in _colours(results, name)],
        *[_faster(usual, name) for name in networks],
        *[finding for name in networks for finding in _switch(results, name)],
        _everywhere(networks, kept, ordered),
        *extracted(tables.get("region"), networks),
        *[_certified(usual, name) for name in networks],
        *[finding for name in networks for finding in _literal(results, name)],
    ]


def _course(rows: pd.DataFrame, network: str) -> Finding:
    own, other = (
        mean_of(by_seed(rows, network=network, quantity=f"{whose} loss, change"))
        for whose in ("network's", "transformers'")
    )
    falls = Estimate(-other.value, -other.high, -other.low, other.n)
    reached = mean_of(by_seed(rows, network=network, quantity="accuracy at the end"))
    sentence = (
        f"{network}: over learning its own loss changes by {_signed(own.value)} of its start{sure(own)}, and that of "
        f"the transformers falls by {hundredths(falls.value)}{sure(falls)}; the accuracy at the end is "
        f"{percent(reached.value, 1)}."
    )
    verdict = all_of([equality(own, 0.1), direction(falls)])
    return Finding(sentence, verdict, "the network's loss stays while the transformers' loss falls")


def _kept(rows: pd.DataFrame, network: str) -> list[Finding]:
    found = []
    clean = mean_of(by_seed(rows, network=network, quantity="clean"))
    for which, words in (("mean over k", "in the mean over k"), ("worst k", "at the worst k")):
        change = mean_of(by_seed(rows, network=network, quantity=f"change, {which}"))
        sentence = (
            f"{network}: {words}, the learned transformations at scale 1 change held-out accuracy by "
            f"{tenths(change.value)} points{sure(change, tenths)}, from {percent(clean.value, 1)}."
        )
        found.append(Finding(sentence, equality(change, 0.05), f"transformed images are classified as before, {words}"))
    return found


def _ordered(rows: pd.DataFrame, network: str) -> Finding:
    each = {
        (head, component): mean_of(
            by_seed(rows, network=network, quantity="order", head=head, component=component).dropna()
        )
        for head in _heads(rows)
        for component in ("k₁", "k₂")
    }
    lowest = min(each, key=lambda key: each[key].value)
    sentence = (
        f"{network}: the length of the change grows with k, least steadily with {lowest[1]} of the {lowest[0]} head "
        f"(Spearman's correlation {hundredths(each[lowest].value)}{sure(each[lowest])})."
    )
    verdict = all_of([direction(one, 0.9) for one in each.values()])
    return Finding(sentence, verdict, "a larger k is a larger transformation")


def _colours(results: pd.DataFrame, network: str) -> list[Finding]:
    found = []
    for version, weight in ((RECOMMENDED, "1"), (COLOUR, "5")):
        rows = results[results["version"] == version]
        colour, gain = (
            by_seed(rows, network=network, quantity=f"pixels changed, {what}") for what in ("colour", "gain")
        )
        if colour.empty:
            continue
        gap = mean_of((gain - colour).dropna())
        length = by_seed(rows, network=network, quantity="length at k = (1, 1)", head="colour")
        sentence = (
            f"{network}: with a weight of {weight} of colours, at k = (1, 1), ‖C − I‖ is "
            f"{hundredths(float(length.mean()))} and pixels change by {hundredths(float(colour.mean()))} of their "
            f"range; a gain that costs a tenth of the accuracy changes them by {hundredths(float(gain.mean()))}, "
            f"{_signed(gap.value)} more{sure(gap)}."
        )
        found.append(Finding(sentence, direction(gap), "only small changes of colour are learned"))
    return found


def _faster(rows: pd.DataFrame, network: str) -> Finding:
    colour, space = (
        by_seed(rows, network=network, quantity="steps to half", head=head) for head in ("colour", "spatial")
    )
    later = mean_of(((colour - space) / space).dropna())
    sentence = (
        f"{network}: the spatial head reaches half of its final length after {number(float(space.mean()))} steps and "
        f"the colour head after {number(float(colour.mean()))}, {percent(later.value)} later{sure(later, percent)}."
    )
    return Finding(sentence, direction(later, 0.5), "spatial parameters are learned much faster than colours")


def _switch(results: pd.DataFrame, network: str) -> list[Finding]:
    """The best weight of a sum against the gate, at the size that the gate reaches."""
    rows = results[(results["quantity"] == "accuracy at equal size") & (results["network"] == network)]
    sums = [name for name in dict.fromkeys(rows["version"]) if str(name).startswith(SUM)]
    gate = by_seed(rows, version=RECOMMENDED)
    gaps = {name: mean_of((gate - by_seed(rows, version=name)).dropna()) for name in sums}
    known = {name: gap for name, gap in gaps.items() if gap.value == gap.value}
    if not known:
        return []
    best = min(known, key=lambda name: known[name].value)
    others = listed([f"{name} {percent(float(by_seed(rows, version=name).mean()), 1)}" for name in sums], 8)
    sentence = (
        f"{network}: at the size that the gate reaches, its family keeps {percent(float(gate.mean()), 1)} in the mean "
        f"over k; weighted sums scaled to that size keep {others}. Against the best, {best}, the gate is "
        f"{tenths(known[best].value)} points better{sure(known[best], tenths)}."
    )
    claim = "a weighted sum of both losses trains badly, and switching on accuracy works"
    return [Finding(sentence, direction(known[best], 0.03), claim)]


def _everywhere(networks: list[str], kept: dict[str, list[Finding]], ordered: dict[str, Finding]) -> Finding:
    verdicts: dict[str, Verdict] = {
        name: all_of([finding.verdict for finding in (*kept[name], ordered[name])]) for name in networks
    }
    works = [name for name, verdict in verdicts.items() if verdict == "holds"]
    sentence = (
        f"Images keep their class and k its order with {listed(works) or 'none'} of {count(len(networks), 'network')} "
        f"({listed(networks, 8)})."
    )
    verdict = all_of(list(verdicts.values()))
    if verdict == "holds" and len(networks) < _ARCHITECTURES:
        verdict = "undecided"
    return Finding(sentence, verdict, "the method works on other networks")


def _certified(rows: pd.DataFrame, network: str) -> Finding:
    scale = by_seed(rows, network=network, quantity="certified scale")
    moved, colour = (
        by_seed(rows, network=network, quantity=f"certified {what}") for what in ("displacement", "colour")
    )
    worst = by_seed(rows, network=network, quantity="certified change, worst k")
    if not (scale > 0).any():
        return Finding(
            f"{network}: nothing is certified with any of {count(len(scale), 'seed')}: no scale that was tried keeps "
            "95 % of the clean accuracy at every k."
        )
    return Finding(
        f"{network}: certified are scales {listed([number(value) for value in scale], 8)}; there pixels move by "
        f"{listed([number(value, 2) for value in moved], 8)} px and ‖C − I‖ is "
        f"{listed([number(value, 2) for value in colour], 8)} in the mean over k, and the worst k changes accuracy by "
        f"{listed([tenths(value) for value in worst], 8)} points."
    )


def _literal(results: pd.DataFrame, network: str) -> list[Finding]:
    rows = results[(results["version"] == LITERAL) & (results["network"] == network)]
    lost = by_seed(rows, quantity="change, mean over k")
    diverged = int(by_seed(rows, quantity="diverged").sum()) if "diverged" in set(rows["quantity"]) else 0
    if rows.empty:
        return []
    told = f"; {diverged} diverged" if diverged else ""
    change = mean_of(lost)
    return [
        Finding(
            f"{network}: as the paper writes it (random start, gate per batch, no anchor), accuracy changes by "
            f"{tenths(change.value)} points in the mean over k{sure(change, tenths)}{told}."
        )
    ]


def _heads(rows: pd.DataFrame) -> list[str]:
    return [head for head in dict.fromkeys(rows["head"]) if isinstance(head, str)]


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + hundredths(value)
