"""Clusters: known groups are found, one cloud is not parted, and names and order do not matter."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score

from invariscope.statistics.cloud import Cloud
from invariscope.statistics.cluster_evidence import agreement, find_clusters, stability
from invariscope.statistics.clusters import (
    adjusted_rand,
    by_size,
    distances_of,
    principal_axes,
    raw_cuts,
    silhouette,
    ward_cuts,
)


def random_of(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def groups(sizes: tuple[int, ...], noise: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Units that are invariant to one transformation only, each group to another, of three."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.where(np.eye(3, dtype=bool)[: len(sizes)], 0.85, 0.25)
    points = centres[labels] + noise * random_of(seed).standard_normal((len(labels), 3))
    return points.clip(0, 1), labels


def one_blob(n: int, correlation: float, seed: int, axes: int = 4) -> np.ndarray:
    together = np.full((axes, axes), correlation) + (1 - correlation) * np.eye(axes)
    points: np.ndarray = 0.5 + 0.1 * random_of(seed).multivariate_normal(np.zeros(axes), together, n)
    return points.clip(0, 1)


def test_silhouette_by_hand():
    points = np.array([[0.0], [1.0], [10.0]])
    # 0: a = 1, b = 10; 1: a = 1, b = 9; 10 is alone.
    expected = (9 / 10 + 8 / 9 + 0) / 3
    assert silhouette(distances_of(points), np.array([0, 0, 1])) == pytest.approx(expected)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_silhouette_is_that_of_scikit_learn(count):
    points = random_of(1).random((40, 3))
    labels = random_of(2).integers(0, count, 40)
    labels[:count] = np.arange(count)
    assert silhouette(distances_of(points), labels) == pytest.approx(silhouette_score(points, labels))


def test_points_at_one_place_have_a_silhouette_of_nothing():
    assert silhouette(np.zeros((4, 4)), np.array([0, 0, 1, 1])) == 0


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_cuts_are_those_of_scikit_learn(count):
    points = random_of(3).random((50, 4))
    expected = AgglomerativeClustering(n_clusters=count, linkage="ward").fit_predict(points)
    assert adjusted_rand_score(expected, ward_cuts(points, [count])[count]) == 1
    assert adjusted_rand_score(expected, raw_cuts(points, [count])[count]) == 1


def test_clusters_are_numbered_by_size_then_by_place():
    points = np.array([[5.0], [0.0], [0.1], [9.0], [9.1], [5.1], [5.2]])
    assert ward_cuts(points, [3])[3].tolist() == [0, 1, 1, 2, 2, 0, 0]
    assert by_size(np.array([4, 4, 2, 2]), np.array([[1.0], [1.0], [0.0], [0.0]])).tolist() == [1, 1, 0, 0]


def test_a_number_that_equal_points_do_not_allow_is_left_out():
    points = np.array([[0.0, 0.0]] * 5 + [[1.0, 1.0]] * 5)
    assert list(ward_cuts(points, [2, 3])) == [2]


@pytest.mark.parametrize("seed", range(5))
def test_adjusted_rand_is_that_of_scikit_learn(seed):
    first, second = random_of(seed).integers(0, 3, 30), random_of(seed + 9).integers(0, 4, 30)
    assert adjusted_rand(first, second) == pytest.approx(adjusted_rand_score(first, second))


def test_adjusted_rand_by_hand_and_whatever_the_names():
    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    # Pairs together: 6 and 3, both 2, of 15: expected 1.2, most 4.5.
    assert adjusted_rand(first, second) == pytest.approx((2 - 1.2) / (4.5 - 1.2))
    assert adjusted_rand(first, 1 - first) == 1
    assert adjusted_rand(first, second) == pytest.approx(adjusted_rand(2 - second, first))
    assert adjusted_rand(np.zeros(4, dtype=np.int64), np.zeros(4, dtype=np.int64)) == 1


def test_principal_axes_are_those_of_scikit_learn():
    points = random_of(4).random((30, 4))
    expected = PCA(2).fit_transform(points)
    np.testing.assert_allclose(np.abs(principal_axes(points)), np.abs(expected), atol=1e-12)
    np.testing.assert_allclose(principal_axes(points[::-1]), principal_axes(points)[::-1], atol=1e-12)


@pytest.mark.parametrize("sizes", [(40, 40), (60, 12), (30, 30, 30)])
def test_units_invariant_to_one_transformation_each_are_found(sizes):
    points, labels = groups(sizes)
    seen = find_clusters(points, draws=60)
    assert seen is not None
    assert seen.found
    assert seen.count == len(sizes)
    assert adjusted_rand(seen.labels, labels) == 1
    assert stability(points, seen.labels, draws=40) > 0.99
    again, _ = groups(sizes, seed=7)
    assert agreement(points, again, seen.count) == 1
    assert seen.shuffled.margin > 0.1


def test_units_of_one_cloud_are_no_clusters_however_long_it_is():
    found = [find_clusters(one_blob(80, r, seed), draws=60) for r in (0.0, 0.7) for seed in range(8)]
    assert all(seen is not None for seen in found)
    # One in twenty by chance: more than 4 of 16 come once in a thousand (numpy's draws differ between its versions).
    assert sum(seen.found for seen in found if seen is not None) <= 4
    longer = [seen for seen in found[8:] if seen is not None]
    # Shuffled columns alone would call every long cloud clusters.
    assert sum(seen.shuffled.above for seen in longer) >= 7


def test_blobs_are_not_stable():
    points = one_blob(80, 0.0, seed=3)
    seen = find_clusters(points, draws=30)
    assert seen is not None
    assert stability(points, seen.labels, draws=40) < 0.6
    assert abs(agreement(points, one_blob(80, 0.0, seed=4), 2)) < 0.2


def test_strays_are_no_cluster():
    points = np.concatenate([one_blob(60, 0.0, seed=5, axes=3) * 0.2 + 0.6, [[0.0, 0.0, 0.0], [0.01, 0.0, 0.0]]])
    seen = find_clusters(points, draws=40)
    assert seen is not None
    assert not seen.found
    assert not seen.fair or np.bincount(seen.labels).min() >= 4


def test_order_does_not_matter_and_the_seed_decides():
    points, _ = groups((30, 20), noise=0.2)
    order = random_of(8).permutation(len(points))
    first, moved, again = (find_clusters(each, draws=40) for each in (points, points[order], points))
    assert first is not None
    assert moved is not None
    assert again is not None
    assert adjusted_rand(first.labels[order], moved.labels) == 1
    assert moved.silhouette == pytest.approx(first.silhouette)
    assert (moved.shuffled.margin, moved.cloud.quantile) == pytest.approx((first.shuffled.margin, first.cloud.quantile))
    assert again.cloud == first.cloud
    other = find_clusters(points, draws=40, seed=1)
    assert other is not None
    assert other.cloud != first.cloud


def test_axes_may_be_named_in_any_order():
    points, _ = groups((30, 30, 30))
    first, turned = (find_clusters(each, draws=40) for each in (points, points[:, ::-1].copy()))
    assert first is not None
    assert turned is not None
    assert adjusted_rand(first.labels, turned.labels) == 1
    assert turned.found == first.found


def test_too_few_points_or_one_place_are_unknown():
    assert find_clusters(random_of().random((9, 2)), draws=20) is None
    assert find_clusters(np.full((20, 3), 0.5), draws=20) is None


def test_a_cloud_is_as_spread_out_and_as_correlated():
    points = one_blob(300, 0.6, seed=6) * [1, 0.5, 1, 1]
    points[:, 3] = 1 - points[:, 3]
    cloud = Cloud.like(points, random_of())
    drawn = np.concatenate([cloud.draw(random_of(seed)) for seed in range(60)])
    np.testing.assert_allclose(drawn.mean(axis=0), points.mean(axis=0), atol=3e-3)
    np.testing.assert_allclose(drawn.std(axis=0), points.std(axis=0), rtol=0.03)
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(points.T), atol=0.03)


def test_a_cloud_of_two_groups_has_one_peak():
    points, _ = groups((100, 100))
    cloud = Cloud.like(points, random_of())
    drawn = np.concatenate([cloud.draw(random_of(seed))[:, 0] for seed in range(20)])
    shares = [np.histogram(values, 5, (0, 1))[0] / len(values) for values in (points[:, 0], drawn)]
    assert shares[0][2] < 0.01
    # Two peaks at the ends become a plain between them.
    assert shares[1][1:4].min() > 0.15
    assert drawn.mean() == pytest.approx(points[:, 0].mean(), abs=0.02)


def test_a_column_that_does_not_vary_stays_so():
    points = random_of().random((30, 2))
    points[:, 1] = 0.5
    cloud = Cloud.like(points, random_of())
    assert (cloud.draw(random_of())[:, 1] == 0.5).all()
    assert np.isfinite(spearmanr(cloud.draw(random_of(1))[:, 0], points[:, 0])[0])
