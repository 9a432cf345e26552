"""Whether tolerance is invariance, other units taking over, or neither."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from invariscope.tolerance.empty import empty
from invariscope.tolerance.evidence import KINDS, AblationCost, Limits, Shares, UnitColumns, shares
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.resample import REPLICATES, draws, interval

_COLUMNS = [
    *("transformation", "magnitude", "group", "tolerated", "invariant_share", "specialized_share", "neither_share"),
    *("ablation_invariant", "ablation_specialized", "low", "high"),
    *("relative_accuracy", "relative_accuracy_low", "relative_accuracy_high", "n_active", "n_images", "layer"),
    *(f"ablation_{kind}_{what}" for kind in KINDS for what in ("cost", "control", "low", "high")),
    "verdict",
]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one strength did to the units of the last hidden site, for one group of images.

    Args:
        magnitude: of the transformation; one of the sweep's.
        group: "all", "seen" or "unseen".
        layer: the site's name.
        units: its units' columns.
        ablation: the costs by kind; empty when nothing was ablated.
        images: which images of the sweep belong to the group; None for all.
    """

    magnitude: float
    group: str
    layer: str
    units: UnitColumns
    ablation: dict[str, AblationCost]
    images: Bool[ndarray, " image"] | None = None


def verdict_rows(
    sweep: Sweep | None,
    evidence: Iterable[Evidence],
    limits: Limits | None = None,
    *,
    name: str | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """One row per strength and group: is it tolerated, and what carries the tolerance.

    `relative_accuracy` is transformed over clean accuracy (without labels: agreement with the clean prediction), with
    a paired bootstrap over images. `tolerated`: it is at least `limits.tolerated`; unknown where the clean accuracy is
    0 or there is no sweep. `ablation_invariant` and `ablation_specialized` are costs in accuracy minus those of as
    many random active units. `low` and `high` belong to `invariant_share`. The column `verdict` is that of `judge`.

    Args:
        sweep: the outputs along the transformation; None for recorded responses, which have no outputs.
        evidence: of each strength and group.
        limits: where the lines are.
        name: of the transformation, where there is no sweep.
        replicates: of the bootstrap over images.
        seed: of the bootstrap.

    Returns:
        The rows of `verdicts.parquet`; `tolerated` is a nullable boolean.
    """
    limits = limits or Limits()
    rows: list[dict[str, object]] = []
    for one in evidence:
        relative, low, high, n_images = _relative_accuracy(sweep, one, replicates, seed)
        tolerated = None if np.isnan(relative) else bool(relative >= limits.tolerated - 1e-9)
        found = shares(one.units, limits)
        row: dict[str, object] = {
            "transformation": sweep.name if sweep else name,
            "magnitude": float(one.magnitude),
            "group": one.group,
            "tolerated": tolerated,
            "invariant_share": found.invariant,
            "specialized_share": found.specialized,
            "neither_share": found.neither,
            "low": found.low,
            "high": found.high,
            "relative_accuracy": relative,
            "relative_accuracy_low": low,
            "relative_accuracy_high": high,
            "n_active": found.n_active,
            "n_images": n_images,
            "layer": one.layer,
            # Recorded responses have no accuracy that could be lost: the word then speaks of the units alone.
            "verdict": judge(True if sweep is None else tolerated, found, one.ablation, limits),
        }
        for kind in KINDS:
            cost = one.ablation.get(kind)
            nan = float("nan")
            row[f"ablation_{kind}"] = cost.difference if cost else nan
            row[f"ablation_{kind}_cost"] = cost.cost if cost else nan
            row[f"ablation_{kind}_control"] = cost.control if cost else nan
            row[f"ablation_{kind}_low"] = cost.low if cost else nan
            row[f"ablation_{kind}_high"] = cost.high if cost else nan
        rows.append(row)
    if not rows:
        return empty(_COLUMNS)
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"tolerated": "boolean"})


def judge(tolerated: bool | None, found: Shares, ablation: dict[str, AblationCost], limits: Limits) -> str:
    """The verdict on one strength, in words.

    A kind of unit *carries* the tolerance if most active units are of the kind, or if silencing it surely costs more
    accuracy (by `limits.cost`, with the whole 95 % interval) than silencing as many random active units.

    Args:
        tolerated: whether accuracy survives; None if unknown.
        found: the shares of the kinds.
        ablation: the costs by kind; empty when nothing was ablated.
        limits: where the lines are.

    Returns:
        "not tolerated"; "unknown" (tolerance or units are); "invariance" (invariant units carry it alone); "other
        units" (specialized units alone: others respond to the transformed images); "mixed" (both, or no kind has a
        majority); "neither" (most active units are of neither kind, and no kind carries it).

    Example:
        >>> judge(True, Shares(10, 0.9, 0.0, 0.1, 0.7, 1.0), {}, Limits())
        'invariance'
    """
    if tolerated is False:
        return "not tolerated"
    if tolerated is None or found.n_active == 0:
        return "unknown"
    share = {"invariant": found.invariant, "specialized": found.specialized}
    carries = {
        kind: share[kind] > limits.majority or (kind in ablation and ablation[kind].low > limits.cost) for kind in KINDS
    }
    if all(carries.values()):
        return "mixed"
    if carries["invariant"]:
        return "invariance"
    if carries["specialized"]:
        return "other units"
    return "neither" if found.neither > limits.majority else "mixed"


def _relative_accuracy(
    sweep: Sweep | None, one: Evidence, replicates: int, seed: int
) -> tuple[float, float, float, int]:
    nan = float("nan")
    if sweep is None:
        return nan, nan, nan, 0 if one.images is None else int(one.images.sum())
    quality = sweep.agreement if sweep.correct is None else sweep.correct
    both = quality[[sweep.magnitudes.index(one.magnitude), sweep.clean]].T
    both = both if one.images is None else both[one.images]
    if not len(both) or both[:, 1].sum() <= 0:
        return nan, nan, nan, len(both)
    relative = float(both[:, 0].mean() / both[:, 1].mean())
    if len(both) < 2:
        return relative, nan, nan, len(both)
    drawn = np.concatenate([part @ both for part in draws(len(both), replicates, seed)])
    ratio = np.where(drawn[:, 1] > 0, drawn[:, 0] / np.where(drawn[:, 1] > 0, drawn[:, 1], 1.0), nan)
    low, high = interval(ratio[None, :, None])
    return relative, low.item(), high.item(), len(both)
