"""Joint tolerance: what a network answers over the plane of two magnitudes, and the region that it tolerates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import nn

from invariscope.core.errors import SettingError
from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network, as_network
from invariscope.statistics.proportions import wilson
from invariscope.tolerance.examination import Examination
from invariscope.tolerance.joint_regions import areas, large_classes, outlines
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.resample import REPLICATES
from invariscope.tolerance.tolerated import Plane
from invariscope.transformations.base import Fill, Transformation
from invariscope.transformations.joint import Joint

LEVELS = (0.9, 0.5)


@dataclass(frozen=True, eq=False)
class JointTolerance:
    """What was found.

    Attributes:
        joint: per pair of magnitudes and class, "all" first: `x, y, magnitude_x, magnitude_y, unit_of_measure_x,
            unit_of_measure_y, class, n, accuracy, accuracy_low, accuracy_high, agreement, softmax_true, relative` (the
            accuracy as a share of the clean one; of the agreement without labels).
        contour: where `relative` crosses a level, for "all" and classes of at least thirty images: `x, y, class, level,
            path, magnitude_x, magnitude_y`, the points of a path in order.
        area: per such class and level: `x, y, class, n, level, x_low, x_high, y_low, y_high` (how far each alone is
            tolerated), `censored` (at how many of these four sides the grid ends first), and, each with `_low` and
            `_high`: `share` (of the grid, within tolerance and connected with the identity), `box` (the share that the
            four sides enclose), `ratio` (the first over the second), `within` (the share of the box within tolerance).
        passes: how many images were shown, the clean ones included.
        labelled: whether accuracy is meant; else agreement with the clean prediction stands in its place.
        message: what a person should be told of the labels, or None.
    """

    joint: pd.DataFrame
    contour: pd.DataFrame
    area: pd.DataFrame
    passes: int
    labelled: bool
    message: str | None


def joint_tolerance(
    network: Network | nn.Module,
    images: Images | Prepared,
    x: str | Transformation,
    y: str | Transformation,
    *,
    magnitudes: Mapping[str, Sequence[float | int]] | None = None,
    levels: Sequence[float] = LEVELS,
    fill: Fill | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
    batch_size: int = 64,
    class_names: Sequence[str] | None = None,
) -> JointTolerance:
    """Apply two transformations together, at every pair of magnitudes, and find the region that a network tolerates.

    Affine transformations are composed and sampled once. Between the points of the grid the accuracy is taken to be
    linear. Areas are in the product of both units of measure; their intervals are of a bootstrap over images.

    Args:
        network: computes where its weights are; answers class scores.
        images: what it is shown.
        x: the transformation that is applied first, and drawn across.
        y: the one that is applied second, and drawn upwards.
        magnitudes: of either, by name; the identity is always included. Default: the transformation's own grid.
        levels: shares of the clean accuracy, above 0, below 1.
        fill: what comes in from outside, as of `Rotation`; None takes the mean of the network's recipe.
        replicates: of the bootstrap.
        seed: of random transformations and of the bootstrap.
        batch_size: images per forward pass; does not change results beyond rounding.
        class_names: one name per output.

    Returns:
        Three tables and the count of passes.

    Raises:
        SettingError: a level is no share, the two are the same, or one has no magnitude beside its identity.
        MagnitudeError: a magnitude lies outside a transformation's limits.
        NetworkError: the outputs are no class scores.
        ImageError: there are no images, or their labels do not fit the network.

    Example:
        >>> class Bright(nn.Module):
        ...     def forward(self, images):
        ...         mean = images.mean(dim=(1, 2, 3))
        ...         return torch.stack([mean - 0.5, 0.5 - mean], dim=1)
        >>> images = Images(torch.linspace(0.5, 1, 40)[:, None, None, None].expand(-1, 1, 2, 2), [0] * 40)
        >>> grid = {"gain": [1, 0.5], "brightness": [0, -0.25]}
        >>> found = joint_tolerance(Bright(), images, "gain", "brightness", magnitudes=grid)
        >>> found.joint[found.joint["class"] == "all"].accuracy.tolist()
        [0.0, 0.5, 0.025, 1.0]

    Source: Bunne et al., section IV-A, figures 2d and 3d.
    """
    for level in levels:
        if not 0 < level < 1:
            raise SettingError(f"a level is a share of the clean accuracy, above 0 and below 1; got {level:g}.")
    network = as_network(network)
    prepared = images.fit(network.recipe) if isinstance(images, Images) else images
    joint = Joint([x, y]).with_fill(network.recipe.fill if fill is None else fill)
    grids = _grids(joint, magnitudes or {}, (prepared.height, prepared.width))
    examination = Examination(network, prepared, seed=seed, batch_size=batch_size, class_names=class_names)
    column, row = (grid.index(still) for grid, still in zip(grids, joint.identity, strict=True))
    plane = Plane(np.array(grids[0]), np.array(grids[1]), column, row)
    asked = _ask(examination, joint, plane)
    groups = Groups.of(examination.labels.numpy(), examination.names)
    table = _table(asked, plane, joint, groups, examination.labelled)
    quality = _flat(asked.correct if examination.labelled else asked.agrees)
    large = large_classes(groups)
    contour = outlines(quality, plane, large, levels)
    area = areas(quality, plane, large, levels, replicates=replicates, seed=seed)
    for each in (contour, area):
        each.insert(0, "x", joint.steps[0].name)
        each.insert(1, "y", joint.steps[1].name)
    return JointTolerance(table, contour, area, examination.passes, examination.labelled, examination.message)


def _grids(
    joint: Joint, given: Mapping[str, Sequence[float | int]], size: tuple[int, int]
) -> tuple[tuple[float, ...], ...]:
    names = [step.name for step in joint.steps]
    if names[0] == names[1]:
        raise SettingError(f"joint tolerance is of two different transformations; got {names[0]} twice.")
    strange = [name for name in given if name not in names]
    if strange:
        raise SettingError(f"magnitudes are given for {strange[0]}, which is not one of {names[0]} and {names[1]}.")
    found = []
    for step in joint.steps:
        wanted = [float(value) for value in given.get(step.name, step.default_grid(*size))]
        step.check_magnitudes(wanted, size)
        grid = tuple(sorted({*wanted, float(step.identity)}))
        if len(grid) < 2:
            raise SettingError(f"{step.name} needs a magnitude beside {step.identity:g}, which changes nothing.")
        found.append(grid)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What every image answered at every point, rows of the plane first; shape (row, column, image)."""

    correct: Bool[ndarray, "row column image"]
    agrees: Bool[ndarray, "row column image"]
    softmax: Float[ndarray, "row column image"]


def _ask(examination: Examination, joint: Joint, plane: Plane) -> _Asked:
    clean, every = examination.clean, torch.arange(len(examination.labels))
    shape = (len(plane.y), len(plane.x), len(every))
    predicted, softmax = torch.empty(shape, dtype=torch.int64), torch.empty(shape, dtype=torch.float64)
    for (row, y), (column, x) in product(enumerate(plane.y), enumerate(plane.x)):
        still = (row, column) == (plane.row, plane.column)
        point = torch.tensor([[x, y]], dtype=torch.float64).expand(len(every), 2)
        answers = clean if still else examination.ask(joint, every, point)
        predicted[row, column], softmax[row, column] = answers.predicted, answers.softmax_true
    correct, agrees = predicted == examination.labels, predicted == clean.predicted
    return _Asked(correct.numpy(), agrees.numpy(), softmax.numpy())


def _flat(values: ndarray) -> Float[ndarray, "image point"]:
    return values.reshape(-1, values.shape[-1]).T.astype(np.float64)


def _table(asked: _Asked, plane: Plane, joint: Joint, groups: Groups, labelled: bool) -> pd.DataFrame:
    correct, agrees, softmax = (groups.means(_flat(v)).T for v in (asked.correct, asked.agrees, asked.softmax))
    low, high = wilson(np.rint(correct * groups.counts), np.broadcast_to(groups.counts, correct.shape))
    main = correct if labelled else agrees
    clean = main[plane.row * len(plane.x) + plane.column]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(clean > 0, main / clean, np.nan)
    rows, points = len(groups.rows), len(correct)
    known = 1.0 if labelled else np.nan
    steps = joint.steps
    return pd.DataFrame(
        {
            "x": steps[0].name,
            "y": steps[1].name,
            "magnitude_x": np.repeat(np.tile(plane.x, len(plane.y)), rows),
            "magnitude_y": np.repeat(plane.y, len(plane.x) * rows),
            "unit_of_measure_x": steps[0].unit_of_measure,
            "unit_of_measure_y": steps[1].unit_of_measure,
            "class": np.tile(np.array(groups.rows, dtype=object), points),
            "n": np.tile(groups.counts, points),
            "accuracy": correct.ravel() * known,
            "accuracy_low": low.ravel() * known,
            "accuracy_high": high.ravel() * known,
            "agreement": agrees.ravel(),
            "softmax_true": softmax.ravel() * known,
            "relative": relative.ravel(),
        }
    )
