"""What the study joint-tolerance says of the paper's claims, with its numbers."""

import itertools

import numpy as np
import pandas as pd

from invariscope.core.words import amount, percent, spoken
from invariscope.findings.finding import Finding
from invariscope.studies.base import Tables
from invariscope.studies.compare import Estimate, difference
from invariscope.studies.evidence import estimate, surely
from invariscope.studies.judge import direction
from invariscope.studies.phrases import hundredths, sure, tenths

# Of the box: a joint region that is smaller by less is as large.
_LEAST = 0.05


def find_all(results: pd.DataFrame, tables: Tables, level: float) -> list[Finding]:
    """All sentences, pair by pair.

    Args:
        results: of `JointToleranceStudy.results`.
        tables: of the study.
        level: the share of the clean accuracy that bounds the region.
    """
    if results.empty:
        return []
    rows, area = results[results["level"] == level], tables["area"]
    area = area[(area["class"] == "all") & (area["level"] == level)]
    networks = list(dict.fromkeys(rows["network"]))
    found: list[Finding] = []
    for pair in dict.fromkeys(rows["pair"]):
        own, sides = rows[rows["pair"] == pair], area[area["pair"] == pair]
        found += [_region(own, sides[sides["network"] == name], tables, name, level) for name in networks]
        joint = tables["joint"]
        known = [name for name in networks if own.loc[own["network"] == name, "value"].notna().any()]
        for one, other in itertools.combinations(known, 2):
            found.append(_alike(own, joint[joint["pair"] == pair], tables["networks"], one, other, level))
    return found


def _region(rows: pd.DataFrame, sides: pd.DataFrame, tables: Tables, network: str, level: float) -> Finding:
    known = tables["networks"]
    ratio, share, box, within = (
        estimate(rows, known, network, quantity=name) for name in ("ratio", "share", "box", "within")
    )
    x, y = (spoken(str(sides[axis].iloc[0])) for axis in "xy")
    units = tables["joint"].loc[tables["joint"]["pair"] == sides["pair"].iloc[0]].iloc[0]
    ends = [
        f"{x if axis == 'x' else y} from {amount(sides[f'{axis}_low'].mean(), units[f'unit_of_measure_{axis}'])} to "
        f"{amount(sides[f'{axis}_high'].mean(), units[f'unit_of_measure_{axis}'])}"
        for axis in "xy"
    ]
    if np.isnan(ratio.value):
        return Finding(f"{network}: nothing is known of {x} and {y}, for no image is recognised as it is.")
    cut = int(sides["censored"].max())
    sentence = (
        f"{network} keeps {percent(level)} of its clean accuracy over {ends[0]} alone, and over {ends[1]} alone: a box "
        f"of {percent(box.value, 1)} of the plane. Together it keeps that over {percent(share.value, 1)} of the plane, "
        f"{percent(ratio.value)} of the box{surely(ratio, known, network, percent)}; inside the box "
        f"{percent(within.value)} are tolerated."
        + (f" On {_sides(cut)} the grid ends before tolerance does, and the box with it." if cut else "")
    )
    smaller = Estimate(1 - ratio.value, 1 - ratio.high, 1 - ratio.low, ratio.n)
    return Finding(
        sentence, direction(smaller, _LEAST), f"together, {x} and {y} are tolerated less far than each is alone"
    )


def _sides(count: int) -> str:
    return "one side" if count == 1 else f"{count} of four sides"


def _alike(rows: pd.DataFrame, joint: pd.DataFrame, known: pd.DataFrame, one: str, other: str, level: float) -> Finding:
    """How large the regions of two networks are, and how alike their planes."""
    planes = [
        joint[(joint["network"] == name) & (joint["class"] == "all")]
        .groupby(["magnitude_x", "magnitude_y"])["relative"]
        .mean()
        for name in (one, other)
    ]
    together = pd.concat(planes, axis=1).dropna().to_numpy()
    varies = len(together) > 2 and bool((together.std(axis=0) > 0).all())
    alike = float(np.corrcoef(together.T)[0, 1]) if varies else float("nan")
    first, second = (estimate(rows, known, name, quantity="share") for name in (one, other))
    gap = difference(rows, {"network": one}, {"network": other}, quantity="share")
    x, y = (spoken(each) for each in str(rows["pair"].iloc[0]).split(" × "))
    sentence = (
        f"Under {x} and {y}, {one} keeps {percent(level)} of its clean accuracy over {percent(first.value, 1)} of the "
        f"plane and {other} over {percent(second.value, 1)}: {tenths(gap.value)} points"
        f"{sure(gap, tenths)}. Point by point their accuracies correlate at {hundredths(alike)}."
    )
    return Finding(sentence)
