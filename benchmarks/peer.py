"""The same numbers as the closest peer (tmeasures), unit by unit, and what they cost.

python benchmarks/peer.py --peer-python PATH/TO/PEER/python [--images 32] [--size 64] [--batch 32]

The peer is copyleft: it is run from an environment of its own (`pip install tmeasures==1.2.11 statsmodels torch
torchvision`), never imported here. Both halves take the same network, images and quarter turns, one thread.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from common import alternate, ratio, write
from torch import Tensor

from invariscope.images.images import Images
from invariscope.measures.variances import Variances
from invariscope.networks.network import as_network
from invariscope.networks.sites import find_sites
from invariscope.responses.recorder import Recorder, Strength
from invariscope.transformations.base import TRANSFORMATIONS


def network() -> torch.nn.Module:
    """The peer's network: the same seed, nothing in place."""
    import torchvision

    torch.manual_seed(0)
    net = torchvision.models.resnet18(num_classes=10).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
    # `out += identity` would overwrite what the peer has recorded at the second batch normalisation.
    torchvision.models.resnet.BasicBlock.forward = out_of_place
    return net


def out_of_place(block, x):
    """A basic block whose sum is not in place."""
    out = block.bn2(block.conv2(block.relu(block.bn1(block.conv1(x)))))
    return block.relu(out + (x if block.downsample is None else block.downsample(x)))


def site_of(peer_name: str) -> str:
    """ "/layer1/BasicBlock_0/conv1" is "layer1.0.conv1"."""
    return re.sub(r"[A-Za-z]+_(\d+)", r"\1", peer_name.strip("/")).replace("/", ".")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "peer.npz"
        numbers = [f"--{name}={getattr(options, name)}" for name in ("images", "size", "batch")]
        script = Path(__file__).with_name("peer_side.py")
        subprocess.run([options.peer_python, str(script), *numbers, "--out", str(file)], check=True)
        with np.load(file) as loaded:
            peer = {name: loaded[name] for name in loaded.files}
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(options.images, 3, options.size, options.size, generator=generator)
    net = as_network(network())
    prepared = Images(images).fit(net.recipe)
    theirs = {site_of(name.removeprefix("value/")): peer[name] for name in peer if name.startswith("value/")}
    # The same sites: a module that is called twice keeps only its last call in the peer's record.
    named = find_sites(net, images[:1])
    sites = [site for site in named if site.name in theirs or site.name.removesuffix("#2") in theirs]
    twice = {site.name.removesuffix("#2") for site in sites if site.name.endswith("#2")}
    order = torch.arange(options.images)
    recorder = Recorder(net, prepared, sites, order, options.batch, torch.device("cpu"), "positions")
    rotation = TRANSFORMATIONS["rotation"]()
    turns = [Strength(rotation, angle, 0) for angle in (90.0, 180.0, -90.0)]
    columns = recorder.columns()
    found: dict[str, Tensor] = {}

    def ours() -> None:
        seen: Variances | None = None
        weights = torch.ones(1, options.images)
        for rows, indices, batch in recorder.batches():
            clean, moved = (torch.empty(len(indices), columns.total) for _ in range(2))
            recorder.forward(batch, clean)
            here = Variances(clean, weights[:, rows])
            for turn in turns:
                recorder.forward(turn(batch, indices), moved)
                here.add(moved)
            seen = here if seen is None else seen.merge(here)
        assert seen is not None
        found.update(seen.finish())

    @torch.no_grad()
    def bare() -> None:
        for _, indices, batch in recorder.batches():
            net(batch)
            for turn in turns:
                net(turn(batch, indices))

    seconds = alternate({"bare": bare, "ours": ours}, repeats=5)
    deviations, compared = {}, 0
    for name, part in columns.items():
        if name in twice or name.removesuffix("#2") not in theirs:
            continue
        mine, other = found["normalized_variance"][0, part].numpy(), theirs[name.removesuffix("#2")].ravel()
        known = np.isfinite(mine) & np.isfinite(other)
        deviations[name] = float(np.max(np.abs(mine[known] / other[known] - 1)))
        compared += int(known.sum())
    worst = max(deviations, key=lambda name: deviations[name])
    peer_ratio = [float(b / a) for a, b in zip(peer["bare"][:, 1], peer["peer"][:, 1], strict=True)]
    ours_ratio = ratio(seconds, "ours", "bare")
    write(
        "peer",
        {
            "images": options.images,
            "size": options.size,
            "transformations": 4,
            "sites": len(sites),
            "units": columns.total,
            "compared_units": compared,
            "largest_relative_deviation": deviations[worst],
            "largest_at": worst,
            "peer/bare": {"median": float(np.median(peer_ratio)), "min": min(peer_ratio), "max": max(peer_ratio)},
            "ours/bare": ours_ratio,
            "times_cheaper": float(np.median(peer_ratio)) / ours_ratio["median"],
            "peer_seconds": peer["peer"][:, 1].tolist(),
            "ours_seconds": seconds["ours"],
        },
    )


if __name__ == "__main__":
    main()
