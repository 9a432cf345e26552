"""The scale up to which a learned family is kept, found on one half of the held-out images, confirmed on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from invariscope.learned.controls import Control, alone, corners, shared
from invariscope.learned.examine import Examiner
from invariscope.learned.settings import LearnSettings
from invariscope.statistics.proportions import wilson

CHOOSE, CERTIFY = "choose", "certify"
COLUMNS = ("scale", "part", "head", "k1", "k2", "control", "accuracy", "low", "high", "n", "clean", "required")


@dataclass(frozen=True)
class Certified:
    """What a certificate says.

    Args:
        scale: s, the largest scale that holds on both halves; 0 is "nothing found".
        mean: mean accuracy over all settings of k at s, on the half that certifies.
        worst: the smallest of them.
        worst_control: where that is.
        clean: accuracy of the images of that half as they are.
        required: what every k (or their mean) must reach: a share of `clean`.
        n: images of that half.
        tried: how many scales were put to the half that certifies.
        scale_of_mean: the same scale if only the mean over k had to hold.
        scale_of_worst: the same scale if every k had to hold.
        table: a row per half, scale and setting that was examined.
    """

    scale: float
    mean: float
    worst: float
    worst_control: str
    clean: float
    required: float
    n: int
    tried: int
    scale_of_mean: float
    scale_of_worst: float
    table: pd.DataFrame


def certify(choose: Examiner, judge: Examiner, heads: Sequence[str], settings: LearnSettings) -> Certified:
    """The largest scale s of a grid at which every setting of k keeps the accuracy.

    The scales are scanned, not bisected, for accuracy need not fall evenly. A scale holds on a half when the accuracy
    of every setting of k (criterion "worst"), or their mean ("mean"), is at least the required share of that half's
    clean accuracy. The settings are a grid of k that all heads share, each head alone on that grid, and the heads at
    different corners. Scales that hold on the first half are put to the second, the largest first, until one holds:
    so the images that certify a scale are not those that proposed it.

    Args:
        choose: asks about the first half.
        judge: asks about the second half.
        heads: of the net.
        settings: `scales`, `k_grid`, `target_accuracy_share`, `criterion`.

    Returns:
        The scale, what was found there, and the table.
    """
    together = shared(heads, settings.k_grid, origin=False)
    everything = [*together, *alone(heads, settings.k_grid, origin=False), *corners(heads)]
    rows: list[dict[str, Any]] = []
    seen: set[tuple[str, float, str]] = set()

    def levels(examiner: Examiner, part: str, scale: float, controls: Sequence[Control]) -> np.ndarray:
        quality = examiner.quality(scale, controls)
        for control, each in zip(controls, quality, strict=True):
            if (part, scale, control.name) not in seen:
                seen.add((part, scale, control.name))
                rows.append(_row(examiner, part, scale, control, each, settings))
        return np.asarray(quality.mean(1))

    def holds(examiner: Examiner, part: str, scale: float, criterion: str, controls: Sequence[Control]) -> bool:
        required = settings.target_accuracy_share * float(examiner.clean.mean())
        found = levels(examiner, part, scale, controls)
        # A share of images that equals the level must not fall below it by rounding.
        return float(found.min() if criterion == "worst" else found.mean()) >= required - 1e-9

    scales = [scale for scale in settings.scales if scale > 0]
    for scale in scales:
        levels(choose, CHOOSE, scale, together)
    chosen, tried = {}, {}
    for criterion in ("mean", "worst"):
        chosen[criterion], tried[criterion] = 0.0, 0
        for scale in reversed(scales):
            if not holds(choose, CHOOSE, scale, criterion, together):
                continue
            if not holds(choose, CHOOSE, scale, criterion, everything):
                continue
            tried[criterion] += 1
            if holds(judge, CERTIFY, scale, criterion, everything):
                chosen[criterion] = scale
                break
    scale = chosen[settings.criterion]
    # At scale 0 every image is as it was.
    found = levels(judge, CERTIFY, scale, everything)
    clean = float(judge.clean.mean())
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        ["part", "scale", "head", "k1", "k2", "control"], ascending=[False, True, True, True, True, True]
    )
    return Certified(
        scale=scale,
        mean=float(found.mean()),
        worst=float(found.min()),
        worst_control=everything[int(found.argmin())].name,
        clean=clean,
        required=settings.target_accuracy_share * clean,
        n=len(judge.places),
        tried=tried[settings.criterion],
        scale_of_mean=chosen["mean"],
        scale_of_worst=chosen["worst"],
        table=table.reset_index(drop=True),
    )


def kept_predictions(
    judge: Examiner, heads: Sequence[str], settings: LearnSettings, scales: Sequence[float], classes: list[str] | None
) -> pd.DataFrame:
    """How many images keep their prediction, by k and class: Figure 4b.

    Args:
        judge: asks about images that training did not see.
        heads: of the net.
        settings: `k_grid`.
        scales: at which to ask.
        classes: the name of the class of each of the examiner's images, or None.

    Returns:
        Columns scale, head, k1, k2, class ("all" first), kept, low, high, n.

    Source: Bunne et al., Figure 4b.
    """
    controls = [*shared(heads, settings.k_grid, origin=True), *alone(heads, settings.k_grid, origin=True)]
    named = np.array(["all"] * len(judge.places) if classes is None else classes, dtype=object)
    groups = {"all": np.ones(len(named), dtype=bool)}
    if classes is not None:
        groups |= {str(name): named == name for name in dict.fromkeys(sorted(classes))}
    rows = []
    for scale in scales:
        for control, kept in zip(controls, judge.kept(scale, controls), strict=True):
            for name, members in groups.items():
                low, high = wilson(kept[members].sum(), int(members.sum()))
                rows.append(
                    {
                        "scale": scale,
                        "head": control.head,
                        "k1": control.pair[0],
                        "k2": control.pair[1],
                        "class": name,
                        "kept": float(kept[members].mean()),
                        "low": float(low),
                        "high": float(high),
                        "n": int(members.sum()),
                    }
                )
    return pd.DataFrame(rows)


def _row(
    examiner: Examiner, part: str, scale: float, control: Control, quality: np.ndarray, settings: LearnSettings
) -> dict[str, Any]:
    # Of qualities between 0 and 1 Wilson's interval is wider than need be: their variance is at most p(1 − p).
    low, high = wilson(quality.sum(), len(quality))
    clean = float(examiner.clean.mean())
    return {
        "scale": scale,
        "part": part,
        "head": control.head,
        "k1": control.pair[0],
        "k2": control.pair[1],
        "control": control.name,
        "accuracy": float(quality.mean()),
        "low": float(low),
        "high": float(high),
        "n": len(quality),
        "clean": clean,
        "required": settings.target_accuracy_share * clean,
    }
