"""The search for the thresholds of one transformation after another, with everything that they share."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Int
from numpy import ndarray

from invariscope.core.errors import ImageError, SettingError
from invariscope.core.names import unknown
from invariscope.core.progress import Progress, Silent
from invariscope.tolerance.examination import Examination
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.resample import REPLICATES
from invariscope.tolerance.search_groups import decide_groups
from invariscope.tolerance.search_images import decide_images
from invariscope.tolerance.search_memo import Memo
from invariscope.tolerance.search_steps import Outward
from invariscope.tolerance.search_tables import group_rows, image_rows, median_rows

CRITERIA = ("accuracy", "agreement", "softmax", "first-flip")
_LABELLED = ("accuracy", "softmax")


def check_criteria(criteria: Sequence[str] | None) -> None:
    """Raise unless all criteria are known.

    Args:
        criteria: as asked for; None is all.

    Raises:
        SettingError: one is not known, or there is none.
    """
    for name in criteria or ():
        if name not in CRITERIA:
            raise SettingError(unknown("criterion", name, CRITERIA))
    if criteria is not None and not criteria:
        raise SettingError(f"at least one criterion is needed, of {', '.join(CRITERIA)}.")


def allowed(criteria: Sequence[str] | None, *, labelled: bool) -> tuple[str, ...]:
    """The criteria that can be searched for.

    Args:
        criteria: as asked for; None is all that the images allow.
        labelled: whether the images have labels that name the network's outputs.

    Raises:
        ImageError: one that was asked for needs labels.

    Example:
        >>> allowed(None, labelled=False)
        ('agreement', 'first-flip')
    """
    if criteria is None:
        return CRITERIA if labelled else tuple(name for name in CRITERIA if name not in _LABELLED)
    missing = [name for name in _LABELLED if name in criteria and not labelled]
    if missing:
        raise ImageError(
            f"the criterion {missing[0]} needs labels that name the network's outputs, and the images have none; give "
            "labelled images, or the criteria agreement and first-flip."
        )
    return tuple(name for name in CRITERIA if name in criteria)


@dataclass(frozen=True, eq=False)
class Part:
    """What was found under one transformation.

    Attributes:
        images: a row per image, criterion, level and side.
        thresholds: a row per class, criterion, side and level.
        medians: the median image of every class.
        costs: a row per side.
    """

    images: pd.DataFrame
    thresholds: pd.DataFrame
    medians: pd.DataFrame
    costs: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Search:
    """What the searches of all transformations share.

    Args:
        seen: asks the network.
        criteria: of the tables, in the order of `CRITERIA`.
        levels: shares of the clean value.
        replicates: of the bootstrap over images.
        seed: of its draws.
        progress: is told of every image that is shown or spared.
    """

    seen: Examination
    criteria: tuple[str, ...]
    levels: tuple[float, ...]
    replicates: int = REPLICATES
    seed: int = 0
    progress: Progress = field(default_factory=Silent)

    @property
    def labels(self) -> Int[ndarray, " image"]:
        """Of every image, as an output; its clean prediction without labels."""
        labels: ndarray = self.seen.labels.numpy()
        return labels

    @property
    def groups(self) -> Groups:
        """The classes that have images."""
        return Groups.of(self.labels, self.seen.names)

    def __call__(self, sides: Sequence[Outward]) -> Part:
        """Search the sides of one transformation.

        Args:
            sides: of the same transformation.
        """
        found = [self._side(side) for side in sides]
        images = pd.concat([part.images for part in found], ignore_index=True)
        how = {"seed": self.seed, "replicates": self.replicates}
        return Part(
            images,
            _in_order(pd.concat([part.thresholds for part in found], ignore_index=True)),
            median_rows(images, self.groups, sides[0].family.identity, **how),
            pd.concat([part.costs for part in found], ignore_index=True),
        )

    def _side(self, way: Outward) -> Part:
        """All but the medians, which are empty."""
        before, dense = self.seen.passes, len(self.labels) * (len(way.magnitudes) - 1)
        self.progress.start(f"{way.family.name} {way.sign}", dense)
        memo = Memo(self.seen, way, self.progress.advance)
        decide_images(memo, ["flip", *(self.levels if "softmax" in self.criteria else ())])
        means = [criterion for criterion in self.criteria if criterion != "first-flip"]
        decide_groups(memo, self.groups, self.labels, means, self.levels)
        passes = self.seen.passes - before
        self.progress.advance(dense - passes)
        cost = {
            "transformation": way.family.name,
            "side": way.sign,
            "identity": way.family.identity,
            "resolution": way.resolution,
            "end": float(way.magnitudes[-1]),
            "steps": len(way.magnitudes) - 1,
            "passes": passes,
            "dense_passes": dense,
            "unit_of_measure": way.family.unit_of_measure,
        }
        right = (self.seen.clean.predicted == self.seen.labels).tolist()
        how = {"replicates": self.replicates, "seed": self.seed}
        return Part(
            image_rows(memo, self.groups, self.seen.images.names, right, self.criteria, self.levels),
            group_rows(memo, self.groups, self.labels, self.criteria, self.levels, **how),
            pd.DataFrame(),
            pd.DataFrame([cost]),
        )


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """The order of `thresholds`: class, criterion, side, level."""
    rows = {each: place for place, each in enumerate(table["class"].unique())}
    place = [table["class"].map(rows), table["criterion"].map(CRITERIA.index), table["side"].map("+-".index)]
    order = np.lexsort([np.asarray(each) for each in reversed(place)])
    return table.iloc[order].reset_index(drop=True)
