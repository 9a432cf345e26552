"""What a learned family comes to: the numbers that its sentences, cards and programs tell."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from invariscope.learned.certificate import CERTIFY, CHOOSE
from invariscope.learned.controls import ALL
from invariscope.learned.learn import Learned, strength_of
from invariscope.statistics.proportions import wilson

PIXEL, COLOUR = 1.0, 0.2


@dataclass(frozen=True)
class Answer:
    """A learned family in a few numbers.

    Args:
        scale: the certified scale; 0 is "nothing found".
        shown: the scale at which the family is told: the certified one, or 1 where nothing was found.
        clean: quality of the images that certify, as they are: accuracy, or what is kept in its place.
        required: what had to be kept.
        mean: quality over the grid of k at the certified scale.
        worst: quality at the worst k there.
        worst_low: lower end of its 95 % interval.
        worst_high: upper end.
        worst_control: that k, by head.
        n: images that certify; as many chose.
        full_mean: quality over the grid of k at scale 1, on the images that chose.
        full_worst: quality at the worst of these k.
        displacement: pixels that a pixel moves at the shown scale, mean over the grid of k; 0 if no head moves any.
        displacement_full: the same at k = (1, 1).
        colour: ‖C − I‖ at the shown scale, mean over the grid of k; NaN without a colour head.
        colour_full: the same at k = (1, 1).
        enlarged: share of the steps in which transformations were made larger.
        quality: what is kept: "accuracy", "agreement", "unit" or "layer".
    """

    scale: float
    shown: float
    clean: float
    required: float
    mean: float
    worst: float
    worst_low: float
    worst_high: float
    worst_control: str
    n: int
    full_mean: float
    full_worst: float
    displacement: float
    displacement_full: float
    colour: float
    colour_full: float
    enlarged: float
    quality: str

    @property
    def found(self) -> bool:
        """Whether any scale was certified, and there was something to lose."""
        return self.scale > 0 and self.clean > 0

    @property
    def little(self) -> bool:
        """Whether pixels move by less than one, and ‖C − I‖ is below a fifth; a convolution alone is never little."""
        moves, colours = self.displacement > 0, self.colour == self.colour
        return (moves or colours) and self.displacement < PIXEL and not self.colour >= COLOUR

    def plain(self) -> dict[str, Any]:
        """As run.json holds it; what is unknown is None."""
        known = {name: None if value != value else value for name, value in asdict(self).items()}
        return {"found": self.found, "little": self.little, **known}


def answer_of(learned: Learned, labelled: bool) -> Answer:
    """The numbers of a learned family.

    Args:
        learned: the family.
        labelled: the images have labels that fit the network.
    """
    sure, target = learned.certified, learned.settings.target
    shown = sure.scale or 1.0
    strength = strength_of(learned.module, *learned.size, shown, learned.settings.k_grid)
    low, high = wilson(sure.worst * sure.n, sure.n)
    full = _full(learned.certificate)
    return Answer(
        scale=sure.scale,
        shown=shown,
        clean=sure.clean,
        required=sure.required,
        mean=sure.mean,
        worst=sure.worst,
        worst_low=float(low),
        worst_high=float(high),
        worst_control=sure.worst_control,
        n=sure.n,
        full_mean=float(full.mean()),
        full_worst=float(full.min()),
        displacement=strength.displacement,
        displacement_full=strength.displacement_full,
        colour=strength.colour,
        colour_full=strength.colour_full,
        enlarged=float(learned.history["open"].mean()),
        quality=("accuracy" if labelled else "agreement") if target == "labels" else target,
    )


def _full(certificate: pd.DataFrame) -> "pd.Series[float]":
    """Quality at every k of the grid at the largest scale that was tried, of the half of the images where all were."""
    rows = certificate[(certificate["part"] == CHOOSE) & (certificate["head"] == ALL)]
    rows = rows if len(rows) else certificate[certificate["part"] == CERTIFY]
    found: pd.Series[float] = rows.loc[rows["scale"] == rows["scale"].max(), "accuracy"]
    return found
