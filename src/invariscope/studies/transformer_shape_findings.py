"""What learned transformations look like: whether their parameters are independent, and what they do in space."""

import itertools

import numpy as np
import pandas as pd

from invariscope.core.words import count, listed, number
from invariscope.findings.finding import Finding, Verdict
from invariscope.statistics.proportions import wilson
from invariscope.studies.compare import by_seed, mean_of
from invariscope.studies.judge import FEWEST_SEEDS, all_of, direction, equality
from invariscope.studies.phrases import hundredths, sure
from invariscope.studies.transformer_observed import angle_between
from invariscope.studies.transformer_versions import RECOMMENDED

_TURN, _ZOOM, _SMALL, _MOST, _FEWEST = 10.0, 1.15, 0.1, 0.9, 5


def shape(rows: pd.DataFrame, entries: pd.DataFrame, network: str) -> list[Finding]:
    """The sentences on one network.

    Args:
        rows: results of the recommended version.
        entries: the changes at corners of k.
        network: its label.
    """
    own = entries[(entries["network"] == network) & (entries["version"] == RECOMMENDED)]
    heads = list(dict.fromkeys(own["head"]))
    found = [_apart(rows, network, heads), *[_distinct(rows, own, network, head) for head in heads]]
    return [*found, _small(rows, network), *_zoom(rows, network)] if "spatial" in heads else found


def _apart(rows: pd.DataFrame, network: str, heads: list[str]) -> Finding:
    leaks = {head: mean_of(by_seed(rows, network=network, quantity="leak", head=head).dropna()) for head in heads}
    most = max(leaks, key=lambda head: leaks[head].value)
    leak = hundredths(leaks[most].value)
    sentence = f"{network}: the other head's k changes the {most} head by {leak} of what its own k does."
    verdict = all_of([equality(leak, 0.05) for leak in leaks.values()])
    return Finding(sentence, verdict, "one k drives space and the other colour, independently")


def _distinct(rows: pd.DataFrame, entries: pd.DataFrame, network: str, head: str) -> Finding:
    angle = mean_of(by_seed(rows, network=network, quantity="angle", head=head).dropna())
    between = _between_seeds(entries[entries["head"] == head])
    sentence = (
        f"{network}: what k₁ alone and k₂ alone do to the {head} head lies {_degrees(angle.value)} apart"
        f"{sure(angle, _degrees)}; what k₁ alone does with one seed and with another, {_degrees(between)}."
    )
    return Finding(sentence, direction(angle, 20.0), "different k give different transformations")


def _between_seeds(entries: pd.DataFrame) -> float:
    """The mean angle between the changes of two seeds at k = (1, 0)."""
    own = entries[(entries["k1"] == 1) & (entries["k2"] == 0)].sort_values(["seed", "entry"])
    vectors = [group["value"].to_numpy() for _, group in own.groupby("seed")]
    angles = [angle_between(one, other) for one, other in itertools.combinations(vectors, 2)]
    return float(np.mean(angles)) if angles else float("nan")


def _small(rows: pd.DataFrame, network: str) -> Finding:
    turns, zooms = (by_seed(rows, network=network, quantity=name) for name in ("rotation", "magnification"))
    sentence = (
        f"{network}: at k = (1, 1) it turns by {_each(turns)} degrees and magnifies {_each(zooms)} times, seed by seed."
    )
    holds = (turns < _TURN) & (zooms < _ZOOM)
    return Finding(sentence, _members(holds), "it never turns by more than a few degrees nor zooms in strongly")


def _zoom(rows: pd.DataFrame, network: str) -> list[Finding]:
    zooms, leans, shifts = (
        by_seed(rows, network=network, quantity=name) for name in ("magnification", "shear", "shift")
    )
    out, n = int((zooms < 1).sum()), len(zooms)
    first = Finding(
        f"{network}: it zooms out with {out} of {count(n, 'seed')}.", _share(out, n), "it zooms out"
    )  # fmt: skip
    rest = (leans < _SMALL) & (shifts < _SMALL)
    second = Finding(
        f"{network}: besides, at k = (1, 1), it leans the axes by {_each(leans)} (tangent) and shifts by "
        f"{_each(shifts)} halves of the image.",
        _share(int(rest.sum()), n),
        "in space it only zooms out: shear and shift stay below a tenth",
    )
    return [first, second]


def _members(holds: "pd.Series[bool]") -> Verdict:
    """All seeds: one that does not hold decides, and five that hold."""
    if len(holds) < FEWEST_SEEDS:
        return "undecided"
    if not holds.all():
        return "does not hold"
    return "holds" if len(holds) >= _FEWEST else "undecided"


def _share(successes: int, n: int) -> Verdict:
    """More than nine in ten seeds, by Wilson's interval."""
    if n < FEWEST_SEEDS:
        return "undecided"
    low, high = wilson(successes, n)
    return "holds" if float(low) > _MOST else "does not hold" if float(high) < _MOST else "undecided"


def _each(values: "pd.Series[float]") -> str:
    return listed([number(value, 2) for value in values], 8)


def _degrees(value: float) -> str:
    return f"{number(value, 2)}°"
