"""The worst transformation of every image within a region, and the accuracy that remains."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool
from numpy import ndarray
from torch import nn

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown
from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network, as_network
from invariscope.statistics.proportions import wilson
from invariscope.tolerance.examination import Examination
from invariscope.tolerance.outputs import Groups, distinct
from invariscope.tolerance.region import Asked, Region, Steps
from invariscope.tolerance.resample import interval, resampled_means
from invariscope.tolerance.worst_gradient import ascend
from invariscope.tolerance.worst_search import WorstSearch
from invariscope.transformations.base import Fill

METHODS = ("grid", "gradient", "both")


@dataclass(frozen=True, eq=False)
class WorstCase:
    """What was found.

    Attributes:
        worst: per image: `image` (its place), `name`, `class`, `clean_correct`, `fooled`, a column per axis with the
            worst magnitude, `found_by` (clean, grid, random, gradient; empty if not fooled), `predicted` there,
            `margin` of the true class there, `passes`.
        remaining: per class, "all" first: `class, n, clean, worst, worst_low, worst_high, random, random_low,
            random_high`: accuracy on clean images, at every image's worst point, and on average over random points.
        passes: how many images were shown in the search, the clean ones included: the sum of the table's column.
        gradients: how many of these were differentiated besides.
        comparison_passes: how many images were shown at random points, for comparison and for the gradient to start.
        region: where it was looked for.
        labelled: whether accuracy is meant; else the share of images that keep their clean prediction.
        message: what a person should be told of the labels, or None.
    """

    worst: pd.DataFrame
    remaining: pd.DataFrame
    passes: int
    gradients: int
    comparison_passes: int
    region: Region
    labelled: bool
    message: str | None


def worst_case(
    network: Network | nn.Module,
    images: Images | Prepared,
    region: Asked,
    *,
    method: str = "both",
    steps: Steps = 5,
    restarts: int = 4,
    ascent: int = 20,
    draws: int = 10,
    exhaustive: bool = False,
    fill: Fill | None = None,
    seed: int = 0,
    batch_size: int = 64,
    class_names: Sequence[str] | None = None,
) -> WorstCase:
    """Find the worst transformation of every image within a region.

    An image is fooled if some point of the region makes the network answer another class than the image's (without
    labels: than its clean answer); the clean image is a point of every region. The grid asks every image at all
    combinations of magnitudes, the far ones first, and lets go of images that are fooled. The gradient starts at
    each image's worst points and at random ones, and follows the margin of the true class downhill in the magnitudes.
    Both are lower bounds of what is possible: a point that fools may lie between those that were asked.

    Args:
        network: computes where its weights are; answers class scores.
        images: what it is shown.
        region: how far each transformation goes, in the order in which they are applied: `{"rotation": 30, "zoom":
            (0.8, 1.25)}`, on both sides of the identity, or from the lowest to the highest magnitude.
        method: "grid", "gradient" (from random points), or "both": the grid, then the gradient for images that it does
            not fool.
        steps: magnitudes per axis of the grid, at least 2: one number, or one per name.
        restarts: points at which the gradient starts, per image: half of them the worst known, half random.
        ascent: points that are asked from each start.
        draws: random points per image for comparison, and for the gradient to start from; 0 for none.
        exhaustive: go on with images that are fooled, and name the point with the lowest margin of all; else the first
            that fooled. Which images are fooled is the same for the grid.
        fill: what comes in from outside, as of `Rotation`; None takes the mean of the network's recipe.
        seed: of random points and random transformations.
        batch_size: images per forward pass; does not change results beyond rounding.
        class_names: one name per output.

    Returns:
        Tables and counts.

    Raises:
        SettingError: the region, method or a number cannot be used.
        MagnitudeError: the region reaches beyond a transformation's limits.
        NetworkError: the outputs are no class scores, or no gradient comes back.
        ImageError: there are no images, or their labels do not fit the network.

    Example:
        >>> class Bright(nn.Module):
        ...     def forward(self, images):
        ...         mean = images.mean(dim=(1, 2, 3))
        ...         return torch.stack([mean - 0.5, 0.5 - mean], dim=1)
        >>> images = Images(torch.tensor([0.55, 0.9])[:, None, None, None].expand(-1, 1, 2, 2), [0, 0])
        >>> found = worst_case(Bright(), images, {"brightness": 0.2}, method="grid", steps=3)
        >>> found.worst[["fooled", "brightness"]].values.tolist(), found.remaining.worst.tolist()
        ([[True, -0.2], [False, -0.2]], [0.5, 0.5])

    Source: Engstrom et al., "Exploring the landscape of spatial robustness" (2019), sections 3 and 4 (grid, random
    points and first order); Bunne et al., section IV-A (jointly applied transformations).
    """
    _check(method, restarts, ascent, draws)
    network = as_network(network)
    prepared = images.fit(network.recipe) if isinstance(images, Images) else images
    size = (prepared.height, prepared.width)
    box = Region.of(region, size, network.recipe.fill if fill is None else fill)
    grid = box.points(steps) if method != "gradient" else None
    if method != "grid" and not any(step.smooth and not step.whole for step in box.joint.steps):
        raise SettingError(f'{box.joint.name} has no gradient in its magnitudes; use method="grid".')
    examination = Examination(network, prepared, seed=seed, batch_size=batch_size, class_names=class_names)
    search = WorstSearch(examination, box, keep=0 if method == "grid" else -(-restarts // 2), exhaustive=exhaustive)
    every = torch.arange(len(prepared))
    if grid is not None:
        search.by_grid(grid)
    # The first are asked for comparison, and the gradient starts from the others.
    points = box.random(every, draws + restarts, seed)
    rights = []
    for point in points[:draws]:
        answers = (
            examination.ask(box.joint, every, point) if method == "grid" else search.take(every, point[None], "random")
        )
        rights.append((answers.predicted == examination.labels).numpy())
    gradients, starts = 0, points[draws:].clone()
    known = search.starts.transpose(0, 1)
    starts[: len(known)] = torch.where(known.isnan(), starts[: len(known)], known)
    for start in starts if method != "grid" else ():
        chosen = search.open
        gradients += ascend(search, start[chosen], chosen, steps=ascent, seed=seed, batch_size=batch_size)
    right = np.stack(rights) if rights else np.zeros((0, len(every)), dtype=bool)
    return WorstCase(
        *_tables(search, prepared, right, seed),
        passes=int(search.passes.sum()),
        gradients=gradients,
        comparison_passes=len(every) * draws,
        region=box,
        labelled=examination.labelled,
        message=examination.message,
    )


def _check(method: str, restarts: int, ascent: int, draws: int) -> None:
    if method not in METHODS:
        raise SettingError(unknown("method", method, METHODS))
    if restarts < 1 or ascent < 2 or draws < 0:
        raise SettingError(
            "the gradient starts at 1 point or more and asks 2 or more from each, and random points are 0 or more; got "
            f"restarts {restarts}, ascent {ascent}, draws {draws}."
        )


def _tables(
    search: WorstSearch, prepared: Prepared, right: Bool[ndarray, "draw image"], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    examination = search.examination
    labels = examination.labels.numpy()
    groups = Groups.of(labels, examination.names)
    clean = (examination.clean.predicted == examination.labels).numpy()
    known = np.array(distinct(examination.names), dtype=object)
    worst = pd.DataFrame(
        {
            "image": np.arange(len(labels)),
            "name": list(prepared.names),
            "class": known[labels],
            "clean_correct": clean,
            "fooled": search.fooled.numpy(),
            **dict(zip(search.region.names, search.magnitudes.T.numpy(), strict=True)),
            "found_by": search.found_by,
            "predicted": known[search.predicted.numpy()],
            "margin": search.margin.double().numpy(),
            "passes": search.passes.numpy(),
        }
    )
    held = ~search.fooled.numpy()
    counts = groups.counts
    # Unknown without random points.
    chance = right.mean(axis=0, dtype=np.float64) if len(right) else np.full(len(labels), np.nan)
    shares = groups.means(np.stack([clean, held, chance], axis=1).astype(np.float64))
    low, high = wilson(np.rint(shares[:, 1] * counts), counts)
    ends = np.full((2, len(counts)), np.nan)
    for block, means in resampled_means(chance[:, None], groups, seed=seed):
        ends[:, block] = np.stack(interval(means))[:, :, 0]
    remaining = pd.DataFrame(
        {
            "class": np.array(groups.rows, dtype=object),
            "n": counts,
            "clean": shares[:, 0],
            "worst": shares[:, 1],
            "worst_low": low,
            "worst_high": high,
            "random": shares[:, 2],
            "random_low": ends[0],
            "random_high": ends[1],
        }
    )
    return worst, remaining
