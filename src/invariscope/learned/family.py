"""The learned family as a table: matrices over k, and what they do, with units of measure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from invariscope.learned.controls import Pair, grid
from invariscope.learned.decompose import (
    decompose_colour,
    decompose_field,
    decompose_kernel,
    decompose_spatial,
)
from invariscope.learned.module import TransformerNet

COLUMNS = ("k1", "k2", "head", "part", "parameter", "value", "unit_of_measure")
_UNITS = {
    "rotation": "degrees",
    "shear": "degrees",
    "scale-x": "times as wide",
    "scale-y": "times as high",
    "translation-x": "of the width",
    "translation-y": "of the height",
    "displacement": "pixels",
    "largest": "pixels",
    "remainder": "pixels",
    "affine share": "share of the squared displacement",
    "gain": "factor",
    "mixing": "Frobenius norm",
    "distance": "Frobenius norm",
    "saturation": "factor",
    "offset": "of the range of values",
    "sum": "factor",
    "shift-x": "pixels",
    "shift-y": "pixels",
    "variance": "square pixels",
    "blur": "pixels (standard deviation)",
    "response at 1/4": "factor at ¼ cycle per pixel",
    "response at 1/2": "factor at ½ cycle per pixel",
}


def family_table(net: TransformerNet, height: int, width: int, size: int = 5, scale: float = 1.0) -> pd.DataFrame:
    """Every head's parameters over a grid of its k.

    Args:
        net: trained.
        height: of the images, in pixels.
        width: of the images, in pixels.
        size: values of each component of k.
        scale: s in F_s = I + s (F − I).

    Returns:
        Columns k1, k2, head, part ("matrix": entries as they are, "action": what they do), parameter, value,
        unit_of_measure. A matrix's entries are named "1,1" by row and column; a field's "x 1,1" and "y 1,1".
    """
    pairs = grid(size)
    rows: list[dict[str, Any]] = []
    for head in net.heads:
        entries = matrices(net, head, pairs, scale)
        for pair, matrix in zip(pairs, entries, strict=True):
            rows += [_row(pair, head, "matrix", name, value, "") for name, value in _entries(head, matrix)]
            rows += [
                _row(pair, head, "action", name, value, _unit(name))
                for name, value in actions(net, head, matrix, height, width).items()
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def matrices(net: TransformerNet, head: str, pairs: Sequence[Pair], scale: float = 1.0) -> np.ndarray:
    """The parameters I + s·D(k) of a head, in double precision.

    Args:
        net: trained.
        head: of the net.
        pairs: values of k.
        scale: s.

    Returns:
        Shape (k, …): (k, 2, 3) for the spatial head; of a displacement field the shifts of the control points.
    """
    device = next(net.parameters()).device
    with torch.no_grad():
        moved = net.deviations({head: torch.tensor(list(pairs), dtype=torch.float32, device=device)})[head]
    found: np.ndarray = net.identity(head).double().numpy() + scale * moved.double().cpu().numpy()
    return found


def actions(net: TransformerNet, head: str, matrix: np.ndarray, height: int, width: int) -> dict[str, float]:
    """What a head's parameters do to an image of this size, by name.

    Args:
        net: whose head it is.
        head: "colour", "convolution", "spatial" or "displacement".
        matrix: its parameters.
        height: of the images, in pixels.
        width: of the images, in pixels.
    """
    if head == "colour":
        return decompose_colour(matrix)
    if head == "convolution":
        return decompose_kernel(matrix)
    deviation = torch.from_numpy(matrix - net.identity(head).double().numpy())[None]
    field = decompose_field(pixel_shifts(net, {head: deviation}, height, width)[0])
    if head == "displacement":
        return field
    parts = decompose_spatial(matrix, height, width)
    return parts | {"displacement": field["displacement"], "distance": float(np.linalg.norm(deviation))}


def pixel_shifts(net: TransformerNet, deviations: dict[str, Tensor], height: int, width: int) -> np.ndarray:
    """How far from itself each pixel is read, in pixels; zeros for a net that moves none.

    Args:
        net: trained.
        deviations: D by head, one per k.
        height: of the images, in pixels.
        width: of the images, in pixels.

    Returns:
        Shape (k, height, width, 2).
    """
    count = len(next(iter(deviations.values())))
    shifts = net.shifts(deviations, height, width)
    if shifts is None:
        return np.zeros((count, height, width, 2))
    half = torch.tensor([width / 2, height / 2], dtype=shifts.dtype, device=shifts.device)
    found: np.ndarray = (shifts * half).double().cpu().numpy()
    return found


def _entries(head: str, matrix: np.ndarray) -> list[tuple[str, float]]:
    if head == "displacement":
        named = zip("xy", matrix, strict=True)
        return [(f"{axis} {name}", value) for axis, part in named for name, value in _entries("", part)]
    return [(f"{row + 1},{column + 1}", float(value)) for (row, column), value in np.ndenumerate(matrix)]


def _row(pair: Pair, head: str, part: str, name: str, value: float, unit: str) -> dict[str, Any]:
    values = (*pair, head, part, name, value, unit)
    return dict(zip(COLUMNS, values, strict=True))


def _unit(parameter: str) -> str:
    stem = parameter.split(" of ")[0]
    return _UNITS.get(parameter) or _UNITS.get(stem) or "factor"
