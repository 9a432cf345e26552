import numpy as np
import pytest

from invariscope.tolerance import resample
from invariscope.tolerance.outputs import Groups
from invariscope.tolerance.resample import draws, interval, resampled_means


def collect(values, groups, **settings):
    found = {}
    for block, means in resampled_means(values, groups, **settings):
        found |= dict(zip(block.tolist(), means, strict=True))
    return found


def test_weights_are_shares_of_draws():
    (weights,) = draws(7, 50, seed=3)
    assert weights.shape == (50, 7)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights * 7, np.rint(weights * 7))


def test_parts_make_the_same_weights_as_the_whole(monkeypatch):
    (whole,) = draws(7, 50, seed=3)
    monkeypatch.setattr(resample, "_BLOCK", 70)
    parts = list(draws(7, 50, seed=3))
    assert len(parts) == 5
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_blocks_do_not_matter(monkeypatch):
    generator = np.random.default_rng(0)
    values, groups = generator.random((60, 3)), Groups.of(np.arange(60) % 20, None)
    whole = collect(values, groups, replicates=20)
    monkeypatch.setattr(resample, "_BLOCK", 200)
    parts = collect(values, groups, replicates=20)
    assert whole.keys() == parts.keys() == set(range(21))
    for row in whole:
        np.testing.assert_allclose(parts[row], whole[row])


def test_a_row_equals_brute_force_over_its_own_images():
    generator = np.random.default_rng(0)
    values, labels = generator.random((30, 2)), generator.integers(0, 3, 30)
    groups = Groups.of(labels, None)
    found = collect(values, groups, replicates=40, seed=5)
    for row, members in enumerate(groups.members):
        picks = np.random.Generator(np.random.PCG64(5)).integers(0, len(members), (40, len(members)))
        expected = np.array([values[members[pick]].mean(axis=0) for pick in picks])
        np.testing.assert_allclose(found[row], expected)


def test_single_images_have_no_replicates():
    groups = Groups.of(np.array([0, 1, 1]), None)
    assert set(collect(np.zeros((3, 1)), groups)) == {0, 2}


def test_spread_is_the_standard_error():
    values = np.random.default_rng(1).normal(size=(400, 1))
    means = collect(values, Groups.of(np.zeros(400, dtype=int), None), replicates=2000)[0]
    assert means.std() == pytest.approx(values.std() / 20, rel=0.06)


def test_interval_by_hand():
    low, high = interval(np.arange(1000.0)[None, :, None])
    assert (low.item(), high.item()) == (24, 975)


def test_interval_keeps_infinite_ends_and_leaves_out_the_unknown():
    replicates = np.array([1.0] * 90 + [np.inf] * 10)[None, :, None]
    assert [end.item() for end in interval(replicates)] == [1, np.inf]
    replicates[0, :40] = np.nan
    assert [end.item() for end in interval(replicates)] == [1, np.inf]
    replicates[0, :51] = np.nan
    assert np.isnan([end.item() for end in interval(replicates)]).all()
