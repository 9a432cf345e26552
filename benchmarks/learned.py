"""What a step of the transformer net's training costs beside the network's bare passes on the same batches.

python benchmarks/learned.py [--repeats 5] [--steps 10]
"""

import argparse
from collections.abc import Callable

import torch
from common import alternate, ratio, write
from torch import nn

from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.learned.checkpoint import Keeper
from invariscope.learned.module import TransformerNet
from invariscope.learned.responses import make_objective
from invariscope.learned.settings import HEADS, LearnSettings
from invariscope.learned.training import Training
from invariscope.networks.load import load_network
from invariscope.networks.memory_format import channels_last
from invariscope.networks.network import Network

BATCH, COUNT, SIZE = 64, 640, 32


def ours(network: Network, images: Prepared, heads: tuple[str, ...], gate: float, steps: int) -> Callable[[], object]:
    """Steps that all enlarge (a gate below every accuracy) or all repair (one above)."""
    settings = LearnSettings(heads=heads, steps=steps, batch_size=BATCH, target="agreement")
    objective = make_objective(network, images, settings)

    def work() -> object:
        net = TransformerNet(tuple(settings.heads), fill=network.recipe.fill)
        training = Training(net, network, images, objective, objective.places, settings, 0)
        training.gate = gate
        return training.run(Keeper(None, {}))

    return work


def bare(network: Network, images: Prepared, backward: bool, steps: int) -> Callable[[], object]:
    """The network on batches in memory, and the gradient of the loss in the images."""
    batches = [images.batch(range(start, start + BATCH)) for start in range(0, COUNT, BATCH)]
    labels = torch.zeros(BATCH, dtype=torch.int64)

    def work() -> None:
        network.module.requires_grad_(False)
        with channels_last(network, batches[0][:2]), torch.set_grad_enabled(backward):
            for step in range(steps):
                shown = batches[step % len(batches)].requires_grad_(backward)
                loss = nn.functional.cross_entropy(network(shown), labels)
                if backward:
                    torch.autograd.grad(loss, shown)
        network.module.requires_grad_(True)

    return work


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network("builtin:cifar-resnet20?seed=0")
    images = Images(torch.randint(256, (COUNT, 3, SIZE, SIZE), dtype=torch.uint8).numpy()).fit(network.recipe)
    works = {
        "forward": bare(network, images, False, options.steps),
        "forward and backward": bare(network, images, True, options.steps),
    }
    for name, heads in (("two heads", ("colour", "spatial")), ("four heads", HEADS)):
        works[f"enlarging, {name}"] = ours(network, images, heads, -1.0, options.steps)
        works[f"repairing, {name}"] = ours(network, images, heads, 2.0, options.steps)
    seconds = alternate(works, options.repeats)
    result: dict[str, object] = {"network": network.spec, "batch": BATCH, "size": SIZE, "steps": options.steps}
    for name in ("two heads", "four heads"):
        result[f"enlarging, {name} / forward"] = ratio(seconds, f"enlarging, {name}", "forward")
        result[f"repairing, {name} / forward and backward"] = ratio(
            seconds, f"repairing, {name}", "forward and backward"
        )
    write("learned", result | {"seconds": seconds})


if __name__ == "__main__":
    main()
