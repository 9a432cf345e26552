"""What the numbers cannot tell: each limit, with the fact of this run that makes it one."""

import math
from collections.abc import Sequence

import numpy as np

from invariscope.core.words import count, number, percent
from invariscope.report.answers import Answer
from invariscope.report.limits import LEAST_IMAGES, main_quality
from invariscope.report.profile import LEAST_END
from invariscope.report.read import RunData

# A class with fewer images has an accuracy that one image moves by more than three points.
FEW_IMAGES = 30


def cautions(run: RunData, answers: Sequence[Answer]) -> list[tuple[str, str]]:
    """Pairs of a short heading and its explanation, the weightiest first."""
    said = [_data(run), _range(run), _labels(run), _classes(run), _units(run), _tau(run), _null(answers)]
    said += [_floor(answers), _verdict(run), _ablation(answers), _layers(), _negative(run, answers)]
    return [pair for pair in said if pair is not None]


def _data(run: RunData) -> tuple[str, str]:
    n = int((run.info.get("images") or {}).get("n") or 0)
    half = 1.96 * math.sqrt(0.25 / n) if n else math.nan
    width = (
        f" With {count(n, 'image')} a share is known to about ±{number(half * 100, 1)} points at worst." if n else ""
    )
    return (
        "One set of images",
        "Intervals tell how much the numbers would change with other images of the same kind. They say nothing about "
        f"another kind of image.{width}",
    )


def _range(run: RunData) -> tuple[str, str] | None:
    if run.tables["curves"].empty:
        return None
    return (
        "Only what was measured",
        "Between two magnitudes a threshold is interpolated on a straight line; a dip that is narrower than a step is "
        "not seen. Transformations were applied one at a time: two that are tolerated alone may not be together. "
        "Borders that a transformation uncovers are filled, and a network may react to the fill.",
    )


def _labels(run: RunData) -> tuple[str, str] | None:
    if run.tables["curves"].empty or main_quality(run) == "accuracy":
        return None
    return (
        "No labels",
        "The images have none that fit the network, so its answers are compared with its own answers to the clean "
        "images. A wrong answer that stays the same counts as tolerated.",
    )


def _classes(run: RunData) -> tuple[str, str] | None:
    curves = run.tables["curves"]
    n = curves.loc[curves["class"] != "all", "n"]
    if n.empty or n.min() >= FEW_IMAGES:
        return None
    return (
        "Few images per class",
        f"Some classes have only {count(int(n.min()), 'image')}. The order of the classes is then uncertain; their "
        f"intervals are in the engineering tables. Classes with fewer than {LEAST_IMAGES} images are not compared.",
    )


def _units(run: RunData) -> tuple[str, str] | None:
    if run.tables["layers"].empty:
        return None
    if run.setting("units", "channels") == "positions":
        return (
            "A unit is one channel at one position",
            "A layer whose map merely moves with the image (equivariance) counts as not invariant here.",
        )
    how = {"max": "the largest response over all positions", "mean": "the mean over all positions"}
    what = how.get(str(run.setting("reduce", "max")), "the response at the centre")
    return (
        "Equivariance is not told from invariance",
        f"A unit of a convolutional layer is a whole channel: {what}. A feature that moves with the image, and "
        "keeps its strength, counts as invariant. Measuring with positions as units tells the two apart.",
    )


def _tau(run: RunData) -> tuple[str, str] | None:
    if run.tables["layers"].empty:
        return None
    tau = run.setting("tau", 0.1)
    return (
        f"Activity counts from τ = {tau:g}",
        "Invariance is an average over the images that drive a unit to more than τ of its peak, clean or transformed. "
        "Another τ gives other numbers, and units that nothing drives have none: they are counted as dead, not as "
        "invariant.",
    )


def _null(answers: Sequence[Answer]) -> tuple[str, str] | None:
    if not any(answer.profile is not None for answer in answers):
        return None
    return (
        "Invariance is not selectivity",
        "A unit that answers to every image alike is invariant to everything. The null (the same coefficient for "
        "pairs of different images) shows how much of the invariance is of that kind; only what lies above it is "
        "about the transformation.",
    )


def _floor(answers: Sequence[Answer]) -> tuple[str, str] | None:
    floors = [answer.profile.floor for answer in answers if answer.profile is not None]
    known = np.concatenate(floors) if floors else np.empty(0)
    known = known[~np.isnan(known)]
    if not len(known):
        return None
    return (
        "Resampling blurs",
        "Rotating or scaling an image interpolates its pixels. The noise floor is the invariance under a displacement "
        f"of half a pixel: from {known.min():.2f} to {known.max():.2f} here. More than that cannot be expected.",
    )


def _verdict(run: RunData) -> tuple[str, str] | None:
    if run.tables["verdicts"].empty:
        return None
    invariant, specialized = float(run.setting("invariant", 2 / 3)), float(run.setting("specialized", 0.5))
    return (
        "The verdict has limits of its own",
        f"A unit counts as invariant above I = {number(invariant, 2)} and above its null, as specialized above "
        f"|S| = {number(specialized, 2)}, in the last hidden layer only. These limits are settings; near them a small "
        "difference changes the word but not the shares beside it.",
    )


def _ablation(answers: Sequence[Answer]) -> tuple[str, str] | None:
    if not any(not math.isnan(answer.value("ablation_invariant_cost")) for answer in answers):
        return None
    return (
        "Silencing is an intervention",
        "What a network loses when units are set to zero is not exactly what they contributed: the remaining ones meet "
        "an input that they never met in training. Compare with the loss from as many random units.",
    )


def _layers() -> tuple[str, str]:
    return (
        "Where it becomes invariant is a rule",
        "It is the first layer from which on the network is always at least half as far from null to ceiling as in its "
        f"last hidden layer, provided that that one has come {percent(LEAST_END)} of this way. Single units may be "
        "invariant earlier, and others never.",
    )


def _negative(run: RunData, answers: Sequence[Answer]) -> tuple[str, str] | None:
    missing = max((int(np.isnan(answer.profile.mean).sum()) for answer in answers if answer.profile), default=0)
    if not missing:
        return None
    if run.setting("negative", None) is not None:
        return None
    return (
        "Some layers have no coefficient",
        f"Up to {count(missing, 'layer')} could not be measured, most often because responses there can be negative, "
        "for which the coefficient is not defined. The setting “negative” chooses how to read them.",
    )
