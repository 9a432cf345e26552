"""Thresholds per image, per class and per criterion, by bracketing instead of a dense sweep."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import nn

from invariscope.core.errors import ImageError, SettingError
from invariscope.core.names import unknown
from invariscope.core.progress import Progress, Silent
from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network, as_network
from invariscope.tolerance.examination import Examination
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.resample import REPLICATES
from invariscope.tolerance.search_groups import decide_groups
from invariscope.tolerance.search_images import decide_images
from invariscope.tolerance.search_memo import Memo
from invariscope.tolerance.search_steps import Outward, Resolution, Within, outward_sides
from invariscope.tolerance.search_tables import group_rows, image_rows, median_rows
from invariscope.tolerance.thresholds import LEVELS, check_levels
from invariscope.transformations.select import Names

CRITERIA = ("accuracy", "agreement", "softmax", "first-flip")
BATCH_SIZE = 250


@dataclass(frozen=True, eq=False)
class Found:
    """What a search for thresholds found, and what it cost.

    Attributes:
        images: a row per image, transformation, criterion (first-flip, accuracy, softmax), level and side: `image,
            name, class, transformation, criterion, level, side, threshold, bracket_low, bracket_high, censored,
            reentries, asked, unit_of_measure`. The level is NaN where a criterion has none. A threshold that is NaN
            and not censored is undefined: the image is not classified correctly when clean.
        thresholds: a row per class, criterion, level and side, with the columns of `thresholds`.
        medians: the median image of every class: `transformation, class, criterion, level, side, median, low, high,
            censored, n, n_censored, unit_of_measure`.
        costs: a row per transformation and side: `transformation, side, resolution, end, steps, passes, dense_passes`.
        passes: images shown to the network, the clean ones included.
        dense_passes: images that a sweep over every step would show, the clean ones included.
        clean_accuracy: the share of images classified correctly; NaN without labels.
        message: what a person should be told of the labels, or None.
    """

    images: pd.DataFrame
    thresholds: pd.DataFrame
    medians: pd.DataFrame
    costs: pd.DataFrame
    passes: int
    dense_passes: int
    clean_accuracy: float
    message: str | None = None

    @property
    def ratio(self) -> float:
        """The passes as a share of those of a dense sweep."""
        return self.passes / self.dense_passes


def find_thresholds(
    network: Network | nn.Module,
    images: Images | Prepared,
    transformations: Names = None,
    *,
    resolution: Resolution = None,
    within: Within = None,
    levels: Sequence[float] = LEVELS,
    criteria: Sequence[str] | None = None,
    sides: str = "both",
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    replicates: int = REPLICATES,
    class_names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Found:
    """Find where the quality of every image and every class first falls, at the resolution of a dense sweep.

    Every image is asked on a coarse sweep; the first step at which its prediction has changed, or the softmax of its
    true class is below a level of the clean one, is bracketed and halved down to one step, and so is a gap before it
    where its margins leave a dip plausible (`doubtful`). For the means of classes, what the answers suggest is asked
    where it decides. Both agree with a sweep over every step where qualities fall once; elsewhere a dip that no margin
    announces can be missed.

    Args:
        network: computes where its weights are.
        images: what it is shown.
        transformations: names or transformations; None is every one whose magnitudes have an order.
        resolution: the step by name, {"rotation": 1.0} or ["rotation=1"]; else about a 200th of the default grid.
        within: the ends by name, {"rotation": (-45, 45)} or ["rotation=-45:45"]; else those of the default grid.
        levels: shares of the clean value, above 0, at most 1.
        criteria: of "accuracy", "agreement", "softmax", "first-flip"; None is all that the images allow.
        sides: "both", "+" or "-".
        batch_size: images per forward pass; does not change what is found beyond rounding.
        seed: of random transformations and of the bootstrap.
        replicates: of the bootstrap over images.
        class_names: one name per output.
        progress: is told of every image that is shown or spared.

    Returns:
        The tables and the passes.

    Raises:
        SettingError: a resolution, a level or a criterion cannot be used, or a transformation has no thresholds.
        ImageError: there are no images, or a criterion needs labels that are not there.
        NetworkError: the outputs are no class scores, or not finite.
        UnknownNameError: no transformation has that name.
        MagnitudeError: an end lies outside the transformation's limits.

    Example:
        >>> import torch
        >>> class Bright(nn.Module):
        ...     def forward(self, images):
        ...         mean = images.mean(dim=(1, 2, 3))
        ...         return torch.stack([mean - 0.505, 0.505 - mean], dim=1)
        >>> pixels = torch.tensor([0.6, 0.7, 0.8])[:, None, None, None].expand(3, 1, 2, 2)
        >>> found = find_thresholds(Bright(), Images(pixels), "brightness", resolution={"brightness": 0.01})
        >>> found.images.query("criterion == 'first-flip' and side == '-'").threshold.round(3).tolist()
        [-0.095, -0.195, -0.295]

    Source: Bunne et al., sections IV-A and VI.
    """
    check_levels(levels)
    _check_criteria(criteria)
    network = as_network(network)
    prepared = images.fit(network.recipe) if isinstance(images, Images) else images
    if not len(prepared):
        raise ImageError("there are no images to find thresholds on.")
    ways = outward_sides(transformations, (prepared.height, prepared.width), resolution, within, sides)
    seen = Examination(network, prepared, seed=seed, batch_size=batch_size, class_names=class_names)
    search = _Search(seen, prepared.names, _allowed(criteria, seen.labelled), tuple(levels), replicates, seed)
    parts = [search.side(way, progress or Silent()) for way in ways]
    names = list(dict.fromkeys(way.family.name for way in ways))
    by_image = pd.concat([part[0] for part in parts], ignore_index=True)
    costs = pd.DataFrame([part[2] for part in parts])
    return Found(
        images=by_image,
        thresholds=pd.concat([_in_order([part[1] for part in parts], name) for name in names], ignore_index=True),
        medians=pd.concat([search.medians(by_image, ways, name) for name in names], ignore_index=True),
        costs=costs,
        passes=seen.passes,
        dense_passes=len(prepared) + int(costs["dense_passes"].sum()),
        clean_accuracy=float((seen.clean.predicted == seen.labels).double().mean()) if seen.labelled else float("nan"),
        message=seen.message,
    )


@dataclass(frozen=True, eq=False)
class _Search:
    """What all sides of all transformations share."""

    seen: Examination
    names: Sequence[str]
    criteria: tuple[str, ...]
    levels: tuple[float, ...]
    replicates: int
    seed: int

    @property
    def labels(self) -> np.ndarray:
        return self.seen.labels.numpy()

    @property
    def groups(self) -> Groups:
        return Groups.of(self.labels, self.seen.names)

    def side(self, way: Outward, progress: Progress) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, object]]:
        """The rows of the images and of the classes, and the cost of one side."""
        before = self.seen.passes
        dense = len(self.labels) * (len(way.magnitudes) - 1)
        progress.start(f"{way.family.name} {way.sign}", dense)
        memo = Memo(self.seen, way, progress.advance)
        softmax = self.levels if "softmax" in self.criteria else ()
        decide_images(memo, ["flip", *softmax])
        means = [criterion for criterion in self.criteria if criterion != "first-flip"]
        decide_groups(memo, self.groups, self.labels, means, self.levels)
        passes = self.seen.passes - before
        progress.advance(dense - passes)
        right = (self.seen.clean.predicted == self.seen.labels).tolist()
        by_image = image_rows(memo, self.groups, self.names, right, self.criteria, self.levels)
        how = {"replicates": self.replicates, "seed": self.seed}
        by_class = group_rows(memo, self.groups, self.labels, self.criteria, self.levels, **how)
        cost = {
            "transformation": way.family.name,
            "side": way.sign,
            "resolution": way.resolution,
            "end": float(way.magnitudes[-1]),
            "steps": len(way.magnitudes) - 1,
            "passes": passes,
            "dense_passes": dense,
        }
        return by_image, by_class, cost

    def medians(self, images: pd.DataFrame, ways: Sequence[Outward], name: str) -> pd.DataFrame:
        """The median image of every class under one transformation."""
        identity = next(way.family.identity for way in ways if way.family.name == name)
        rows = images[images["transformation"] == name]
        return median_rows(rows, self.groups, identity, seed=self.seed, replicates=self.replicates)


def _in_order(parts: Sequence[pd.DataFrame], name: str) -> pd.DataFrame:
    """The rows of one transformation in the order of `thresholds`: class, criterion, side, level."""
    table = pd.concat([part[part["transformation"] == name] for part in parts], ignore_index=True)
    rows = {each: place for place, each in enumerate(table["class"].unique())}
    place = [table["class"].map(rows), table["criterion"].map(CRITERIA.index), table["side"].map("+-".index)]
    return table.iloc[np.lexsort([*(np.asarray(each) for each in reversed(place))])].reset_index(drop=True)


def _check_criteria(criteria: Sequence[str] | None) -> None:
    for name in criteria or ():
        if name not in CRITERIA:
            raise SettingError(unknown("criterion", name, CRITERIA))
    if criteria is not None and not criteria:
        raise SettingError(f"at least one criterion is needed, of {', '.join(CRITERIA)}.")


def _allowed(criteria: Sequence[str] | None, labelled: bool) -> tuple[str, ...]:
    needs = ("accuracy", "softmax")
    if criteria is None:
        return CRITERIA if labelled else tuple(name for name in CRITERIA if name not in needs)
    missing = [name for name in needs if name in criteria and not labelled]
    if missing:
        raise ImageError(
            f"the criterion {missing[0]} needs labels that name the network's outputs, and the images have none; give "
            "labelled images, or the criteria agreement and first-flip."
        )
    return tuple(name for name in CRITERIA if name in criteria)
