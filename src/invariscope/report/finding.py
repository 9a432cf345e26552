"""What the seen/unseen paradigm found, in sentences computed from its table."""

import math

import numpy as np
import pandas as pd

from invariscope.core.words import count, number, percent, spoken, title

# A rise in accuracy or invariance below this is not called one, however small its interval.
LEAST_RISE = 0.1


def findings(table: pd.DataFrame) -> list[str]:
    """One sentence per transformation, and one that compares them.

    Args:
        table: one row per network: transformation, k, seed, within, across, invariance_unseen, n_classes.
    """
    said: list[str] = _asked(table)
    rising: list[str] = []
    flat: list[str] = []
    for name in dict.fromkeys(table["transformation"]):
        rows = table[table["transformation"] == name]
        ends = sorted(set(rows["k"]))
        if len(ends) < 2:
            continue
        first, last = rows[rows["k"] == ends[0]], rows[rows["k"] == ends[-1]]
        across, invariance = rises(first, last, "across"), rises(first, last, "invariance_unseen")
        (rising if across and invariance else flat).append(spoken(name))
        said.append(_sentence(name, rows, first, last, across, invariance))
    if rising and flat:
        said.append(
            f"So training with some classes transformed teaches invariance that carries over to other classes for "
            f"{' and '.join(rising)}, and not for {' and '.join(flat)}."
        )
    elif rising and len(rising) > 1:
        said.append("So the invariance that is learned on some classes carries over to the others.")
    return said


def _asked(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return []
    classes = n_classes(table)
    who = "One network" if len(table) == 1 else f"Each of {count(len(table), 'network')}"
    return [
        f"{who} learned to tell {classes} classes apart, and saw some of them also "
        "transformed. What does it do with the others, when they are transformed for the first time?"
    ]


def _sentence(
    name: str, rows: pd.DataFrame, first: pd.DataFrame, last: pd.DataFrame, across: bool, invariance: bool
) -> str:
    low, high = int(first["k"].iloc[0]), int(last["k"].iloc[0])
    classes = n_classes(rows)
    moved = (
        f"from {percent(first['across'].mean())} with {count(low, 'class', 'classes')} seen transformed to "
        f"{percent(last['across'].mean())} with {high} of {classes}"
    )
    units = f"from {first['invariance_unseen'].mean():.2f} to {last['invariance_unseen'].mean():.2f}"
    chance = 1 / classes
    both = {
        (True, True): f"accuracy on classes never seen transformed rises {moved}, and the invariance of their units "
        f"rises with it, {units}",
        (True, False): f"accuracy on classes never seen transformed rises {moved}, while the invariance of their "
        f"units hardly does, {units}",
        (False, True): f"accuracy on classes never seen transformed does not rise ({moved}; chance is "
        f"{percent(chance)}), although the invariance of their units does, {units}",
        (False, False): f"accuracy on classes never seen transformed does not rise ({moved}; chance is "
        f"{percent(chance)}), and the invariance of their units hardly, {units}",
    }[across, invariance]
    r = _correlation(rows)
    together = f"; over the {len(rows)} networks the two correlate with r = {number(r, 2)}" if not math.isnan(r) else ""
    return f"{title(name)}: {both}{together}."


def n_classes(table: pd.DataFrame) -> int:
    """How many classes the networks tell apart; the most that were seen transformed where the table does not say."""
    return int(table[["n_classes", "k"]].max().max())


def rises(first: pd.DataFrame, last: pd.DataFrame, column: str) -> bool:
    """Whether the mean rises by at least `LEAST_RISE`, and every seed that has both ends agrees."""
    if not last[column].mean() - first[column].mean() >= LEAST_RISE:
        return False
    paired = first.groupby("seed")[column].mean().to_frame("first").join(last.groupby("seed")[column].mean())
    paired = paired.dropna()
    return bool((paired[column] > paired["first"]).all())


def _correlation(rows: pd.DataFrame) -> float:
    known = rows[["across", "invariance_unseen"]].dropna().to_numpy()
    if len(known) < 4 or (known.std(axis=0) < 1e-9).any():
        return math.nan
    return float(np.corrcoef(known.T)[0, 1])
