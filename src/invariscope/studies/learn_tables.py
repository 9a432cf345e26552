"""The tables from which the figures of a learned family are drawn."""

from typing import Any

import numpy as np
import pandas as pd

from invariscope.learned.controls import ALL
from invariscope.learned.decompose import channel_names
from invariscope.learned.family import actions, matrices
from invariscope.learned.learn import Learned

RAYS = {"k₁ alone": (1.0, 0.0), "k₂ alone": (0.0, 1.0), "both": (1.0, 1.0)}
NETWORK, ACCURACY = "Network's loss", "Accuracy"
_STEPS, _WINDOW, _POINTS = 21, 25, 200


def course_table(learned: Learned) -> pd.DataFrame:
    """How learning went: the moving average of every loss and of the accuracy, and where most batches lay.

    Args:
        learned: the family.

    Returns:
        Columns step, quantity (network's loss, accuracy, a head), value (the moving average), low and high (the 10th
        and 90th percentile of 25 batches around).

    Source: Bunne et al., figure 4a.
    """
    history = learned.history
    keep = 1 - learned.settings.ema
    columns = {"cross_entropy": NETWORK, "accuracy": ACCURACY}
    columns |= {f"loss_{head}": head for head in learned.module.heads}
    thin = max(len(history) // _POINTS, 1)
    parts = []
    for column, name in columns.items():
        values = history[column].astype(float)
        around = values.rolling(_WINDOW, center=True, min_periods=1)
        table = pd.DataFrame(
            {
                "step": history["step"],
                "quantity": name,
                "value": values.ewm(alpha=keep, adjust=True).mean(),
                "low": around.quantile(0.1),
                "high": around.quantile(0.9),
            }
        )
        parts.append(table.iloc[::thin])
    return pd.concat(parts, ignore_index=True)


def parameters_table(learned: Learned, scale: float) -> pd.DataFrame:
    """What the family does along three ways through [0, 1]²: k₁ alone, k₂ alone, both.

    Args:
        learned: the family.
        scale: s of F_s = I + s (F − I).

    Returns:
        Columns k, way, head, into (the channel that a colour parameter changes), parameter, value, unit_of_measure.
        Translations are in pixels; colour parameters are entries of C − I.
    """
    height, width = learned.size
    ks = np.linspace(0, 1, _STEPS).tolist()
    rows: list[dict[str, Any]] = []
    for head in learned.module.heads:
        for way, (first, second) in RAYS.items():
            found = matrices(learned.module, head, [(k * first, k * second) for k in ks], scale)
            for k, matrix in zip(ks, found, strict=True):
                about = {"k": k, "way": way, "head": head}
                rows += [about | row for row in _said(learned, head, matrix, height, width)]
    return pd.DataFrame(rows)


def scales_table(learned: Learned) -> pd.DataFrame:
    """Accuracy against scale, for the mean over k and for the worst k.

    Args:
        learned: the family.

    Returns:
        Columns scale, part (choose, certify), over (mean over k, worst k, and the same confirmed), kept (as a share of
        the clean accuracy), low, high (Wilson's 95 % interval, likewise), accuracy, n.
    """
    table = learned.certificate
    rows: list[dict[str, Any]] = []
    for part, role in (("choose", ""), ("certify", ", confirmed")):
        half = table[table["part"] == part]
        for scale in sorted(set(half["scale"].tolist())):
            own = half[half["scale"] == scale]
            # Where the images choose, every scale has been seen with one k for all heads; other settings only some.
            own = own[own["head"] == ALL] if part == "choose" else own
            numbers = own[["accuracy", "low", "high"]]
            clean, n = float(own["clean"].iloc[0]) or float("nan"), int(own["n"].iloc[0])
            worst = numbers.iloc[int(numbers["accuracy"].argmin())]
            for over, row in (("mean over k", numbers.mean()), ("worst k", worst)):
                shares = {"kept": row["accuracy"] / clean, "low": row["low"] / clean, "high": row["high"] / clean}
                about = {"scale": float(scale), "part": part, "over": f"{over}{role}"}
                rows.append({**about, **shares, "accuracy": row["accuracy"], "n": n})
    return pd.DataFrame(rows)


def _said(learned: Learned, head: str, matrix: np.ndarray, height: int, width: int) -> list[dict[str, Any]]:
    parts = actions(learned.module, head, matrix, height, width)
    if head == "spatial":
        sides = {"translation-x": width, "translation-y": height}
        units = {"rotation": "degrees", "shear": "degrees", "displacement": "pixels", "distance": "Frobenius norm"}
        return [
            _row("", name, value * sides.get(name, 1), units.get(name, "pixels" if name in sides else "times"))
            for name, value in parts.items()
        ]
    if head == "colour":
        return _colours(matrix)
    return [_row("", name, value, "") for name, value in parts.items()]


def _colours(matrix: np.ndarray) -> list[dict[str, Any]]:
    """Every entry of C − I under the channel that it changes."""
    change = matrix - np.eye(*matrix.shape)
    names = channel_names(len(matrix))
    rows = []
    for row, into in enumerate(names):
        for column, source in enumerate(names):
            name = "itself" if row == column else f"from {source}"
            rows.append(_row(f"into {into}", name, float(change[row, column]), "factor"))
        rows.append(_row(f"into {into}", "offset", float(change[row, -1]), "of the range of values"))
    return rows


def _row(into: str, parameter: str, value: float, unit: str) -> dict[str, Any]:
    return {"into": into, "parameter": parameter, "value": float(value), "unit_of_measure": unit}
