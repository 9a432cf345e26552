"""What the study infinitesimal says, with its numbers."""

from dataclasses import replace

import pandas as pd

from invariscope.core.words import number, percent, spoken
from invariscope.findings.finding import Finding
from invariscope.studies.base import Tables
from invariscope.studies.compare import Estimate
from invariscope.studies.evidence import estimate, surely
from invariscope.studies.judge import direction
from invariscope.studies.phrases import hundredths

# The rules of the claims: smallest rank correlation, and the share of cases, that count.
_LEAST, _MOST = 0.5, 0.9
_GROWS, _PEAKS = ("translation-x", "translation-y", "rotation"), ("rotation", "zoom", "scale-x", "scale-y")


def find_all(results: pd.DataFrame, tables: Tables) -> list[Finding]:
    """All sentences, network by network.

    Args:
        results: of `Infinitesimal.results`.
        tables: of the study.
    """
    if results.empty:
        return []
    known = tables["networks"]
    found: list[Finding] = []
    for network in dict.fromkeys(results["network"]):
        own = results[results["network"] == network]
        names = list(dict.fromkeys(own["transformation"]))
        found += [_profile(own, known, network, name) for name in names]
        found += [one for name in names for one in _claims(own, known, network, name)]
        found += _predicted(own, known, network, names)
    return found


def _profile(own: pd.DataFrame, known: pd.DataFrame, network: str, name: str) -> Finding:
    rows = own[(own["transformation"] == name) & own["seed"].notna()]
    relative, gains = (
        rows[rows["quantity"] == quantity].groupby(["depth", "layer"], sort=True)["value"].mean().droplevel("depth")
        for quantity in ("relative sensitivity", "gain")
    )
    step = rows[(rows["quantity"] == "sensitivity per step") & (rows["layer"].isin(["image", "output"]))]
    ends = step.groupby("layer")["value"].mean()
    last = relative.index[-1]
    output = estimate(own, known, network, transformation=name, quantity="relative sensitivity", layer=last)
    sentence = (
        f"{network}, {spoken(name)}: on a straight line one step of the default grid would change the image by "
        f"{number(ends['image'], 2)} of its spread between images, the output by {number(ends['output'], 2)}: "
        f"{hundredths(output.value)} times as much{surely(output, known, network)}. {_extremes(gains)}"
    )
    return Finding(sentence)


def _extremes(gains: "pd.Series[float]") -> str:
    most, least = gains.idxmax(), gains.idxmin()
    made = f"Most is created in {most} ({_times(gains.max())})" if gains.max() > 1 else "Nothing creates any"
    lost = f"most removed in {least} ({_times(gains.min())})" if gains.min() < 1 else "nothing removes any"
    return f"{made}, {lost}."


def _times(gain: float) -> str:
    return f"×{hundredths(gain)}"


def _claims(own: pd.DataFrame, known: pd.DataFrame, network: str, name: str) -> list[Finding]:
    found = []
    start = f"{network}, {spoken(name)}"
    selective = _at(own, known, network, name, "rank correlation of selectivity with depth")
    if name in _GROWS and selective is not None:
        sentence = (
            f"{start}: selectivity against noise of the same spectrum has the rank correlation "
            f"{hundredths(selective.value)} with depth{surely(selective, known, network, _bounded)}; negative is "
            "invariance that grows."
        )
        claim = "invariance to translation and rotation grows with depth (after Goodfellow et al.)"
        found.append(Finding(sentence, direction(_turned(selective), _LEAST), claim))
    inside = _at(own, known, network, name, "least selectivity inside")
    if name in _PEAKS and inside is not None:
        sentence = (
            f"{start}: in {percent(inside.value)} of the resamplings the most invariant layer is neither the first nor "
            "the last that rectifies."
        )
        above = replace(inside, value=inside.value - _MOST, low=inside.low - _MOST, high=inside.high - _MOST)
        found.append(Finding(sentence, direction(above), "invariance peaks in the middle (after Lenc & Vedaldi)"))
    moving = _at(own, known, network, name, "rank correlation of equivariance with depth")
    if moving is not None:
        sentence = (
            f"{start}: what a map's own motion explains of its change has the rank correlation "
            f"{hundredths(moving.value)} with depth{surely(moving, known, network, _bounded)}."
        )
        claim = "equivariance falls with depth (after Lenc & Vedaldi)"
        found.append(Finding(sentence, direction(_turned(moving), _LEAST), claim))
    return found


def _at(own: pd.DataFrame, known: pd.DataFrame, network: str, name: str, quantity: str) -> Estimate | None:
    found = estimate(own, known, network, transformation=name, quantity=quantity)
    return None if pd.isna(found.value) else found


def _turned(found: Estimate) -> Estimate:
    return Estimate(-found.value, -found.high, -found.low, found.n)


def _bounded(value: float) -> str:
    return hundredths(min(max(value, -1.0), 1.0))


def _predicted(own: pd.DataFrame, known: pd.DataFrame, network: str, names: list[str]) -> list[Finding]:
    told, better = [], 0
    for name in names:
        length, line, margin = (
            _at(own, known, network, name, f"rank correlation of flips with {column}")
            for column in ("length", "nearest", "margin")
        )
        if length is None or line is None or margin is None:
            continue
        three = (hundredths(each.value) for each in (length, line, margin))
        told.append("{} {}, {} ({})".format(spoken(name), *three))
        better += max(length.value, line.value) > margin.value
    if not told:
        return []
    sentence = (
        f"{network}: rank correlation over images of the first flip with the margin over the length of the logits' "
        "derivative, with where their straight lines meet, and, in brackets, with the margin alone: "
        f"{'; '.join(told)}. The derivative says more than the margin for {better} of {len(told)}."
    )
    return [Finding(sentence)]
