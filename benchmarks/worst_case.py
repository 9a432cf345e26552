"""The worst rotation and translation of every image: the same grid as a public attack, and what each costs.

PEER/bin/python benchmarks/worst_case.py --network SPEC --images SPEC [--limit 1000] [--rotations 5] [--translations 5]

Runs in an environment that has both Invariscope and the peer, foolbox 3.3.4 (MIT), whose SpatialAttack with
grid_search asks every image of a batch at every point until all are fooled. Both get the same module, images and
batches of 100, one thread.

The peer turns and moves in one affine map, (x, y) ↦ R(x, y) + t, about the centre of the corner pixels' centres, and
fills with zeros. It divides a shift in pixels by n/2 where its own coordinates are (n − 1)/2 wide, so what it calls t
pixels is t (n − 1)/n. Here that is the chain translation-x, translation-y, rotation with fill zero, and a reach of
t (n − 1)/n² of the width; left and right are exchanged, which a grid that is the same on both sides does not see.
"""

import argparse
import time
from typing import Any

import foolbox
import torch
from common import write
from torch import Tensor, nn

from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.networks.network import Network
from invariscope.tolerance.examination import Examination
from invariscope.tolerance.worst_case import worst_case

BATCH = 100


class Counted(nn.Module):
    """A network from [0, 1] images to logits that counts what it is shown."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.inner, self._network, self.passes = network.module, network, 0

    def forward(self, images: Tensor) -> Tensor:
        self.passes += len(images)
        return self._network(images)


def timed(work: Any) -> tuple[Any, float]:
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--rotation", type=float, default=30.0)
    parser.add_argument("--pixels", type=float, default=3.0)
    parser.add_argument("--rotations", type=int, default=5)
    parser.add_argument("--translations", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(options.network)
    prepared = load_images(options.images).limit(options.limit).fit(network.recipe)
    size = prepared.width
    assert prepared.height == size, "the peer scales both axes alike on square images only"
    reach = options.pixels * (size - 1) / size**2
    region = {"translation-x": reach, "translation-y": reach, "rotation": options.rotation}
    steps = {
        "translation-x": options.translations,
        "translation-y": options.translations,
        "rotation": options.rotations,
    }
    labels = Examination(network, prepared, batch_size=BATCH).labels
    settings: dict[str, Any] = {"fill": "zero", "batch_size": BATCH}

    def ours() -> Any:
        return worst_case(network, prepared, region, method="grid", steps=steps, draws=0, **settings)

    counted = Counted(network).eval()
    model = foolbox.PyTorchModel(counted, bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.SpatialAttack(
        max_translation=options.pixels,
        max_rotation=options.rotation,
        num_translations=options.translations,
        num_rotations=options.rotations,
        grid_search=True,
    )

    @torch.no_grad()
    def peer() -> Tensor:
        rows = torch.arange(len(prepared)).split(BATCH)
        return torch.cat([attack(model, prepared.batch(part), labels[part])[2] for part in rows])

    def both() -> Any:
        return worst_case(network, prepared, region, method="both", steps=3, **settings)

    mine, my_seconds = timed(ours)
    theirs, their_seconds = timed(peer)
    more, more_seconds = timed(both)
    fooled = torch.from_numpy(mine.worst["fooled"].to_numpy().copy())
    apart = (fooled != theirs).nonzero()[:, 0].tolist()
    # The attack checks its result once more: one pass for each image.
    shown = counted.passes - len(prepared)
    write(
        "worst_case",
        {
            "images": len(prepared),
            "points": options.rotations * options.translations**2,
            "region": {"rotation": options.rotation, "pixels": options.pixels},
            "clean": float(mine.remaining["clean"][0]),
            "remaining": {"ours": float(mine.remaining["worst"][0]), "peer": float((~theirs).double().mean())},
            "same answer": int((fooled == theirs).sum()),
            "apart": apart,
            "margins apart": mine.worst["margin"][apart].tolist(),
            "passes": {"ours": mine.passes, "peer": shown},
            "times fewer passes": shown / mine.passes,
            "seconds": {"ours": my_seconds, "peer": their_seconds},
            "times faster": their_seconds / my_seconds,
            "both": {
                "points": 27,
                "remaining": float(more.remaining["worst"][0]),
                "random": float(more.remaining["random"][0]),
                "passes": more.passes + more.comparison_passes,
                "gradients": more.gradients,
                "seconds": more_seconds,
            },
            "foolbox": foolbox.__version__,
        },
    )


if __name__ == "__main__":
    main()
