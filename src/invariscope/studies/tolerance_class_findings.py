"""What the study of tolerance says of single classes: chance, confidence, noise and turns."""

from collections.abc import Sequence

import pandas as pd

from invariscope.core.words import listed, percent, spoken
from invariscope.findings.finding import Finding, Verdict
from invariscope.statistics.proportions import wilson
from invariscope.studies.compare import Estimate
from invariscope.studies.evidence import estimate, surely
from invariscope.studies.judge import direction, equality
from invariscope.studies.phrases import hundredths, tenths, unsigned
from invariscope.studies.tolerance_grids import PAPER

_SURE, _RELATED, _STRONG, _CONSTANT, _RETURNS = 0.05, 0.3, 0.4, 0.1, 0.2


def class_findings(results: pd.DataFrame, networks: pd.DataFrame, names: Sequence[str]) -> list[Finding]:
    """All sentences on classes.

    Args:
        results: of `Tolerance.results`.
        networks: the table of networks.
        names: of the networks.
    """
    said: list[Finding] = []
    for name in names:
        said += [*_chance(results, name), *_switches(results, networks, name), *_confidence(results, networks, name)]
        said += _turns(results, networks, name)
    return said


def _chance(results: pd.DataFrame, name: str) -> list[Finding]:
    claim = "the threshold depends on the class"
    rows = results[(results["quantity"] == "p of classes alike") & (results["network"] == name)]
    rows = rows[rows["seed"].notna() & rows["transformation"].isin(PAPER)]
    if rows.empty:
        return []
    if rows["value"].isna().all():
        return [Finding(f"{name}: not testable here, as classes have one image each, or no labels.", "", claim)]
    middle = rows.groupby("transformation", sort=False)["value"].median().dropna()
    different = [spoken(each) for each in middle.index if middle[each] < _SURE]
    same = [spoken(each) for each in middle.index if middle[each] >= _SURE]
    sentence = (
        f"{name}: thresholds differ between classes by more than the draw of their images explains (p < {_SURE:g}, "
        "labels "
        f"permuted) under {len(different)} of {len(middle)} transformations"
    )
    sentence += f"; not under {listed(same, 12)}." if same and different else "."
    return [Finding(sentence, most_of(len(different), len(middle)), claim)]


def _switches(results: pd.DataFrame, networks: pd.DataFrame, name: str) -> list[Finding]:
    share = estimate(results, networks, name, quantity="classes that switch")
    if pd.isna(share.value):
        return []
    known = share.n >= 3 and not pd.isna(share.low)
    verdict: Verdict = "undecided"
    if known:
        verdict = "holds" if share.low > 0.5 else "does not hold" if share.high < 0.5 else "undecided"
    sentence = (
        f"{name}: under growing noise another class's mean softmax passes the true one for {percent(share.value)} of "
        "the "
        f"classes that it recognises{_classes(share, results, networks, name, _share)}."
    )
    return [Finding(sentence, verdict, "growing noise switches the predicted class")]


def _confidence(results: pd.DataFrame, networks: pd.DataFrame, name: str) -> list[Finding]:
    r = estimate(results, networks, name, quantity="correlation of confidence with the switch")
    if pd.isna(r.value):
        return []
    sentence = (
        f"{name}: the noise at which a class switches goes with its clean mean softmax with a rank correlation of "
        f"{hundredths(r.value)}{_classes(r, results, networks, name, hundredths)}."
    )
    claim = "the critical noise depends on the class because confidence does"
    return [Finding(sentence, direction(r, _RELATED), claim)]


def _classes(found: Estimate, results: pd.DataFrame, networks: pd.DataFrame, name: str, write: object) -> str:
    """How sure a number over classes is: over seeds, or over how many classes."""
    text = surely(found, networks, name, write)  # type: ignore[arg-type]
    if "image" not in text:
        return text
    rows = results[(results["quantity"] == "classes that switch") & (results["network"] == name)]
    n = int(rows.loc[rows["seed"].notna(), "n"].iloc[0])
    return f"{text.rpartition(' over ')[0]} over {n:,} classes)"


def _turns(results: pd.DataFrame, networks: pd.DataFrame, name: str) -> list[Finding]:
    def of(quantity: str, group: str) -> Estimate:
        return estimate(results, networks, name, quantity=quantity, group=group)

    said = []
    lost = of("softmax lost at 45 to 90 degrees", "none")
    if not pd.isna(lost.value):
        sentence = (
            f"{name}: turned by 45 to 90 degrees, classes without symmetry lose {percent(lost.value)} of their clean "
            "mean "
            f"softmax{surely(lost, networks, name, percent)}."
        )
        said.append(Finding(sentence, direction(lost, _STRONG), "rotation strongly lowers the softmax"))
    claim = "point-symmetric items keep a constant softmax under rotation"
    span, more = of("span of the softmax", "disc"), of("span of the softmax less that of discs", "none")
    if pd.isna(span.value):
        said.append(Finding(f"{name}: not testable here, as no class is known to be a disc.", "", claim))
    else:
        sentence = (
            f"{name}: over all angles the mean softmax of discs spans {_points(span.value)}"
            f"{surely(span, networks, name, unsigned)}."
        )
        said.append(Finding(sentence, equality(span, _CONSTANT), claim))
        sentence = (
            f"{name}: that of classes without symmetry spans {_points(more.value)} more"
            f"{surely(more, networks, name, tenths)}."
        )
        said.append(Finding(sentence, direction(more), claim))
    claim = "axis-symmetric items return to a high softmax at 180 degrees"
    for group, words in (("half turn", "the same after half a turn"), ("mirror", "mirror-symmetric only")):
        back = of("softmax at 180 less at 90 degrees", group)
        if pd.isna(back.value):
            said.append(Finding(f"{name}: not testable here, as no class is known to be {words}.", "", claim))
            continue
        sentence = (
            f"{name}: for classes that are {words} the mean softmax is {_points(abs(back.value))} "
            f"{'higher' if back.value >= 0 else 'lower'} at 180 than at 90 "
            f"degrees{surely(back, networks, name, tenths)}."
        )
        said.append(Finding(sentence, direction(back, _RETURNS), claim))
    return said


def _share(value: float) -> str:
    """A share in percent; the ends of an interval over seeds may lie beyond what a share can be."""
    return percent(min(max(value, 0.0), 1.0))


def _points(share: float) -> str:
    return f"{unsigned(share)} points"


def most_of(part: int, total: int) -> Verdict:
    """Judge the claim that most members do something, from how many do: Wilson's interval beyond one half.

    Example:
        >>> most_of(10, 10), most_of(0, 10), most_of(6, 10)
        ('holds', 'does not hold', 'undecided')
    """
    if not total:
        return "undecided"
    low, high = (float(end) for end in wilson(part, total))
    return "holds" if low > 0.5 else "does not hold" if high < 0.5 else "undecided"
