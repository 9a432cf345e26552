"""What the study of tolerance says of the paper's claims, with its numbers."""

from collections.abc import Sequence

import pandas as pd

from invariscope.core.words import amount, count, listed, number, percent, spoken
from invariscope.findings.finding import Finding, Verdict
from invariscope.studies.base import Tables
from invariscope.studies.compare import Estimate
from invariscope.studies.evidence import estimate, surely
from invariscope.studies.judge import all_of, direction, equality
from invariscope.studies.phrases import hundredths, unsigned
from invariscope.studies.together import together
from invariscope.studies.tolerance_class_findings import class_findings
from invariscope.studies.tolerance_grids import PAPER
from invariscope.studies.tolerance_pair_findings import pair_findings
from invariscope.studies.tolerance_spread import MORE
from invariscope.studies.tolerance_sweeps import PLATEAU

_SMALL, _DIFFERENT = 0.03, 0.5
Member = tuple[str, str]


def find_all(results: pd.DataFrame, tables: Tables) -> list[Finding]:
    """All sentences.

    Args:
        results: of `Tolerance.results`.
        tables: all tables.
    """
    networks = tables["networks"]
    names = list(dict.fromkeys(networks["network"]))
    members = _members(results)
    said = [*_clean(networks, names), *_left_out(results)]
    for name in names:
        said += [_plateau(results, networks, name, members), _breaks_down(results, networks, name, members)]
        said += [*_spread(results, networks, name, members), *_colour(results, networks, name)]
    return [*said, *class_findings(results, networks, names), *pair_findings(results, networks)]


def _members(results: pd.DataFrame) -> list[Member]:
    """The paper's transformations on every side on which they have magnitudes."""
    rows = results[(results["quantity"] == "accuracy at the end") & results["transformation"].isin(PAPER)]
    return list(dict.fromkeys(zip(rows["transformation"], rows["side"], strict=True)))


def in_words(member: Member) -> str:
    """A transformation and its side.

    Example:
        >>> in_words(("zoom", "-"))
        'zoom −'
    """
    return f"{spoken(member[0])} {'+' if member[1] == '+' else '−'}"


def _clean(networks: pd.DataFrame, names: Sequence[str]) -> list[Finding]:
    said = []
    for name in names:
        own = networks[networks["network"] == name]
        n = int(own["n"].iloc[0])
        how = "trained here, seeing nothing transformed" if bool(own["trained"].all()) else "taken as it was loaded"
        if own["clean"].isna().all():
            note = own["note"].iloc[0] or "The labels do not fit."
            said.append(Finding(f"{name} ({how}): {note} Agreement with its clean prediction stands for accuracy."))
            continue
        low, high = own["clean"].min(), own["clean"].max()
        reached = percent(low, 1) if low == high else f"{percent(low, 1)} to {percent(high, 1)}"
        said.append(Finding(f"{name}, {how}, classifies {reached} of {count(n, 'clean image')} correctly."))
    return said


def _left_out(results: pd.DataFrame) -> list[Finding]:
    names = list(dict.fromkeys(results.loc[results["quantity"] == "images changed", "transformation"]))
    if not names:
        return []
    verb, are = ("changes", "is") if len(names) == 1 else ("change", "are")
    listing = listed([spoken(name) for name in names])
    return [Finding(f"{listing[:1].upper()}{listing[1:]} {verb} none of these images and {are} left out.")]


def _of(results: pd.DataFrame, networks: pd.DataFrame, name: str, quantity: str, member: Member) -> Estimate:
    where = {"quantity": quantity, "transformation": member[0], "side": member[1]}
    return estimate(results, networks, name, **where)


def _plateau(results: pd.DataFrame, networks: pd.DataFrame, name: str, members: Sequence[Member]) -> Finding:
    claim = "up to some magnitude networks behave invariantly"
    lost = {member: _of(results, networks, name, "lost halfway to the threshold", member) for member in members}
    lost = together(lost, over_seeds=bool(networks["trained"].all()))
    verdicts = {member: equality(each, _SMALL) for member, each in lost.items()}
    worst = max(lost, key=lambda member: lost[member].value)
    never = [member for member in members if pd.isna(_threshold(results, networks, name, member).value)]
    sentence = (
        f"{name}: halfway to the magnitude at which accuracy falls below {percent(PLATEAU)} of the clean one it has "
        f"lost at most {_points(lost[worst].value)}{surely(lost[worst], networks, name, unsigned)}, under "
        f"{in_words(worst)}; it stays within {_SMALL * 100:.0f} points of the clean one, interval included, in "
        f"{_holding(verdicts)} of {len(members)} directions."
    )
    if never:
        sentence += f" It never falls so far on the grid under {listed([in_words(each) for each in never])}."
    return Finding(sentence, all_of(list(verdicts.values())), claim)


def _threshold(results: pd.DataFrame, networks: pd.DataFrame, name: str, member: Member) -> Estimate:
    where = {"quantity": "threshold", "transformation": member[0], "side": member[1], "level": PLATEAU}
    return estimate(results, networks, name, **where)


def _breaks_down(results: pd.DataFrame, networks: pd.DataFrame, name: str, members: Sequence[Member]) -> Finding:
    claim = "beyond it predictions become wrong, under every transformation"
    short = {m: _of(results, networks, name, "below half of the clean accuracy at the end", m) for m in members}
    short = together(short, over_seeds=bool(networks["trained"].all()))
    verdicts = {member: direction(each) for member, each in short.items()}
    ends = {member: _of(results, networks, name, "accuracy at the end", member) for member in members}
    kept = {member: _of(results, networks, name, "agreement at the end", member) for member in members}
    best, worst = max(ends, key=lambda m: ends[m].value), min(ends, key=lambda m: ends[m].value)
    survives = [in_words(member) for member in members if verdicts[member] == "does not hold"]
    sentence = (
        f"{name}: at the strongest magnitudes accuracy is {percent(ends[worst].value)} ({in_words(worst)}) to "
        f"{percent(ends[best].value)} ({in_words(best)}), surely below half of the clean one in {_holding(verdicts)} "
        "of "
        f"{len(members)} directions; the prediction is still the clean one for "
        f"{percent(min(e.value for e in kept.values()))}"
        f" to {percent(max(e.value for e in kept.values()))} of the images."
    )
    if survives:
        sentence += f" It surely stays above half under {listed(survives)}."
    return Finding(sentence, all_of(list(verdicts.values())), claim)


def _spread(results: pd.DataFrame, networks: pd.DataFrame, name: str, members: Sequence[Member]) -> list[Finding]:
    gap = estimate(results, networks, name, quantity="spread of thresholds")
    if pd.isna(gap.value):
        return []
    where = {"quantity": "change at the threshold", "level": PLATEAU}
    changes = {m: estimate(results, networks, name, transformation=m[0], side=m[1], **where) for m in members}
    known = {member: each.value for member, each in changes.items() if not pd.isna(each.value)}
    if not known:
        return []
    low, high = min(known, key=lambda m: known[m]), max(known, key=lambda m: known[m])

    def at(member: Member) -> str:
        unit = results.loc[
            (results["quantity"] == "threshold") & (results["transformation"] == member[0]), "unit_of_measure"
        ].iloc[0]
        return f"{in_words(member)}, {amount(_threshold(results, networks, name, member).value, unit)}"

    sentence = (
        f"{name}: at the threshold pixels have changed by {number(known[low], 2)} of the range ({at(low)}) to "
        f"{number(known[high], 2)} ({at(high)}), root mean squared; the smallest lies {percent(gap.value)} below the "
        "largest"
        f"{surely(gap, networks, name, percent)}."
    )
    return [Finding(sentence, direction(gap, _DIFFERENT), "the threshold depends on the transformation")]


def _colour(results: pd.DataFrame, networks: pd.DataFrame, name: str) -> list[Finding]:
    claim = "networks are very sensitive to colour"
    more = estimate(results, networks, name, quantity=MORE)
    if pd.isna(more.value):
        return [Finding(f"{name}: not testable here, as hue and grayscale change nothing of these images.", "", claim)]
    sentence = (
        f"{name}: at the threshold colour (hue, grayscale, gain) has changed pixels by {number(abs(more.value), 2)} "
        "of the "
        f"range {'less' if more.value > 0 else 'more'} than geometry{surely(more, networks, name, hundredths)}; where "
        "accuracy never falls so far, the end of the grid counts."
    )
    return [Finding(sentence, direction(more), claim)]


def _points(share: float) -> str:
    return f"{unsigned(share)} points"


def _holding(verdicts: dict[Member, Verdict]) -> int:
    return sum(verdict == "holds" for verdict in verdicts.values())
