"""What a comparison found, in sentences: what got worse comes first."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from invariscope.checks.compare_words import move_text, p_text, points_interval, records, signed_points
from invariscope.core.words import MINUS, amount, count, listed, number, percent, spoken
from invariscope.findings.finding import Finding, Verdict
from invariscope.tolerance.outputs import ALL

WORSE, BETTER, UNKNOWN = "What got worse", "What got better", "Without evidence of a change"
WORDS = {"holds": "better", "does not hold": "worse", "undecided": "no evidence", "": "for the record"}
LIMITS = (
    "An interval speaks of images like these, drawn independently of each other. It knows nothing of how a network "
    "trained again with another seed would differ.",
    "No evidence of a change is no evidence that nothing changed: read the interval, which holds what is possible.",
    "Thresholds are shares of each network's own clean value: a network that is worse on clean images and loses the "
    "same share has the same thresholds. Accuracy at equal magnitudes tells them apart.",
    "Thresholds are interpolated between the magnitudes that were measured, and criteria, levels and sides of one "
    "transformation are not independent findings.",
)
_MOST = 4


def findings(compare: pd.DataFrame, curves: pd.DataFrame, layers: pd.DataFrame, told: Sequence[str]) -> list[Finding]:
    """What got worse, what got better, what is not known to have changed; then layers, and what else differs.

    Args:
        compare: a row per threshold.
        curves: a row per magnitude and class.
        layers: a row per layer and strength.
        told: what differs besides the networks.
    """
    found: list[Finding] = []
    runs = {run for table in (compare, curves, layers) if len(table) for run in table["run"]}
    several = len(runs) > 1
    if len(curves):
        found += [_clean(row) for row in clean_rows(curves)]
        found += _curves(curves[curves["regression"]], "does not hold", WORSE, several)
        found += _curves(curves[curves["improvement"]], "holds", BETTER, several)
    if len(compare):
        found += _moved(compare[compare["regression"]], "does not hold", WORSE, several)
        found += _moved(compare[compare["improvement"]], "holds", BETTER, several)
        found += _unmoved(compare, several)
    found += _layers(layers)
    found += [Finding(sentence, "", "What else differs") for sentence in told]
    order = {WORSE: 0, BETTER: 1, UNKNOWN: 2}
    return sorted(found, key=lambda finding: order.get(finding.claim, 3))


def clean_rows(curves: pd.DataFrame) -> list[dict[str, Any]]:
    """Accuracy on clean images in both runs, once for every run that is compared.

    Args:
        curves: a row per magnitude and class, with the identity's.
    """
    rows = curves[(curves["class"] == ALL) & (curves["quality"] == "accuracy")]
    clean = rows[rows["p_adjusted"].isna() & rows["p"].notna()]
    return records(clean.drop_duplicates("run"))


def _clean(row: dict[str, Any]) -> Finding:
    sentence = (
        f"{row['run']}: accuracy on clean images went from {percent(row['a'], 1)} to {percent(row['b'], 1)}, "
        f"{signed_points(row['difference'])} points {points_interval(row['low'], row['high'])}, {p_text(row['p'])} on "
        f"{count(row['n'], 'image')}{_how(row['basis'])}."
    )
    if row["p"] >= 0.05:
        return Finding(sentence, "undecided", UNKNOWN)
    worse = row["difference"] < 0
    return Finding(sentence, "does not hold" if worse else "holds", WORSE if worse else BETTER)


def _how(basis: str) -> str:
    return ", image by image (McNemar)" if basis == "paired" else ", from both intervals"


def _moved(rows: pd.DataFrame, verdict: Verdict, claim: str, several: bool) -> list[Finding]:
    """A sentence for all images together per transformation and side, and one for its classes."""
    found = []
    for (run, name, side), own in rows.groupby(["run", "transformation", "side"], sort=False):
        whole, classes = own[own["class"] == ALL], own[own["class"] != ALL]
        where = f"{spoken(str(name))} ({str(side).replace('-', MINUS)})"
        if len(whole):
            ordered = records(whole.sort_values("p_adjusted", kind="stable"))
            each = [move_text(row) for row in ordered[:_MOST]]
            more = f" and {len(ordered) - _MOST} more" if len(ordered) > _MOST else ""
            found.append(Finding(_of(run, several, f"{where}: {'; '.join(each)}{more}."), verdict, claim))
        if len(classes):
            ordered = records(classes.sort_values("p_adjusted", kind="stable").drop_duplicates("class"))
            named = [f"{row['class']} ({move_text(row)})" for row in ordered]
            found.append(Finding(_of(run, several, f"{where}, by class: {_semicolons(named)}."), verdict, claim))
    return found


def _curves(rows: pd.DataFrame, verdict: Verdict, claim: str, several: bool) -> list[Finding]:
    """A sentence per transformation on accuracy at equal magnitudes, of all images together."""
    found = []
    rows = rows[rows["class"] == ALL]
    for (run, name), own in rows.groupby(["run", "transformation"], sort=False):
        ordered = records(own.sort_values("p_adjusted", kind="stable"))
        first = ordered[0]
        unit = first["unit_of_measure"]
        others = [amount(value, unit) for value in sorted(row["magnitude"] for row in ordered[1:])]
        more = f"; likewise at {listed(others, 6)}" if others else ""
        change = f"{signed_points(first['difference'])} points {points_interval(first['low'], first['high'])}"
        sentence = (
            f"{spoken(str(name))}: {first['quality']} at "
            f"{amount(first['magnitude'], unit)} is {percent(first['b'], 1)} instead of {percent(first['a'], 1)}, "
            f"{change}, {p_text(first['p_adjusted'])}{more}."
        )
        found.append(Finding(_of(run, several, sentence), verdict, claim))
    return found


def _semicolons(words: Sequence[str]) -> str:
    more = f"; and {len(words) - 3} more classes" if len(words) > 3 else ""
    return "; ".join(words[:3]) + more


def _unmoved(compare: pd.DataFrame, several: bool) -> list[Finding]:
    found = []
    whole = compare[compare["class"] == ALL]
    for run, own in whole.groupby("run", sort=False):
        tested = own[own["p_adjusted"].notna()]
        silent = tested[~tested["regression"] & ~tested["improvement"]]
        names = [
            name for name, rows in tested.groupby("transformation", sort=False) if rows.index.isin(silent.index).all()
        ]
        if names:
            widest = silent[silent["transformation"].isin(names)]
            reach = float(widest[["relative_low", "relative_high"]].abs().max().max())
            what = f" (changes up to {percent(reach)} of the reference's threshold are possible)" if reach > 0 else ""
            spoken_names = listed([spoken(str(name)) for name in names], 8)
            sentence = f"no threshold of all images together moved with evidence under {spoken_names}{what}."
            found.append(Finding(_of(run, several, sentence), "undecided", UNKNOWN))
        untested = own[own["p"].isna()]
        if len(untested):
            of = listed([spoken(str(name)) for name in untested["transformation"].unique()], 6)
            sentence = (
                f"{count(len(untested), 'threshold')} could not be tested, because neither run reaches it on its "
                f"grid or its interval is open ({of})."
            )
            found.append(Finding(_of(run, several, sentence), "", ""))
    return found


def _layers(layers: pd.DataFrame) -> list[Finding]:
    found = []
    for run, own in layers.groupby("run", sort=False) if len(layers) else ():
        cells = [(layer, name, rows) for (layer, name), rows in own.groupby(["layer", "transformation"], sort=False)]
        layer, name, rows = max(cells, key=lambda cell: abs(cell[2]["difference"].mean()))
        if not abs(rows["difference"].mean()) > 0:
            continue
        clear = int(((rows["low"] > 0) | (rows["high"] < 0)).sum())
        sentence = (
            f"{run}: mean invariance of a layer moved most in {layer} under {spoken(str(name))}, "
            f"{number(rows['a'].mean())} to {number(rows['b'].mean())} on average over magnitudes; "
            f"its interval excludes 0 at {clear} of {count(len(rows), 'magnitude')}."
        )
        found.append(Finding(sentence, "", f"Invariance of {count(own['layer'].nunique(), 'layer')}"))
    return found


def _of(run: object, several: bool, sentence: str) -> str:
    """A sentence about one run, which is named where there are several."""
    return f"{run}: {sentence}" if several else sentence[:1].upper() + sentence[1:]
