"""What the training loop costs beside a bare one: the same network, batches, transformation and steps.

python benchmarks/training.py [--repeats 7]
"""

import argparse
import copy
import warnings
from collections.abc import Callable

import torch
from common import alternate, ratio, write
from torch import nn

from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.networks.load import load_network
from invariscope.networks.network import Network
from invariscope.training.descent import one_cycle
from invariscope.training.loop import Schedule, train
from invariscope.training.mixture import Mixture, make_parts
from invariscope.training.paradigm import Sampler
from invariscope.transformations.base import TRANSFORMATIONS

CASES = {
    "small-cnn": ("builtin:cnn?channels=1&size=16&classes=60&seed=0", 1, 16, 4096),
    "resnet18": ("torchvision:resnet18?num_classes=60&seed=0&size=32", 3, 32, 960),
}
N_CLASSES, BATCH, MAGNITUDE = 60, 64, 1.0


def sampler_of(labels: torch.Tensor) -> Sampler:
    """Half of the classes are seen transformed."""
    return Sampler(labels, N_CLASSES, tuple(range(0, N_CLASSES, 2)), 0, BATCH)


def ours(network: Network, images: Prepared, labels: torch.Tensor) -> Callable[[], None]:
    """One epoch of `train`."""
    mixture, schedule = Mixture(make_parts("inversion", MAGNITUDE)), Schedule(epochs=1, batch_size=BATCH)

    def work() -> None:
        train(network, images, labels, mixture, sampler_of(labels), schedule, 0)

    return work


def bare(network: Network, images: Prepared, labels: torch.Tensor) -> Callable[[], None]:
    """The same steps as a person would write them, with the batches in memory and torch's own optimiser."""
    module, transformation = network.module, TRANSFORMATIONS["inversion"]()
    batches = [
        (images.batch(draw.indices), labels[draw.indices], draw.n_transformed) for draw in sampler_of(labels).epoch()
    ]

    def work() -> None:
        module.to(memory_format=torch.channels_last).train()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimiser = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, foreach=True)
        total = 0.0
        for step, (pixels, targets, n) in enumerate(batches):
            batch = torch.cat([transformation(pixels[:n], MAGNITUDE), pixels[n:]]) if n else pixels
            inputs = network.recipe.normalise(batch).contiguous(memory_format=torch.channels_last)
            loss = nn.functional.cross_entropy(module(inputs), targets)
            optimiser.param_groups[0]["lr"] = one_cycle(step, len(batches), 0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        module.to(memory_format=torch.contiguous_format).eval()

    return work


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = {}
    for name, (spec, channels, size, count) in CASES.items():
        network = load_network(spec)
        labels = torch.arange(count) % N_CLASSES
        pixels = torch.randint(256, (count, channels, size, size), dtype=torch.uint8)
        images = Images(pixels.numpy(), labels.tolist(), [str(label) for label in range(N_CLASSES)])
        prepared = images.fit(network.recipe)
        works = {
            "ours": ours(network, prepared, labels),
            "bare": bare(copy.deepcopy(network), prepared, labels),
        }
        seconds = alternate(works, options.repeats)
        drawn = sampler_of(labels).steps_per_epoch * BATCH
        result[name] = {
            "images": drawn,
            "size": size,
            "images/s": {work: round(drawn / sorted(found)[len(found) // 2], 1) for work, found in seconds.items()},
            "seconds": seconds,
            "ours/bare": ratio(seconds, "ours", "bare"),
        }
    write("training", result)


if __name__ == "__main__":
    main()
