"""The answers above the page of a comparison, and what that comparison cannot tell."""

import pandas as pd

from invariscope.checks.compare_findings import clean_rows
from invariscope.checks.compare_tables import ALPHA, Tables
from invariscope.checks.compare_words import p_text, points_interval, signed_points
from invariscope.core.words import count, listed, percent, spoken
from invariscope.tolerance.outputs import ALL

_CORRECTED = {
    "holm": "Holm's correction: a false alarm among all in 5 % of such comparisons",
    "bh": "Benjamini and Hochberg's correction: 5 % of the alarms are false",
}


def cards(found: Tables, correction: str, least: float) -> list[dict[str, str]]:
    """How many tests found something worse or better, and the accuracy on clean images.

    Args:
        found: the comparison.
        correction: of p-values.
        least: the smallest change that matters.
    """
    told_cards: list[dict[str, str]] = []
    if len(found.compare):
        whole = found.compare[(found.compare["class"] == ALL) & found.compare["p"].notna()]
        curves = found.curves[(found.curves["class"] == ALL) & found.curves["p_adjusted"].notna()]
        tests = len(whole) + len(curves)
        silent = tests
        for question, column, kind in (("Got worse", "regression", "bad"), ("Got better", "improvement", "good")):
            moved, levels = whole[whole[column]], curves[curves[column]]
            beyond = f", by more than {percent(least, 1)}" if least else ""
            told = f"{len(moved)} of {count(len(whole), 'threshold')}{beyond}{_of(moved)}"
            at = f"accuracy at {len(levels)} of {count(len(curves), 'magnitude')}{_of(levels)}"
            n = len(moved) + len(levels)
            silent -= n
            shown = {"question": question, "answer": f"{n} of {tests}", "detail": f"{told}; {at}"}
            told_cards.append({**shown, "kind": kind if n else ""})
        told_cards.append(
            {"question": "No evidence", "answer": f"{silent} of {tests}", "detail": _CORRECTED[correction]}
        )
    clean = clean_rows(found.curves) if len(found.curves) else []
    for row in clean:
        question = f"Clean accuracy, {row['run']}" if len(clean) > 1 else "Clean accuracy"
        moved_clean = row["p"] < ALPHA
        kind = ("bad" if row["difference"] < 0 else "good") if moved_clean else ""
        detail = f"{percent(row['a'], 1)} to {percent(row['b'], 1)}, {points_interval(row['low'], row['high'])}"
        answer = f"{signed_points(row['difference'])} points"
        told_cards.append(
            {"question": question, "answer": answer, "detail": f"{detail}, {p_text(row['p'])}", "kind": kind}
        )
    return told_cards


def _of(rows: pd.DataFrame) -> str:
    names = listed([spoken(str(name)) for name in rows["transformation"].unique()], 3)
    return f" ({names})" if names else ""


def caveats(found: Tables, correction: str) -> list[str]:
    """What this very comparison cannot tell.

    Args:
        found: the comparison.
        correction: of p-values.
    """
    if found.compare.empty:
        return ["No thresholds are compared, for a run has none."]
    told = []
    if (found.compare["basis"] == "unpaired").any():
        told.append(
            "Thresholds marked unpaired are compared by each run's own interval, as if the images were different ones: "
            "smaller changes stay unseen."
        )
    if (found.compare["grid"] == "own").any():
        told.append(
            "Some thresholds were read from different grids of magnitudes (column grid: own); interpolation alone can "
            "move them by a part of a step."
        )
    if len(found.layers):
        told.append(
            "Intervals of layers take both runs' images as different ones and are not corrected for their number; "
            "units have no interval, and are the same units only where one network was made of the other."
        )
    tested = found.compare[(found.compare["basis"] == "paired") & found.compare["p"].notna()]
    sizes = [int((tested["class"] == ALL).sum()), int((tested["class"] != ALL).sum())]
    for what, size, draws in zip(("thresholds", "thresholds of classes"), sizes, found.draws, strict=True):
        # The smallest p-value that so many draws can give.
        if correction == "holm" and size * 2 / (draws + 1) > ALPHA:
            told.append(
                f"{size:,} {what} are tested with {draws:,} bootstrap draws, too few for any to stand Holm's "
                "correction; more replicates, fewer transformations or the correction bh can find some."
            )
    return told
