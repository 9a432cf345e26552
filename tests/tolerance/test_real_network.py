"""Thresholds of a real network against those of an independent prototype, which read them off its own sweep."""

import pytest
import torch

from invariscope.images.labels import match_labels
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.thresholds import thresholds
from invariscope.transformations.base import TRANSFORMATIONS

# The prototype turned clockwise. Its accuracies: rotation .80 .79 .77 .70 .59 .38, blur .80 .81 .82 .64 .34.
SWEEPS = {
    "rotation": ((-30.0, -20.0, -15.0, -10.0, -5.0, 0.0), "-", -13.3, -28.9, 0.1),
    "gaussian-blur": ((0.0, 0.3, 0.5, 0.7, 1.0), "+", 0.604, 0.936, 0.002),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SWEEPS)
def test_thresholds_of_a_cifar_network(shared_data, name):
    magnitudes, side, nine_tenths, half, tolerance = SWEEPS[name]
    weights = shared_data / "weights" / "cifar10_resnet20.safetensors"
    network = load_network(f"builtin:cifar-resnet20?weights={weights}")
    images = load_images(str(shared_data / "cifar10" / "test-00000-of-00001.parquet"))
    prepared = images.subset(range(1000)).fit(network.recipe)
    transformation = TRANSFORMATIONS[name]().with_fill(network.recipe.fill)
    with torch.no_grad():
        outputs = torch.stack(
            [
                torch.cat([network(transformation(batch, magnitude)) for _, batch in prepared.batches(250)])
                for magnitude in magnitudes
            ]
        )
    matching = match_labels(prepared, network, 10)
    sweep = Sweep(name, magnitudes, 0.0, transformation.unit_of_measure, outputs, matching.labels, matching.names)
    assert sweep.correct is not None
    assert sweep.correct[sweep.clean].mean() == pytest.approx(0.804, abs=0.001)
    table = thresholds(sweep)
    found = table[(table["class"] == "all") & (table.criterion == "accuracy") & (table.side == side)]
    assert found.threshold.tolist() == pytest.approx([nine_tenths, half], abs=tolerance)
    first = found.iloc[0]
    assert first.low < first.threshold < first.high
