"""Whether points form clusters, more than shuffled columns would and more than one cloud would."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from invariscope.statistics.cloud import Cloud
from invariscope.statistics.clusters import adjusted_rand, by_size, distances_of, raw_cuts, silhouette

COUNTS = (2, 3, 4, 5, 6)
FEWEST_POINTS = 10
_LEVEL = 0.95

Points = Float[np.ndarray, "point axis"]


@dataclass(frozen=True)
class Beyond:
    """A silhouette against that of points without clusters.

    Args:
        mean: the mean silhouette of drawn points, at the same number of clusters.
        margin: by how much the silhouette exceeds it.
        quantile: the margin that only one in twenty sets of drawn points exceeds, each at its own best number.
    """

    mean: float
    margin: float
    quantile: float

    @property
    def above(self) -> bool:
        """Whether the margin is more than drawn points give by chance."""
        return self.margin > self.quantile


@dataclass(frozen=True)
class Clusters:
    """How points fall apart best, and whether that means anything.

    Args:
        labels: of the cut with the largest silhouette, the largest cluster first; shape (point,).
        silhouette: of that cut.
        fair: whether none of its clusters is too small to be one.
        shuffled: against the same points with every column shuffled.
        cloud: against draws from one cloud that is as spread out and as correlated.
    """

    labels: Int[np.ndarray, " point"]
    silhouette: float
    fair: bool
    shuffled: Beyond
    cloud: Beyond

    @property
    def count(self) -> int:
        """How many clusters the cut has."""
        return int(self.labels.max()) + 1

    @property
    def found(self) -> bool:
        """Whether there are clusters: otherwise the points are one, whatever the cut."""
        return self.fair and self.shuffled.above and self.cloud.above


def find_clusters(points: Points, *, draws: int = 200, seed: int = 0) -> Clusters | None:
    """Cut points into 2 to 6 clusters by the silhouette, and ask whether points without clusters fall apart as well.

    Points without clusters are drawn in two ways, and a cut counts only if it exceeds both. Each column shuffled: no
    column knows of another. One cloud (`Cloud`): as spread out and as correlated, with one peak, so that a cloud that
    is merely long is no cluster. A cut is considered where every cluster has at least 3 points and 5 % of them, so that
    stray points are no cluster; where none has, the most even cut stands for what is not found. Drawn points choose
    their own best number of clusters, as the points do.

    Args:
        points: coefficients from 0 to 1, in any order; shape (point, axis).
        draws: sets of points drawn, of each kind.
        seed: of the draws.

    Returns:
        What was found; None for fewer than ten points, or where they all lie at one place.

    Example:
        >>> random = np.random.Generator(np.random.PCG64(0))
        >>> two = np.repeat([[0.9, 0.2], [0.2, 0.9]], 20, axis=0) + 0.05 * random.standard_normal((40, 2))
        >>> seen = find_clusters(two, draws=50)
        >>> seen.found, seen.count, find_clusters(random.random((40, 2)), draws=50).found
        (True, 2, False)
    """
    if len(points) < FEWEST_POINTS:
        return None
    cuts = raw_cuts(points, COUNTS)
    if not cuts:
        return None
    silhouettes, smallest = _looked_at(points, cuts)
    best = _best(silhouettes, smallest, len(points))
    # In an order of their own, so that the draws do not depend on the order of the points.
    ordered = points[np.lexsort(points.T)]
    random = np.random.Generator(np.random.PCG64(seed))
    shuffled = _beyond(lambda: random.permuted(ordered, axis=0), draws, silhouettes, best)
    one = Cloud.like(ordered, random)
    cloud = _beyond(lambda: one.draw(random), draws, silhouettes, best)
    fair = bool(smallest[best] >= _least(len(points)))
    return Clusters(by_size(cuts[COUNTS[best]], points), float(silhouettes[best]), fair, shuffled, cloud)


def stability(points: Points, labels: Int[np.ndarray, " point"], *, draws: int = 100, seed: int = 0) -> float:
    """How alike clusters come out when points are drawn anew, with replacement.

    Args:
        points: shape (point, axis).
        labels: their clusters, from 0; shape (point,).
        draws: how often.
        seed: of the draws.

    Returns:
        The mean adjusted Rand index between the clusters of the drawn points and their labels; 1 is the same every
        time, 0 is chance.
    """
    random, count = np.random.Generator(np.random.PCG64(seed)), int(labels.max()) + 1
    found = []
    for _ in range(draws):
        drawn = random.integers(0, len(points), len(points))
        cut = raw_cuts(points[drawn], [count]).get(count)
        if cut is not None:
            once = np.unique(drawn, return_index=True)[1]
            found.append(adjusted_rand(cut[once], labels[drawn[once]]))
    return float(np.mean(found)) if found else float("nan")


def agreement(first: Points, second: Points, count: int) -> float:
    """How alike the clusters are that two measurements of the same points give.

    Args:
        first: shape (point, axis).
        second: the same points, measured again; shape (point, axis).
        count: how many clusters.

    Returns:
        The adjusted Rand index; NaN where one of them cannot be cut so.
    """
    cuts = [raw_cuts(points, [count]).get(count) for points in (first, second)]
    return float("nan") if cuts[0] is None or cuts[1] is None else adjusted_rand(cuts[0], cuts[1])


def _least(points: int) -> int:
    """The fewest members of a cluster."""
    return max(3, int(np.ceil(0.05 * points)))


def _looked_at(points: Points, cuts: dict[int, Int[np.ndarray, " point"]]) -> tuple[np.ndarray, np.ndarray]:
    """By number of clusters: the silhouette and the size of the smallest; NaN and 0 where there is no such cut."""
    distances = distances_of(points)
    values, smallest = np.full(len(COUNTS), np.nan), np.zeros(len(COUNTS), dtype=np.int64)
    for place, count in enumerate(COUNTS):
        if count in cuts:
            values[place] = silhouette(distances, cuts[count])
            smallest[place] = np.bincount(cuts[count]).min()
    return values, smallest


def _best(silhouettes: np.ndarray, smallest: np.ndarray, points: int) -> int:
    """The place of the best cut whose clusters are large enough, or else of the most even one."""
    allowed = smallest >= _least(points)
    return int(np.where(allowed, silhouettes, -np.inf).argmax() if allowed.any() else smallest.argmax())


def _beyond(draw: Callable[[], Points], draws: int, silhouettes: np.ndarray, best: int) -> Beyond:
    drawn, places = np.full((draws, len(COUNTS)), np.nan), []
    for row in range(draws):
        other = draw()
        drawn[row], smallest = _looked_at(other, raw_cuts(other, COUNTS))
        places.append(_best(drawn[row], smallest, len(other)))
    with np.errstate(invalid="ignore"):
        means = np.nansum(drawn, axis=0) / (~np.isnan(drawn)).sum(axis=0)
    quantile = float(np.nanquantile(drawn[np.arange(draws), places] - means[places], _LEVEL))
    return Beyond(float(means[best]), float(silhouettes[best] - means[best]), quantile)
