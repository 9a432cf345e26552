"""Thresholds per image, per class and per criterion, by bracketing instead of a dense sweep."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from torch import nn

from invariscope.core.errors import ImageError
from invariscope.core.progress import Progress, Silent
from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network, as_network
from invariscope.tolerance.examination import Examination
from invariscope.tolerance.resample import REPLICATES
from invariscope.tolerance.search_steps import Resolution, Within, by_family, outward_sides
from invariscope.tolerance.search_work import Part, Search, allowed, check_criteria
from invariscope.tolerance.thresholds import LEVELS, check_levels
from invariscope.transformations.select import Names

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
        medians: the median image of every class: `transformation, class, criterion, level, side, identity, median, low,
            high, censored, n, n_censored, unit_of_measure`.
        costs: a row per transformation and side: `transformation, side, identity, resolution, end, steps, passes,
            dense_passes, unit_of_measure`.
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

    @classmethod
    def of(cls, parts: Sequence[Part], seen: Examination) -> "Found":
        """What the searches of all transformations found together.

        Args:
            parts: of each transformation.
            seen: what they asked.
        """
        images, thresholds, medians, costs = (
            pd.concat([getattr(part, name) for part in parts], ignore_index=True)
            for name in ("images", "thresholds", "medians", "costs")
        )
        clean = len(seen.labels)
        right = float((seen.clean.predicted == seen.labels).double().mean()) if seen.labelled else float("nan")
        passes, dense = (clean + int(costs[name].sum()) for name in ("passes", "dense_passes"))
        return cls(images, thresholds, medians, costs, passes, dense, right, seen.message)

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
    check_criteria(criteria)
    network = as_network(network)
    prepared = images.fit(network.recipe) if isinstance(images, Images) else images
    if not len(prepared):
        raise ImageError("there are no images to find thresholds on.")
    ways = outward_sides(transformations, (prepared.height, prepared.width), resolution, within, sides)
    seen = Examination(network, prepared, seed=seed, batch_size=batch_size, class_names=class_names)
    chosen = allowed(criteria, labelled=seen.labelled)
    search = Search(seen, chosen, tuple(levels), replicates=replicates, seed=seed, progress=progress or Silent())
    return Found.of([search(own) for own in by_family(ways)], seen)
