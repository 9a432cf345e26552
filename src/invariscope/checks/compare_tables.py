"""The tables of a comparison: every run against the first, and p-values corrected over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from invariscope.checks.compare_curves import curve_rows
from invariscope.checks.compare_images import pair
from invariscope.checks.compare_layers import common_layers, layer_rows, unit_rows
from invariscope.checks.compare_paired import paired_rows
from invariscope.checks.compare_settings import differences
from invariscope.checks.compare_unpaired import KEYS, distances, unpaired_rows
from invariscope.core.progress import Progress
from invariscope.runs.run import Run
from invariscope.statistics.corrections import CORRECTIONS
from invariscope.tolerance.outputs import ALL

ALPHA = 0.05
_LEAST_DRAWS, _MOST_DRAWS, _WORK = 2000, 100_000, 2_000_000_000
_COLUMNS = (
    *("run", "transformation", "class", "criterion", "level", "side", "unit_of_measure", "a", "b", "difference"),
    *("low", "high", "p", "p_adjusted", "regression", "improvement", "relative", "relative_low", "relative_high"),
    *("at_least", "at_most", "a_beyond", "b_beyond", "n", "basis", "grid"),
)
_CURVES = (
    *("run", "transformation", "magnitude", "unit_of_measure", "class", "quality", "a", "b", "difference"),
    *("low", "high", "p", "p_adjusted", "regression", "improvement", "n", "basis"),
)


@dataclass(frozen=True)
class Asked:
    """How runs are compared.

    Args:
        correction: "holm" or "bh".
        least: the smallest change that matters, as a share of the reference's threshold; 0 or more.
        replicates: bootstrap draws; None chooses them by the number of tests.
        seed: of the draws.
    """

    correction: str = "holm"
    least: float = 0.0
    replicates: int | None = None
    seed: int = 0


@dataclass
class Tables:
    """What a comparison found.

    Attributes:
        compare: a row per threshold.
        curves: a row per magnitude and class.
        layers: a row per layer and strength.
        units: a row per unit that moved much.
        told: what differs besides the networks, in words.
        draws: bootstrap draws for all images together, and for each class.
    """

    compare: pd.DataFrame
    curves: pd.DataFrame
    layers: pd.DataFrame
    units: pd.DataFrame
    told: list[str] = field(default_factory=list)
    draws: tuple[int, int] = (0, 0)


def transformations_of_both(a: Run, b: Run) -> list[str]:
    """Transformations that mean the same in two runs, in the reference's order.

    Args:
        a: the reference.
        b: the other.
    """
    one, other = a.info.get("transformations") or {}, b.info.get("transformations") or {}
    same = ("identity", "unit_of_measure")
    return [name for name in one if name in other and all(one[name][key] == other[name][key] for key in same)]


def with_thresholds(a: Run, b: Run, names: Sequence[str]) -> list[str]:
    """Those of some transformations of which both runs have thresholds.

    Args:
        a: the reference.
        b: the other.
        names: of the transformations.
    """
    there = [set(run.thresholds["transformation"]) if len(run.thresholds) else set() for run in (a, b)]
    return [name for name in names if name in there[0] and name in there[1]]


def compare_tables(runs: Sequence[Run], labels: Sequence[str], asked: Asked, progress: Progress) -> Tables:
    """Compare every run with the first.

    Args:
        runs: finished ones, two or more; the first is the reference.
        labels: what they are called.
        asked: how they are compared.
        progress: is told of every transformation.
    """
    reference = runs[0]
    names = {label: transformations_of_both(reference, run) for label, run in zip(labels[1:], runs[1:], strict=True)}
    judged = {
        label: with_thresholds(reference, run, names[label]) for label, run in zip(labels[1:], runs[1:], strict=True)
    }
    progress.start("comparing", sum(map(len, judged.values())) or 1)
    draws = _draws(runs, [judged[label] for label in labels[1:]], asked)
    thresholds, curves, layers, units, told = [], [], [], [], []
    for label, run in zip(labels[1:], runs[1:], strict=True):
        paired = []
        for name in judged[label]:
            both = pair(reference, run, name)
            unit = str(reference.info["transformations"][name]["unit_of_measure"])
            identity = float(reference.info["transformations"][name]["identity"])
            rows = unpaired_rows(reference, run, name)
            if both is not None:
                paired.append(name)
                rows = paired_rows(both, replicates=draws, seed=asked.seed)
            about = {"run": label, "transformation": name, "unit_of_measure": unit}
            thresholds.append(_in_order(_relative(rows, identity, asked.least)).assign(**about))
            curves.append(curve_rows(reference, run, name, both).assign(**about, identity=identity))
            progress.advance()
        common = common_layers(reference, run)
        layers.append(layer_rows(reference, run, common, names[label]).assign(run=label))
        units.append(unit_rows(reference, run, common, names[label]).assign(run=label))
        told += differences(reference, run, (labels[0], label), judged[label], paired)
    found = Tables(_joined(thresholds), _joined(curves), _joined(layers), _joined(units), told, draws)
    _correct(found, asked)
    return found


def _draws(runs: Sequence[Run], judged: Sequence[Sequence[str]], asked: Asked) -> tuple[int, int]:
    """How often images are drawn, for all classes together and for each: enough for Holm to find what is plain."""
    if asked.replicates is not None:
        return asked.replicates, asked.replicates
    tests, classes = [0, 0], 1
    for run, names in zip(runs[1:], judged, strict=True):
        for name in names:
            joined = distances(runs[0], name).merge(distances(run, name), on=KEYS)
            known = joined[joined["beyond_x"].isna() | joined["beyond_y"].isna()]
            whole = int((known["class"] == ALL).sum())
            tests = [tests[0] + whole, tests[1] + len(known) - whole]
            classes = max(classes, joined["class"].nunique() - 1)
    images = max(int((run.info.get("images") or {}).get("n") or 1) for run in runs)
    # An image of a class is drawn once for all classes of its size, and every class has some hundred columns.
    work = (_WORK // images, _WORK // (200 * classes))
    wanted = [min(ceil(4 * n / ALPHA), _MOST_DRAWS, most) for n, most in zip(tests, work, strict=True)]
    return max(wanted[0], _LEAST_DRAWS), max(wanted[1], _LEAST_DRAWS)


def _relative(rows: pd.DataFrame, identity: float, least: float) -> pd.DataFrame:
    """Thresholds as magnitudes, changes as shares of the reference's, and whether they are as large as matters."""
    sign = np.where(rows["side"] == "+", 1.0, -1.0)
    reference = rows["a"].fillna(rows["a_beyond"]).to_numpy(np.float64)
    worst, best = rows["difference"].fillna(rows["at_most"]), rows["difference"].fillna(rows["at_least"])
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {
            f"relative{end}": np.where(reference > 0, rows[column] / reference, np.nan)
            for end, column in (("", "difference"), ("_low", "low"), ("_high", "high"))
        }
    magnitudes = {
        column: identity + sign * rows[column].to_numpy(np.float64) for column in ("a", "b", "a_beyond", "b_beyond")
    }
    large = {"regression": worst < -least * reference, "improvement": best > least * reference}
    return rows.assign(**magnitudes, **shares, **large)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Class by class, "all" first."""
    place = pd.factorize(rows["class"])[0]
    return rows.iloc[np.argsort(place, kind="stable")]


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    known = [frame for frame in frames if len(frame)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame()


def _correct(found: Tables, asked: Asked) -> None:
    if len(found.compare):
        rows = found.compare
        rows["p_adjusted"] = adjusted(rows, asked.correction, np.ones(len(rows), dtype=bool))
        for column in ("regression", "improvement"):
            rows[column] &= rows["p_adjusted"] < ALPHA
        found.compare = rows[list(_COLUMNS)]
    if len(found.curves):
        rows = found.curves
        # Clean images are the same under every transformation; they are one test of their own.
        rows["p_adjusted"] = adjusted(rows, asked.correction, (rows["magnitude"] != rows["identity"]).to_numpy())
        rows["regression"] = (rows["p_adjusted"] < ALPHA) & (rows["difference"] < 0)
        rows["improvement"] = (rows["p_adjusted"] < ALPHA) & (rows["difference"] > 0)
        found.curves = rows[list(_CURVES)]
    for name in ("layers", "units"):
        table = getattr(found, name)
        if len(table):
            setattr(found, name, table[["run", *(column for column in table.columns if column != "run")]])


def adjusted(rows: pd.DataFrame, correction: str, tested: Bool[ndarray, " row"]) -> pd.Series:
    """p-values corrected within two families: all images together, and the classes.

    Args:
        rows: with columns `class` and `p`.
        correction: "holm" or "bh".
        tested: the rows that belong to a family; shape (row,).

    Returns:
        One per row, NaN where nothing is tested.
    """
    whole = (rows["class"] == ALL).to_numpy()
    found = np.full(len(rows), np.nan)
    for family in (whole & tested, ~whole & tested):
        found[family] = CORRECTIONS[correction](rows["p"].to_numpy(np.float64)[family])
    return pd.Series(found, index=rows.index)
