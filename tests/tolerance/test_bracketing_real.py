"""A real network under rotation: as the dense sweep has it for 99 of 100 images, in a third of its passes."""

from pathlib import Path

import numpy as np
import pytest

from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.tolerance.search import find_thresholds
from search_world import dense, first_flips


@pytest.mark.slow
def test_real_images_flip_where_the_dense_sweep_says(shared_data: Path) -> None:
    weights = shared_data / "weights" / "cifar10_resnet20.safetensors"
    network = load_network(f"builtin:cifar-resnet20?weights={weights}")
    images = load_images(str(shared_data / "cifar10" / "lossless_test1000.parquet")).limit(100, 0)
    how = {"resolution": {"rotation": 1}, "within": {"rotation": (-180, 180)}}
    found = find_thresholds(network, images, "rotation", **how, replicates=20)
    sweep = dense(network, images, "rotation", 1.0, (-180, 180))
    rows, same = found.images[found.images["criterion"] == "first-flip"], []
    for side, outer in (("+", "bracket_high"), ("-", "bracket_low")):
        ends = np.array([sweep.magnitudes[place] for place in sweep.side(side)] + [np.nan])
        same.append(np.isclose(ends[first_flips(sweep, side)], rows.loc[rows["side"] == side, outer], equal_nan=True))
    assert np.mean(same) >= 0.99
    assert found.ratio <= 1 / 3
