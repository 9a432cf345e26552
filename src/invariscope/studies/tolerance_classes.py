"""How tolerance differs between classes: thresholds, chance, switches of the prediction, symmetry under turns."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from invariscope.statistics.proportions import wilson
from invariscope.studies.tidy import NAN, Row, found
from invariscope.studies.tolerance_grids import NOISE, TURN
from invariscope.studies.tolerance_ranks import rank_correlation
from invariscope.studies.tolerance_sweeps import Swept, ends_of
from invariscope.tolerance.crossing import first_fall
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.resample import draws

HALF = 0.5
_SHUFFLES = 499


def class_rows(swept: Swept) -> pd.DataFrame:
    """The tolerance of every class on every side: where its mean softmax falls to half of its clean value.

    Args:
        swept: the network along the transformation.

    Returns:
        Columns `transformation, side, class, n, clean_softmax, recognised` (its own class has the highest mean softmax
        when clean), `tolerance` (distance from the identity, NaN beyond the grid), `censored`, `share` of the way to
        the grid's end, at most 1, `switch`: the distance at which another class's mean softmax passes its own, NaN
        where none does, and `change`: how much that changes the images.
    """
    sweep = swept.sweep
    softmax = sweep.softmax_true
    if softmax is None:
        return pd.DataFrame()
    means = sweep.groups.means(softmax.T)[1:]
    lead = _leads(swept)
    parts = []
    for sign in swept.sides:
        places, distance = sweep.side(sign), swept.distance(sign)
        fall = first_fall(means[:, places], distance, HALF)
        switch = zero_crossing(lead[:, places], distance)
        parts.append(
            pd.DataFrame(
                {
                    "transformation": sweep.name,
                    "side": sign,
                    "class": np.array(sweep.groups.names, dtype=object),
                    "n": sweep.groups.counts[1:],
                    "clean_softmax": means[:, sweep.clean],
                    "recognised": lead[:, sweep.clean] > 0,
                    "tolerance": np.where(np.isfinite(fall), fall, NAN),
                    "censored": np.isinf(fall),
                    "share": np.minimum(fall / distance[-1], 1.0),
                    "switch": switch,
                    "change": np.where(np.isfinite(fall), swept.changed(sign, fall), NAN),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _leads(swept: Swept) -> Float[ndarray, "class magnitude"]:
    """How far a class's mean softmax lies above the highest of all others."""
    sweep, rows = swept.sweep, []
    own = np.arange(len(sweep.groups.names)), sweep.groups.values
    for place in range(len(sweep.magnitudes)):
        means = sweep.groups.means(sweep.softmax(place).double().numpy())[1:]
        true = means[own]
        means[own] = -1.0
        rows.append(true - means.max(axis=1))
    return np.stack(rows, axis=1)


def zero_crossing(lead: Float[ndarray, "row step"], distance: Float[ndarray, " step"]) -> Float[ndarray, " row"]:
    """The distance at which a lead is first lost, interpolated; NaN where it is never lost, or was never there.

    Args:
        lead: at each step from the identity; shape (row, step).
        distance: of each step; shape (step,).

    Example:
        >>> zero_crossing(np.array([[0.4, -0.4], [0.2, 0.1], [-1.0, 1.0]]), np.array([0.0, 10.0])).tolist()
        [5.0, nan, nan]
    """
    lost = lead < 0
    after = lost.argmax(axis=1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(lead))
    high, low = lead[rows, before], lead[rows, after]
    share = high / np.where(lost.any(axis=1) & (after > 0), high - low, 1.0)
    place = distance[before] + share * (distance[after] - distance[before])
    return np.where(lost.any(axis=1) & (after > 0), place, NAN)


def chance_row(swept: Swept) -> Row:
    """Whether thresholds differ between classes by more than the draw of their images explains.

    The variance over classes of the share of the way at which the mean softmax falls to half, and the same for classes
    of the same sizes drawn at random from all images: p is the share of such draws with a variance as large. NaN where
    classes have one image each.

    Source: Bunne et al., abstract and section IV-A.
    """
    sweep, softmax = swept.sweep, swept.sweep.softmax_true
    where: Row = {"transformation": sweep.name}
    n_classes = len(sweep.groups.names)
    if softmax is None or n_classes < 2 or sweep.groups.counts[1:].max() < 2:
        return found("p of classes alike", NAN, n=n_classes, unit_of_measure="probability", **where)
    values, generator = softmax.T, np.random.Generator(np.random.PCG64(0))
    own = _variance(swept, sweep.groups, values)
    as_large = sum(
        _variance(swept, sweep.groups, values[generator.permutation(len(values))]) >= own for _ in range(_SHUFFLES)
    )
    return found(
        "p of classes alike", (1 + as_large) / (1 + _SHUFFLES), n=n_classes, unit_of_measure="probability", **where
    )


def _variance(swept: Swept, groups: Groups, values: Float[ndarray, "image magnitude"]) -> float:
    means, total = groups.means(values)[1:], 0.0
    for sign in swept.sides:
        distance = swept.distance(sign)
        fall = first_fall(means[:, swept.sweep.side(sign)], distance, HALF)
        total += float(np.nanvar(np.minimum(fall / distance[-1], 1.0)))
    return total


def turn_rows(swept: Swept, discs: Sequence[str], half_turn: Sequence[str], mirror: Sequence[str]) -> list[Row]:
    """What turning does to classes that are the same after any turn, after half a turn, in a mirror, and to the rest.

    Args:
        swept: along the rotation.
        discs: names of classes that are the same after any turn.
        half_turn: the same after half a turn.
        mirror: the same in an upright mirror only.

    Returns:
        Tidy rows with `group`.

    Source: Bunne et al., section IV-A.
    """
    if swept.sweep.name != TURN or swept.sweep.softmax_true is None:
        return []
    names = [name.casefold().partition(",")[0] for name in swept.sweep.groups.names]
    exact = list(swept.sweep.groups.names)

    def of(wanted: Sequence[str]) -> list[int]:
        short = {name.casefold() for name in wanted if len(name) > 1}
        return [place for place, name in enumerate(exact) if name in wanted or names[place] in short]

    groups = {"disc": of(discs), "half turn": of(half_turn), "mirror": of(mirror)}
    taken = {place for places in groups.values() for place in places}
    groups["none"] = [place for place in range(len(names)) if place not in taken]
    rows = [row for group, places in groups.items() if places for row in _turned(swept, group, places)]
    if groups["disc"] and groups["none"]:
        one, other = (_means(swept, groups[group]) for group in ("none", "disc"))
        gap = [_span(a) - _span(b) for a, b in zip(one, other, strict=True)]
        numbers = (float(gap[0]), *ends_of(gap[1]), swept.sweep.n_images)
        rows.append(found("span of the softmax less that of discs", *numbers, group="none", transformation=TURN))
    return rows


def _turned(swept: Swept, group: str, classes: Sequence[int]) -> list[Row]:
    magnitudes, (mean, drawn) = np.abs(swept.sweep.magnitudes), _means(swept, classes)
    where: Row = {"group": group, "transformation": TURN}
    n = int(np.isin(swept.sweep.groups.of_image, classes).sum())
    span = float(_span(mean))
    low, high = ends_of(_span(drawn), around=span)
    rows = [found("span of the softmax", span, low, high, n, **where)]
    strong = (magnitudes >= 45) & (magnitudes <= 90)
    if strong.any():
        lost = [1 - each[..., strong].mean(axis=-1) / each[..., swept.sweep.clean] for each in (mean, drawn)]
        rows.append(found("softmax lost at 45 to 90 degrees", float(lost[0]), *ends_of(lost[1]), n, **where))
    if {90.0, 180.0} <= set(magnitudes.tolist()):
        back = [each[..., magnitudes == 180].mean(-1) - each[..., magnitudes == 90].mean(-1) for each in (mean, drawn)]
        rows.append(found("softmax at 180 less at 90 degrees", float(back[0]), *ends_of(back[1]), n, **where))
    return rows


def _span(curve: Float[ndarray, "*row magnitude"]) -> Float[ndarray, "*row"]:
    return np.asarray(curve.max(axis=-1) - curve.min(axis=-1))


def _means(
    swept: Swept, classes: Sequence[int]
) -> tuple[Float[ndarray, " magnitude"], Float[ndarray, "replicate magnitude"]]:
    """The mean softmax of some classes' images at each magnitude, and in replicates over these images."""
    assert swept.sweep.softmax_true is not None
    chosen: Bool[ndarray, " image"] = np.isin(swept.sweep.groups.of_image, classes)
    values = swept.sweep.softmax_true[:, chosen].T
    drawn = [weights @ values for weights in draws(len(values), swept.replicates, seed=0)]
    return values.mean(axis=0), np.concatenate(drawn)


def switch_rows(classes: pd.DataFrame) -> list[Row]:
    """How many classes switch under noise, and whether confident ones switch later.

    Args:
        classes: of `class_rows`, under noise.

    Source: Bunne et al., section IV-A.
    """
    own = classes[(classes["transformation"] == NOISE) & classes["recognised"]] if len(classes) else classes
    if own.empty:
        return []
    switched, n = int(own["switch"].notna().sum()), len(own)
    where: Row = {"transformation": NOISE}
    low, high = (float(end) for end in wilson(switched, n))
    rows = [found("classes that switch", switched / n, low, high, n, **where)]
    late = own["switch"].fillna(np.inf).to_numpy(np.float64)
    r, low, high = rank_correlation(own["clean_softmax"].to_numpy(np.float64), late)
    rows.append(found("correlation of confidence with the switch", r, low, high, n, "r", **where))
    return rows
