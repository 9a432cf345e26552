"""A layer's row per measure, and intervals that agree with the full bootstrap."""

import math

import numpy as np
import pytest
import torch

from invariscope.measures.evaluate import Accumulator, evaluate
from invariscope.measures.influence import Influence
from invariscope.measures.layers import dead_units, layer_values, summarise
from invariscope.measures.variances import N_FOLDS, Variances, image_folds
from invariscope.responses.pair import Pair
from invariscope.statistics.resampling import bootstrap_weights, percentile_interval
from measure_world import awkward_pair, groups, reference_of


def ordinary(images=300, units=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    # What units share makes the layer's mean vary between sets of images.
    shared = torch.randn(images, 1, generator=generator)
    clean = (torch.randn(images, units, generator=generator) + shared).relu()
    moved = (clean + 0.7 * torch.randn(images, units, generator=generator) - 0.3 * shared).relu()
    return Pair(clean, moved, moved.roll(1, 0))


def influence_of(pair, weights, cuts=None, **settings):
    seen = Accumulator(reference_of(pair))
    seen.add(pair, weights)
    influence = Influence(seen, len(pair.clean), **settings)
    for rows in torch.arange(len(pair.clean)).split(cuts or len(pair.clean)):
        influence.add(Pair(pair.clean[rows], pair.transformed[rows]), weights[:, rows], rows)
    return influence


def test_a_row_by_hand():
    columns = {
        "invariance": torch.tensor([[0.0, 0.5, 1.0, math.nan], [1.0, math.nan, math.nan, math.nan]]),
        "null": torch.tensor([[0.1, 0.3, math.nan, math.nan], [math.nan] * 4]),
        "n_active": torch.tensor([[3.0, 3.0, 3.0, 0.0], [1.0, 0.0, 0.0, 0.0]]),
        "clean_variance": torch.tensor([[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]),
    }
    floor = torch.tensor([[0.9, 1.0, 0.8, math.nan], [1.0, math.nan, math.nan, math.nan]])
    first, second, *others = summarise(columns, ["all", "seen"], noise_floor=floor)
    assert (first["group"], first["measure"]) == ("all", "invariance")
    assert (first["n_units"], first["n_dead"]) == (4, 2)
    assert [first[name] for name in ("mean", "q25", "median", "q75")] == pytest.approx([0.5, 0.25, 0.5, 0.75])
    assert first["null"] == pytest.approx(0.2)
    assert first["noise_floor"] == pytest.approx(0.9)
    assert math.isnan(first["low"])
    # The variance is no invariance: neither null nor floor is its.
    assert second["measure"] == "clean_variance"
    assert math.isnan(second["null"])
    assert math.isnan(second["noise_floor"])
    assert [row["group"] for row in others] == ["seen", "seen"]
    assert others[0]["n_dead"] == 3
    assert math.isnan(others[0]["null"])


def test_the_size_of_the_specialization_is_a_row_of_its_own():
    columns = {"specialization": torch.tensor([[-1.0, 1.0]]), "n_active": torch.ones(1, 2)}
    signed, size = summarise(columns, ["all"])
    assert (signed["measure"], signed["mean"]) == ("specialization", 0)
    assert (size["measure"], size["mean"]) == ("absolute_specialization", 1)


def test_all_measures_have_a_row(pair):
    rows = summarise(evaluate(pair, reference_of(pair), groups(90)), ["all", "seen", "unseen"])
    assert len(rows) == 3 * 9
    assert {row["n_dead"] for row in rows if row["group"] == "all"} == {4}


def test_dead_is_never_active_or_without_variance():
    found = dead_units(evaluate(pair := awkward_pair(), reference_of(pair), torch.ones(1, 90)))
    # Dead, constant, constant but for rounding, and silent on every clean image.
    assert found[0].nonzero().flatten().tolist() == [4, 5, 6, 8]
    assert dead_units({"sample_variance": torch.tensor([[0.0, 1.0, math.nan]])}).tolist() == [[True, False, False]]


@pytest.mark.parametrize("row", [0, 1])
def test_intervals_agree_with_the_full_bootstrap(row):
    pair, weights = ordinary(), groups(300, rows=2)
    times = bootstrap_weights(300, 2000, seed=1)
    fast = influence_of(pair, weights).intervals(times)["all"]
    full = layer_values(evaluate(pair, reference_of(pair), times * weights[row]))
    assert fast.keys() == full.keys()
    for measure, values in full.items():
        low, high = percentile_interval(values.nanmean(1))
        width = (high - low).item()
        # Same draws: what differs is the curvature, which is small in 300 images.
        assert fast[measure][0][row].item() == pytest.approx(low.item(), abs=0.12 * width), measure
        assert fast[measure][1][row].item() == pytest.approx(high.item(), abs=0.12 * width), measure


def test_batches_and_layers_do_not_change_an_interval():
    pair, weights, times = ordinary(), groups(300), bootstrap_weights(300, 100, seed=1)
    layers = {"first": slice(0, 13), "second": slice(13, 40)}
    together = influence_of(pair, weights, cuts=77, layers=layers).intervals(times)
    for layer, part in layers.items():
        few = Pair(pair.clean[:, part], pair.transformed[:, part])
        apart = influence_of(few, weights).intervals(times)["all"]
        for measure, (low, high) in apart.items():
            torch.testing.assert_close(together[layer][measure][0], low, rtol=1e-6, atol=1e-7)
            torch.testing.assert_close(together[layer][measure][1], high, rtol=1e-6, atol=1e-7)


def test_influences_add_up_to_nothing():
    # Drawing every image once more changes no mean or share, to first order or at all.
    pair, weights = ordinary(), groups(300)
    twice = influence_of(pair, weights).intervals(torch.full((1, 300), 2.0))["all"]
    means = {name: one.nanmean(1) for name, one in layer_values(evaluate(pair, reference_of(pair), weights)).items()}
    for measure, (low, _) in twice.items():
        # The variance divides by n − 1, which does change.
        torch.testing.assert_close(low, means[measure], rtol=1e-2 if measure == "clean_variance" else 1e-5, atol=1e-6)


def test_what_does_not_vary_has_an_interval_of_no_width(pair):
    clean = Pair(pair.clean, pair.clean)
    low, high = influence_of(clean, groups(90)).intervals(bootstrap_weights(90, 50, seed=0))["all"]["invariance"]
    assert torch.equal(low, torch.ones(3, dtype=torch.float64))
    assert torch.equal(high, low)


def test_awkward_units_leave_the_interval_finite_and_around_the_mean(pair):
    weights = groups(90)
    found = influence_of(pair, weights).intervals(bootstrap_weights(90, 200, seed=0))["all"]
    for row in summarise(evaluate(pair, reference_of(pair), weights), ["a", "b", "c"], found):
        assert row["low"] <= row["mean"] <= row["high"], row


def test_a_layer_of_silent_units_has_no_interval():
    silent = Pair(torch.zeros(10, 3), torch.zeros(10, 3))
    found = influence_of(silent, torch.ones(1, 10)).intervals(bootstrap_weights(10, 50, seed=0))["all"]
    assert found["invariance"][0].isnan().all()
    assert found["correlation"][1].isnan().all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    truth = evaluate(many := ordinary(60_000, 6, seed=99), reference_of(many), torch.ones(1, 60_000))
    # The peak grows with the number of images; correlation and variance do not depend on it.
    covered = {"correlation": 0, "clean_variance": 0}
    times = bootstrap_weights(150, 200, seed=3)
    for trial in range(60):
        pair = ordinary(150, 6, seed=trial)
        found = influence_of(pair, torch.ones(1, 150)).intervals(times)["all"]
        for measure in covered:
            low, high = (end.item() for end in found[measure])
            covered[measure] += low <= truth[measure].mean().item() <= high
    assert all(0.85 <= hits / 60 <= 1 for hits in covered.values()), covered


def test_intervals_of_variances_agree_with_a_bootstrap_over_images():
    generator = torch.Generator().manual_seed(8)
    shared = torch.randn(400, 1, generator=generator)
    sweep = torch.randn(4, 400, 30, generator=generator) * shared.abs() + shared
    weights = groups(400, rows=2)
    seen, full = Variances(sweep[0], weights, image_folds(400)), Variances(sweep[0], bootstrap_weights(400, 400, 5))
    plain = Variances(sweep[0], weights)
    for responses in sweep[1:]:
        for one in (seen, full, plain):
            one.add(responses)
    for name, values in seen.finish().items():
        torch.testing.assert_close(values, plain.finish()[name], rtol=1e-6, atol=0)
    found = seen.intervals({"early": slice(0, 10), "late": slice(10, 30)}, seed=1)
    for layer, part in (("early", slice(0, 10)), ("late", slice(10, 30))):
        for name, values in full.finish().items():
            low, high = percentile_interval(values[:, part].nanmean(1))
            mean = plain.finish()[name][0, part].nanmean()
            assert found[layer][name][0][0] < mean < found[layer][name][1][0]
            width = found[layer][name][1][0] - found[layer][name][0][0]
            # Twenty-five folds know the width to about 1/√48 each way.
            assert 0.55 < (width / (high - low)).item() < 1.6, (layer, name)


def test_folds_are_as_large_as_can_be():
    sizes = np.bincount(image_folds(110, seed=3).numpy(), minlength=N_FOLDS)
    assert set(sizes) == {4, 5}
    assert not torch.equal(image_folds(110, seed=3), image_folds(110, seed=4))
