"""What the study transformer-net reads off one learned family."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from invariscope.learned.controls import grid
from invariscope.learned.family import actions, matrices
from invariscope.learned.learn import Learned
from invariscope.learned.module import TransformerNet
from invariscope.learned.norm import squared_move
from invariscope.statistics.proportions import wilson
from invariscope.studies.base import Row
from invariscope.studies.tidy import found

_FINE, _START = 11, 25
_ENDS = ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


def family_rows(learned: Learned, version: str) -> list[Row]:
    """Everything that is judged of a family at scale 1, and its certificate.

    Args:
        learned: the family.
        version: how it was learned.
    """
    told = [*_kept(learned), *_course(learned)]
    for head in learned.module.heads:
        told += [row | {"head": head} for row in _head(learned, head)]
    return [{"version": version, **row} for row in told]


def course_rows(learned: Learned) -> pd.DataFrame:
    """The moving averages of the network's loss and of every head's, every tenth step.

    Source: Bunne et al., figure 4a.
    """
    averages = _averages(learned)
    thin = max(len(averages) // 60, 1)
    return averages.iloc[::thin].melt(id_vars="step", var_name="quantity", value_name="value")


def entries_rows(learned: Learned) -> list[Row]:
    """The entries of A − I of every head at the corners of k, for angles between families of different seeds."""
    rows = []
    for head in learned.module.heads:
        for pair, change in zip(_ENDS, changes(learned.module, head, _ENDS), strict=True):
            about = {"head": head, "k1": pair[0], "k2": pair[1]}
            rows += [about | {"entry": place, "value": float(value)} for place, value in enumerate(change.flatten())]
    return rows


def parts_rows(learned: Learned) -> list[Row]:
    """What every head does along k₁ = k₂ = k."""
    ks, net = np.linspace(0, 1, 5).tolist(), learned.module
    return [
        {"head": head, "k": k, "parameter": name, "value": value}
        for head in net.heads
        for k, matrix in zip(ks, matrices(net, head, [(k, k) for k in ks]), strict=True)
        for name, value in actions(net, head, matrix, *learned.size).items()
    ]


def changes(
    net: TransformerNet, head: str, pairs: Sequence[tuple[float, float]], scale: float = 1.0
) -> Float[ndarray, "k row column"]:
    """A − I of a head at some k."""
    moved: Float[ndarray, "k row column"] = matrices(net, head, pairs, scale) - net.identity(head).double().numpy()
    return moved


def size_of(net: TransformerNet) -> float:
    """How large a family is: the root of the sum over heads of the mean over k of ‖(A − I)x‖² for unit x."""
    pairs = torch.tensor(grid(5), device=next(net.parameters()).device)
    with torch.no_grad():
        moved = net.deviations(dict.fromkeys(net.heads, pairs))
    return math.sqrt(sum(float(squared_move(head, each).mean()) for head, each in moved.items()))


def angle_between(one: ndarray, other: ndarray) -> float:
    """The angle between two changes as vectors, degrees; NaN where one is none.

    Example:
        >>> round(angle_between(np.eye(2), np.array([[1.0, 0.0], [0.0, -1.0]])), 6)
        90.0
    """
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if not lengths:
        return math.nan
    return math.degrees(math.acos(float(np.clip((one * other).sum() / lengths, -1, 1))))


def _kept(learned: Learned) -> list[Row]:
    """Held-out accuracy over the grid of k at scale 1, on the half that proposes scales, and the certificate."""
    table, sure = learned.certificate, learned.certified
    own = table[(table["part"] == "choose") & (table["head"] == "all")]
    own = own[own["scale"] == own["scale"].max()]
    clean, n = float(own["clean"].iloc[0]), int(own["n"].iloc[0])
    low, high = wilson(round(clean * n), n)
    rows = [
        found("clean", clean, float(low), float(high), n=n),
        found("change, mean over k", float(own["accuracy"].mean()) - clean, n=n),
        found("change, worst k", float(own["accuracy"].min()) - clean, n=n),
        found("certified scale", sure.scale, n=sure.n, unit_of_measure="scale"),
        found("size", size_of(learned.module), n=len(own), unit_of_measure="root mean square"),
    ]
    if sure.scale > 0:
        rows.append(found("certified change, mean over k", sure.mean - sure.clean, n=sure.n))
        rows.append(found("certified change, worst k", sure.worst - sure.clean, n=sure.n))
    strength = learned.strength
    rows.append(found("certified displacement", strength.displacement, n=sure.n, unit_of_measure="pixels"))
    return [*rows, found("certified colour", strength.colour, n=sure.n, unit_of_measure="Frobenius norm")]


def _course(learned: Learned) -> list[Row]:
    """Straight lines through the moving averages: how much the losses change from the first to the last step."""
    averages = _averages(learned)
    steps = averages["step"].to_numpy(float)
    start = float(learned.history["cross_entropy"].head(_START).mean())
    rows = [
        found(
            "network's loss, change",
            _along(steps, averages["network"]) / start if start else math.nan,
            n=len(steps),
            unit_of_measure="of the start",
        ),
        found(
            "transformers' loss, change",
            _along(steps, averages["transformers"]),
            n=len(steps),
            unit_of_measure="loss",
        ),
    ]
    return [*rows, found("accuracy at the end", float(learned.history["average"].iloc[-1]), n=len(steps))]


def _averages(learned: Learned) -> pd.DataFrame:
    history, keep = learned.history, 1 - learned.settings.ema
    weights = {head: learned.settings.weight(head) for head in learned.module.heads}
    losses = {f"loss of {head}": history[f"loss_{head}"].astype(float) for head in weights}
    total = sum(weight * losses[f"loss of {head}"] for head, weight in weights.items())
    columns = {"network": history["cross_entropy"].astype(float), "transformers": total, **losses}
    averaged = {name: pd.Series(values).ewm(alpha=keep, adjust=True).mean() for name, values in columns.items()}
    return pd.DataFrame({"step": history["step"], **averaged})


def _along(steps: ndarray, values: "pd.Series[float]") -> float:
    if len(steps) < 2:
        return math.nan
    slope = float(np.polyfit(steps, values.to_numpy(float), 1)[0])
    return slope * float(steps[-1] - steps[0])


def _head(learned: Learned, head: str) -> list[Row]:
    net, n = learned.module, _FINE * _FINE
    lengths = np.linalg.norm(changes(net, head, grid(_FINE)).reshape(n, -1), axis=1).reshape(_FINE, _FINE)
    ends = changes(net, head, _ENDS)
    rows = [
        found("order", _spearman(lengths.mean(axis)), n=_FINE, unit_of_measure="correlation", component=name)
        for name, axis in (("k₁", 1), ("k₂", 0))
    ]
    rows.append(found("leak", _leak(net, head), n=_FINE, unit_of_measure="ratio"))
    rows.append(found("angle", angle_between(ends[0], ends[1]), n=2, unit_of_measure="degrees"))
    rows.append(found("length at k = (1, 1)", float(np.linalg.norm(ends[2])), n=1, unit_of_measure="Frobenius norm"))
    rows.append(found("steps to half", _half(learned, head), n=len(learned.history), unit_of_measure="steps"))
    if head == "spatial":
        matrix = ends[2] + net.identity(head).double().numpy()
        rows += _space(actions(net, head, matrix, *learned.size))
    return rows


def _space(parts: Mapping[str, float]) -> list[Row]:
    magnification = math.sqrt(abs(parts["scale-x"] * parts["scale-y"]))
    lean = abs(math.tan(math.radians(parts["shear"])))
    shift = 2 * max(abs(parts["translation-x"]), abs(parts["translation-y"]))
    return [
        found("rotation", abs(parts["rotation"]), n=1, unit_of_measure="degrees"),
        found("magnification", magnification, n=1, unit_of_measure="factor"),
        found("shear", lean, n=1, unit_of_measure="tangent"),
        found("shift", shift, n=1, unit_of_measure="halves of the image"),
    ]


def _spearman(lengths: ndarray) -> float:
    """How well lengths are ordered by their place."""
    from scipy.stats import rankdata

    ranks = rankdata(lengths)
    if np.ptp(ranks) == 0:
        return math.nan
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])


def _leak(net: TransformerNet, head: str) -> float:
    """How much a head changes when the k of the others goes from 0 to 1, over what its own does; NaN alone."""
    if len(net.heads) < 2:
        return math.nan
    device = next(net.parameters()).device
    still, full = (torch.full((1, 2), value, device=device) for value in (0.0, 1.0))
    with torch.no_grad():
        base = net.deviations(dict.fromkeys(net.heads, still))[head]
        other = net.deviations({**dict.fromkeys(net.heads, full), head: still})[head]
        own = net.deviations({**dict.fromkeys(net.heads, still), head: full})[head]
    length = float((own - base).norm())
    return float((other - base).norm()) / length if length else math.nan


def _half(learned: Learned, head: str) -> float:
    """The first step at which the average length has half of its final value."""
    sizes = (-_averages(learned)[f"loss of {head}"]).clip(lower=0).pow(0.5).to_numpy()
    if not sizes[-1] > 0:
        return math.nan
    return float(learned.history["step"].iloc[int((sizes >= sizes[-1] / 2).argmax())])
