"""Units whose invariance and specialization follow from the filters."""

from dataclasses import dataclass

import known_networks as networks
import numpy as np
import pytest
import torch
from known_images import labelled, random_images, vary_down_alone, with_means

import invariscope as inv
from invariscope.transformations.base import Transformation

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))]
QUICK = {"device": "cpu", "replicates": 20, "controls": 1}


def drawn(seed):
    return torch.Generator().manual_seed(seed)


def strengths(run, layers=None):
    """The rows per strength of the rectified units (the outputs may be negative)."""
    units = run.units.dropna(subset="magnitude")
    units = units[~units["negative"]]
    return units if layers is None else units[units["layer"].isin(layers)]


def assert_all(values, value):
    assert len(values)
    assert values.notna().all()
    assert (values == value).all(), values.unique()


@pytest.mark.parametrize("reduce", ["max", "mean", "centre"])
@pytest.mark.parametrize("seed", SEEDS)
def test_filters_summed_over_quarter_turns_are_invariant_to_them(seed, reduce):
    network = networks.rotation_symmetric(
        drawn(seed), (torch.nn.AdaptiveAvgPool2d, torch.nn.AdaptiveMaxPool2d)[seed % 2]
    )
    images = labelled(random_images(seed))
    run = inv.measure(network, images, transformations={"rotation": [-90, 90, 180]}, reduce=reduce, **QUICK)
    units = strengths(run)
    assert set(units["layer"]) == {"1", "5", "output"}
    assert sorted(units["magnitude"].unique()) == [-90, 90, 180]
    driven = units[units["n_active"] > 0]
    assert_all(driven["invariance"], 1)
    assert_all(driven["specialization"], 0)
    assert driven["correlation"].dropna().to_numpy() == pytest.approx(1, abs=1e-6)
    if reduce != "centre":
        assert len(driven) == len(units)


@pytest.mark.parametrize("seed", SEEDS)
def test_their_twins_without_the_sum_are_not(seed):
    """Filters whose columns sum to 0 are silent once an image varies along its rows alone."""
    images = labelled(vary_down_alone(seed))
    at = {"rotation": [-90, 90]}
    plain = strengths(inv.measure(networks.oriented(drawn(seed)), images, transformations=at, **QUICK), ["5"])
    summed = strengths(inv.measure(networks.rotation_symmetric(drawn(seed)), images, transformations=at, **QUICK))
    assert_all(summed["invariance"], 1)
    inside = plain[plain["n_active"] > 0]
    assert inside["invariance"].max() < 0.9
    no_border = torch.nn.Sequential(networks.convolution(networks.oriented_filters(drawn(seed))), torch.nn.ReLU())
    silent = strengths(inv.measure(no_border, images, transformations=at, layers=["1"], **QUICK))
    assert_all(silent["invariance"], 0)
    assert_all(silent["specialization"], -1)


@pytest.mark.parametrize("seed", SEEDS)
def test_filters_that_sum_to_zero_do_not_see_brightness(seed):
    images = labelled(random_images(seed, low=16, high=48))
    grid = [-0.25, -0.125, 0.125, 0.25]
    run = inv.measure(networks.zero_mean(drawn(seed)), images, transformations={"brightness": grid}, **QUICK)
    units = strengths(run)
    assert sorted(units["magnitude"].unique()) == grid
    assert_all(units["invariance"], 1)
    assert_all(units["specialization"], 0)
    assert units["correlation"].to_numpy() == pytest.approx(1, abs=1e-6)
    spread = run.units[run.units["magnitude"].isna()]
    assert_all(spread["transformation_variance"], 0)
    assert_all(spread["normalized_variance"], 0)
    assert_all(run.curves["agreement"], 1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("gain", "invariance", "specialization"), [(0.5, 2 / 3, -1 / 3), (2.0, 2 / 3, 1 / 3), (1.5, 0.8, 0.2)]
)
def test_a_response_that_is_halved_has_two_thirds_invariance(seed, gain, invariance, specialization):
    """Without biases a network answers to g·x with g times the response: I = 1 − |g − 1| / (g + 1)."""
    images = labelled(random_images(seed, high=32))
    run = inv.measure(networks.zero_mean(drawn(seed)), images, transformations={"gain": [gain]}, tau=0.0, **QUICK)
    units = strengths(run)
    assert units["invariance"].to_numpy() == pytest.approx(invariance, abs=1e-6)
    assert units["specialization"].to_numpy() == pytest.approx(specialization, abs=1e-6)
    assert units["correlation"].to_numpy() == pytest.approx(1, abs=1e-6)


@dataclass(frozen=True)
class CircularShift(Transformation):
    """Move each image to the right by a fraction of its width; what leaves comes back on the left."""

    unit_of_measure = "of the width"
    identity = 0.0
    span = (-1.0, 1.0)
    grid = (-0.5, 0.0, 0.125, 0.25)
    smooth = False

    def transform(self, images, magnitude, seeds):
        width = images.shape[-1]
        moved = [image.roll(round(value * width), -1) for image, value in zip(images, magnitude.values, strict=True)]
        return torch.stack(moved)


@pytest.mark.parametrize("pool", [torch.nn.AdaptiveAvgPool2d, torch.nn.AdaptiveMaxPool2d])
@pytest.mark.parametrize("seed", SEEDS)
def test_circular_filters_and_global_pooling_do_not_see_circular_shifts(seed, pool):
    images = labelled(random_images(seed, side=8))
    run = inv.measure(networks.circular(drawn(seed), pool), images, transformations=[CircularShift()], **QUICK)
    units = strengths(run)
    assert sorted(units["magnitude"].unique()) == [-0.5, 0.125, 0.25]
    assert_all(units["invariance"], 1)
    assert_all(units["specialization"], 0)
    assert_all(run.curves["agreement"], 1)
    assert_all(run.verdicts["verdict"], "invariance")
    assert_all(run.thresholds.query("criterion in ('agreement', 'first-flip')")["censored"], True)


def test_single_positions_do_see_circular_shifts():
    images = labelled(random_images(0, side=8))
    run = inv.measure(
        networks.circular(drawn(0)), images, transformations=[CircularShift()], layers=["1"], units="positions", **QUICK
    )
    assert strengths(run)["invariance"].mean() < 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_shifts_that_keep_the_content_inside_change_nothing(seed):
    pixels = torch.zeros(10, 3, 16, 16)
    pixels[:, :, 5:11, 5:11] = random_images(seed, side=6)
    black = inv.Network(networks.padded(drawn(seed)), recipe=inv.Recipe(mean=(0.0,) * 3, std=(1.0,) * 3))
    grid = {"translation-x": [-0.25, 0.125, 0.25], "translation-y": [-0.125, 0.25]}
    run = inv.measure(black, labelled(pixels), transformations=grid, **QUICK)
    units = strengths(run)
    driven = units[units["n_active"] > 0]
    assert driven["invariance"].min() == pytest.approx(1, abs=1e-5)
    assert driven["specialization"].abs().max() == pytest.approx(0, abs=1e-5)


def test_the_normalized_variance_of_a_mean_is_that_of_the_grid_over_that_of_the_images():
    """The unit's response is m + v: its spread over magnitudes is the grid's, over images that of the means."""
    means, grid = np.array([0.25, 0.375, 0.5, 0.4375, 0.3125]), np.array([-0.125, 0.0, 0.0625, 0.25])
    images = inv.Images(with_means(means).numpy(), [0] * 5, ("a", "b"))
    run = inv.measure(networks.linear_unit(), images, transformations={"brightness": grid.tolist()}, **QUICK)
    rows = run.units[(run.units["layer"] == "3") & (run.units["unit"] == 0)]
    [over] = rows[rows["magnitude"].isna()].to_dict("records")
    assert over["transformation_variance"] == pytest.approx(np.std(grid, ddof=1), rel=1e-5)
    assert over["sample_variance"] == pytest.approx(np.std(means, ddof=1), rel=1e-5)
    assert over["normalized_variance"] == pytest.approx(np.std(grid, ddof=1) / np.std(means, ddof=1), rel=1e-5)
    each = rows.dropna(subset="magnitude")
    assert each["clean_variance"].to_numpy() == pytest.approx(np.var(means, ddof=1), rel=1e-5)
    assert each["correlation"].to_numpy() == pytest.approx(1, abs=1e-6)
    for _, row in each.iterrows():
        change = row["magnitude"] / (2 * means + row["magnitude"])
        assert row["invariance"] == pytest.approx(np.mean(1 - np.abs(change)), abs=1e-6)
        assert row["specialization"] == pytest.approx(np.mean(change), abs=1e-6)


def test_a_dead_unit_is_unknown_and_counted():
    images = inv.Images(with_means([0.25, 0.375, 0.5, 0.4375, 0.3125]).numpy(), [0] * 5, ("a", "b"))
    run = inv.measure(networks.linear_unit(), images, transformations={"brightness": [0.125]}, **QUICK)
    here = run.units[run.units["layer"] == "3"]
    dead, constant = here[here["unit"] == 1], here[here["unit"] == 2]
    unknown = ["invariance", "specialization", "null", "correlation", "goodfellow_local", "normalized_variance"]
    for one in (dead, constant):
        assert one[unknown].isna().all(axis=None)
        assert_all(one["clean_variance"].dropna(), 0)
    assert_all(dead["n_active"].dropna(), 0)
    layers = run.layers[run.layers["layer"] == "3"]
    assert_all(layers["n_units"], 3)
    assert_all(layers["n_dead"], 2)
    alive = here[here["unit"] == 0]
    [mean] = layers.loc[layers["measure"] == "invariance", "mean"]
    assert mean == pytest.approx(alive["invariance"].dropna().item(), abs=1e-6)
    [row] = run.verdicts.to_dict("records")
    assert row["n_active"] == 1
