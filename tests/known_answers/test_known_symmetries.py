"""What must not change a number: batches, the order of the images, and the name of a unit that has one position."""

import itertools

import known_networks as networks
import numpy as np
import pandas as pd
import pytest
import torch
from known_images import labelled, random_images

import invariscope as inv

QUICK = {"device": "cpu", "replicates": 20, "controls": 1}
GRIDS = {"rotation": [-30, 45, 90], "gaussian-noise": [0.2], "brightness": [0.25]}
# Pairs for the null, and images for the bootstrap, are drawn by place.
BY_PLACE = ["null", "low", "high"]


def drawn(seed):
    return torch.Generator().manual_seed(seed)


def measured(images, instance=0, grids=GRIDS, **settings):
    return inv.measure(networks.whole_image(drawn(instance)), images, transformations=grids, **QUICK | settings)


def assert_same(first, second, keys, leave=(), tolerance=1e-6):
    first, second = (table.drop(columns=list(leave)).sort_values(keys, ignore_index=True) for table in (first, second))
    assert len(first)
    pd.testing.assert_frame_equal(first, second, check_exact=False, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_positions_are_channels_where_a_map_has_one(seed):
    images = labelled(random_images(seed, 15, side=5))
    settings = {"layers": ["1", "4"], "group_classes": ["zero"], "seed": seed}
    channels = measured(images, seed, **settings)
    positions = measured(images, seed, units="positions", **settings)
    keys = ["layer", "unit", "transformation", "magnitude", "group"]
    assert_same(channels.units, positions.units, keys, tolerance=2e-6)
    for name in ("curves", "predictions", "softmax", "thresholds"):
        pd.testing.assert_frame_equal(getattr(channels, name), getattr(positions, name))


@pytest.mark.parametrize("units", ["channels", "positions"])
def test_batches_do_not_matter(units):
    images = labelled(random_images(3, 21, side=5))
    settings = {"layers": ["1", "output"], "units": units, "negative": "rectify"}
    runs = [measured(images, batch_size=size, **settings) for size in (2, 7)]
    for one, other in itertools.pairwise(runs):
        assert_same(one.units, other.units, ["layer", "unit", "transformation", "magnitude"], tolerance=2e-6)
        assert_same(one.layers, other.layers, ["layer", "measure", "transformation", "magnitude"], tolerance=2e-6)
        assert_same(one.curves, other.curves, ["transformation", "magnitude", "class"])
        assert_same(one.thresholds, other.thresholds, ["transformation", "class", "criterion", "level", "side"])


def test_the_order_of_the_images_does_not_matter():
    images = labelled(random_images(4, 21, side=5), ("a", "b", "c", "d"))
    order = np.random.Generator(np.random.PCG64(7)).permutation(21)
    # Noise follows an image's place, so that transformations without noise alone stay the same.
    grids = {name: grid for name, grid in GRIDS.items() if name != "gaussian-noise"}
    names = ("one", "two")
    images.labels, images.classes = images.labels % 2, names
    one, other = (measured(some, grids=grids) for some in (images, images.subset(order)))
    keys = ["layer", "measure", "transformation", "magnitude"]
    assert_same(one.layers, other.layers, keys, BY_PLACE)
    assert_same(one.units, other.units, ["layer", "unit", "transformation", "magnitude"], ["null"], 2e-6)
    assert_same(one.predictions, other.predictions, ["transformation", "magnitude", "class", "predicted"])
    drawn_by_place = [name for name in one.curves if name.endswith(("_low", "_high"))]
    assert_same(one.curves, other.curves, ["transformation", "magnitude", "class"], drawn_by_place)
    keys = ["transformation", "class", "criterion", "level", "side"]
    assert_same(one.thresholds, other.thresholds, keys, ["low", "high"])


def test_the_same_call_gives_the_same_bytes(tmp_path):
    images = labelled(random_images(5, 12, side=5))
    for name in ("one", "other"):
        measured(images, out=tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.parquet"))
    assert len(files) == 8
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_another_seed_gives_other_nulls_and_the_same_coefficients():
    images = labelled(random_images(5, 12, side=5))
    one, other = (measured(images, grids={"rotation": [90]}, seed=seed) for seed in (0, 9))
    assert_same(one.units, other.units, ["layer", "unit", "transformation", "magnitude"], ["null"], 2e-6)
    assert not one.units["null"].equals(other.units["null"])
