"""Clusters of points: a tree of merges cut at several numbers, the silhouette, and how alike two clusterings are."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int


def ward_cuts(points: Float[np.ndarray, "point axis"], counts: Sequence[int]) -> dict[int, Int[np.ndarray, " point"]]:
    """Ward's tree, in which the two clusters merge that raise the sum of squares least, cut at several numbers.

    Args:
        points: two or more; shape (point, axis).
        counts: how many clusters.

    Returns:
        Labels from 0 by number of clusters, the largest cluster first; a number that points at the same place do not
        allow is left out.

    Example:
        >>> ward_cuts(np.array([[0.0], [0.1], [0.2], [5.0]]), [2])[2].tolist()
        [0, 0, 0, 1]

    Source: Ward 1963, "Hierarchical grouping to optimize an objective function".
    """
    return {count: by_size(labels, points) for count, labels in raw_cuts(points, counts).items()}


def raw_cuts(points: Float[np.ndarray, "point axis"], counts: Sequence[int]) -> dict[int, Int[np.ndarray, " point"]]:
    """The same cuts with their clusters numbered in any order, which takes a fifth of the time."""
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(points, method="ward")
    cuts = {count: fcluster(tree, count, criterion="maxclust").astype(np.int64) - 1 for count in counts}
    return {count: labels for count, labels in cuts.items() if labels.max() + 1 == count}


def by_size(labels: Int[np.ndarray, " point"], points: Float[np.ndarray, "point axis"]) -> Int[np.ndarray, " point"]:
    """The same clusters numbered by size, the largest first, and by where they lie when sizes are equal.

    Example:
        >>> by_size(np.array([7, 3, 3]), np.zeros((3, 1))).tolist()
        [1, 0, 0]
    """
    names = np.unique(labels)
    order = sorted(names, key=lambda name: (-int((labels == name).sum()), tuple(points[labels == name].mean(axis=0))))
    place = {name: position for position, name in enumerate(order)}
    return np.array([place[label] for label in labels], dtype=np.int64)


def distances_of(points: Float[np.ndarray, "point axis"]) -> Float[np.ndarray, "point point"]:
    """Euclidean distances between all points.

    Example:
        >>> distances_of(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist()
        [[0.0, 5.0], [5.0, 0.0]]
    """
    from scipy.spatial.distance import pdist, squareform

    return np.asarray(squareform(pdist(points)))


def silhouette(distances: Float[np.ndarray, "point point"], labels: Int[np.ndarray, " point"]) -> float:
    """How much nearer points are to their own cluster than to the next, from −1 to 1.

    The mean over points of (b − a) / max(a, b), a the mean distance to the others of its cluster and b the smallest
    mean distance to another cluster; 0 for a point alone in its cluster.

    Args:
        distances: between all points; shape (point, point).
        labels: from 0, of at least two clusters; shape (point,).

    Example:
        >>> silhouette(distances_of(np.array([[0.0], [1.0], [10.0], [11.0]])), np.array([0, 0, 1, 1])) > 0.89
        True

    Source: Rousseeuw 1987, "Silhouettes".
    """
    member = (labels[:, None] == np.arange(labels.max() + 1)).astype(np.float64)
    sizes, sums, rows = member.sum(axis=0), distances @ member, np.arange(len(labels))
    own = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / sizes
    means[rows, labels] = np.inf
    other = means.min(axis=1)
    widest = np.maximum(own, other)
    known = (sizes[labels] > 1) & (widest > 0)
    return float(np.where(known, (other - own) / np.where(widest > 0, widest, 1), 0).mean())


def adjusted_rand(first: Int[np.ndarray, " point"], second: Int[np.ndarray, " point"]) -> float:
    """How alike two clusterings of the same points are: 1 is the same whatever the names, 0 is what chance gives.

    Args:
        first: labels from 0; shape (point,).
        second: labels from 0; shape (point,).

    Returns:
        The index; 1 where neither parts any points, or both part all.

    Example:
        >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
        1.0

    Source: Hubert and Arabie 1985, "Comparing partitions".
    """
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    together, of_first, of_second, every = (
        float((n * (n - 1) / 2).sum()) for n in (table, table.sum(axis=1), table.sum(axis=0), np.array([len(first)]))
    )
    expected = of_first * of_second / every if every else 0.0
    most = (of_first + of_second) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def principal_axes(points: Float[np.ndarray, "point axis"], n: int = 2) -> Float[np.ndarray, "point component"]:
    """The points seen along the directions in which they vary most.

    Args:
        points: shape (point, axis).
        n: directions; at most as many as there are axes.

    Returns:
        Places about their mean, whose largest weight in every direction counts as positive; shape (point, n).

    Example:
        >>> principal_axes(np.array([[0.0, 0.0], [3.0, 4.0]]), 1).round(6).tolist()
        [[-2.5], [2.5]]
    """
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:n]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return np.asarray(centred @ (directions * np.where(signs == 0, 1, signs)[:, None]).T)
