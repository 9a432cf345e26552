"""How thresholds of different transformations compare in one unit: how much they change the images."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from invariscope.studies.tidy import Row, found
from invariscope.studies.tolerance_grids import COLOUR, GEOMETRIC, PAPER
from invariscope.studies.tolerance_sweeps import PLATEAU, Swept, ends_of

MORE = "change at the threshold, geometry less colour"


def changes_at_thresholds(swept: Swept) -> Float[ndarray, "side value"]:
    """Per side, how much images change at the threshold: of the images as they are, then of the replicates."""
    rows = []
    for sign in swept.sides:
        own = np.concatenate([swept.mean[None], swept.drawn])
        rows.append(swept.changed(sign, swept.fall(sign, PLATEAU, own)))
    return np.stack(rows)


def spread_rows(changes: Mapping[str, Float[ndarray, "side value"]], n: int) -> list[Row]:
    """How far thresholds differ between transformations, and colour from geometry.

    The unit is the root mean squared change of the pixels at the threshold at 90 % of the clean accuracy. Where
    accuracy never falls so far, the change at the end of the grid stands for it, as the least it can be.

    Args:
        changes: of `changes_at_thresholds`, by transformation.
        n: how many images.

    Returns:
        Tidy rows: "spread of thresholds", 1 less the smallest over the largest among the paper's transformations, and
        "change at the threshold, geometry less colour", where there is colour.

    Source: Bunne et al., abstract, sections V and VI.
    """
    paper = [own for name, own in changes.items() if name in PAPER]
    rows = []
    if len(paper) > 1:
        every = np.concatenate(paper)
        gap = 1 - every.min(axis=0) / every.max(axis=0)
        rows.append(found("spread of thresholds", float(gap[0]), *ends_of(gap[1:]), n, "share"))
    geometric, colour = (
        [own.mean(axis=0) for name, own in changes.items() if name in kind] for kind in (GEOMETRIC, COLOUR)
    )
    if geometric and set(changes) & {"hue", "grayscale"}:
        more = np.mean(geometric, axis=0) - np.mean(colour, axis=0)
        rows.append(found(MORE, float(more[0]), *ends_of(more[1:]), n, "of the range"))
    return rows
