"""The versions of the transformer net that are compared."""

from collections.abc import Mapping, Sequence
from typing import Any

RECOMMENDED, LITERAL, BATCH, COLOUR = "recommended", "literal", "gate per batch", "colour weight 5"
SUM = "sum "


def versions(sums: Sequence[float] | None) -> dict[str, Mapping[str, Any]]:
    """Settings by name.

    Args:
        sums: weights of the transformers' loss in a weighted sum; None gives the recommended version only.

    Example:
        >>> list(versions(None)), list(versions([0.1]))[-1]
        (['recommended'], 'sum 0.1')
    """
    if sums is None:
        return {RECOMMENDED: {}}
    weighted = {f"{SUM}{weight:g}": {"switch": "sum", "sum_weight": float(weight)} for weight in sums}
    own: dict[str, Mapping[str, Any]] = {
        RECOMMENDED: {},
        BATCH: {"switch": "batch"},
        COLOUR: {"colour_weight": 5.0},
        LITERAL: {"literal": True},
    }
    return {**own, **weighted}
