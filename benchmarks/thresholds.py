"""Thresholds by bracketing against the dense sweep at the same resolution, and against a public per-image search.

python benchmarks/thresholds.py --network SPECIFIER --images SPECIFIER [--peer-python PATH/TO/PEER/python]

Every transformation once: forward passes, CPU seconds, and the share of images and of rows of the table that come out
as the dense sweep has them. The peer (foolbox 3.3.4, `pip install foolbox torch`) is run from an environment of its
own on the one family both have, a fading to mid-grey, x + e (1/2 - x): its search by halves and its search by steps.
Its model is a module that this script writes to a temporary file with `torch.jit.trace`; both halves take the same
network, images and steps, one thread.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import write

from invariscope.core.seeds import image_seeds
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.search import Found, find_thresholds
from invariscope.tolerance.search_steps import outward_sides
from invariscope.tolerance.thresholds import thresholds
from invariscope.transformations.brightness import Brightness
from invariscope.transformations.chain import Chain
from invariscope.transformations.contrast import Gain

CASES = {
    "rotation": (1.0, (-180.0, 180.0)),
    "brightness": (0.005, None),
    "gaussian-noise": (0.002, None),
    "translation-x": (0.005, None),
}
REPLICATES = 20


def dense(network, prepared, ways, batch: int) -> Sweep:
    """Every image at every step."""
    family = ways[0].family.with_fill(network.recipe.fill)
    magnitudes = sorted({float(value) for way in ways for value in way.magnitudes})
    outputs = []
    for value in magnitudes:
        rows = []
        for indices, images in prepared.batches(batch, network.device):
            seeds = image_seeds(indices, 0, family.name) if family.random else None
            with torch.no_grad():
                rows.append(network(family(images, value, seeds=seeds)))
        outputs.append(torch.cat(rows))
    labels = torch.as_tensor(prepared.labels)
    unit, identity = family.unit_of_measure, family.identity
    return Sweep(family.name, tuple(magnitudes), identity, unit, torch.stack(outputs), labels, prepared.classes)


def equal_images(found: Found, sweep: Sweep) -> dict[str, float]:
    """The share of images and sides whose first step below is that of the dense sweep, by criterion."""
    clean, shares = sweep.softmax_true[sweep.clean], {}
    lows = {("first-flip", None): sweep.agreement < 1}
    lows |= {("softmax", level): sweep.softmax_true < level * clean - 1e-9 * clean for level in (0.9, 0.5)}
    for (criterion, level), low in lows.items():
        rows = found.images[found.images["criterion"] == criterion]
        rows = rows if level is None else rows[rows["level"] == level]
        same = []
        for side in rows["side"].unique():
            places = sweep.side(side)
            ends = np.array([sweep.magnitudes[place] for place in places] + [np.nan])
            first = np.where(low[places].any(0), low[places].argmax(0), len(places))
            outer = rows.loc[rows["side"] == side, "bracket_high" if side == "+" else "bracket_low"].to_numpy()
            same.append(np.isclose(ends[first], outer, equal_nan=True))
        shares[criterion if level is None else f"{criterion} {level}"] = float(np.mean(same))
    return shares


def equal_rows(found: Found, sweep: Sweep) -> dict[str, float]:
    """The share of rows of the table of classes that equal those of the dense sweep."""
    ours, theirs = found.thresholds, thresholds(sweep, replicates=REPLICATES)
    keys = ["class", "criterion", "level", "side"]
    assert (ours[keys] == theirs[keys]).all(axis=None)
    same = np.isclose(ours["threshold"], theirs["threshold"], atol=1e-6, equal_nan=True)
    same &= (ours["censored"] == theirs["censored"]).to_numpy()
    return {"rows": len(ours), "share": float(same.mean())}


def against_dense(network, images, prepared, name: str, batch: int) -> dict[str, object]:
    resolution, ends = CASES[name]
    how = {"resolution": {name: resolution}, "within": None if ends is None else {name: ends}}
    start = time.process_time()
    found = find_thresholds(network, images, [name], **how, batch_size=batch, replicates=REPLICATES)
    bracketing = time.process_time() - start
    ways = outward_sides([name], (prepared.height, prepared.width), how["resolution"], how["within"])
    start = time.process_time()
    sweep = dense(network, prepared, ways, batch)
    swept = time.process_time() - start
    return {
        "images": len(prepared),
        "resolution": resolution,
        "steps": len(sweep.magnitudes) - 1,
        "passes": found.passes,
        "dense_passes": found.dense_passes,
        "ratio": found.ratio,
        "seconds": bracketing,
        "dense_seconds": swept,
        "seconds_ratio": bracketing / swept,
        "equal_images": equal_images(found, sweep),
        "equal_rows": equal_rows(found, sweep),
    }


def against_peer(network, prepared, python: str, batch: int, steps: int) -> dict[str, object]:
    """First flips while an image fades to mid-grey."""
    pixels, labels = prepared.batch(range(len(prepared))), torch.as_tensor(prepared.labels)
    family = Chain((Gain(), 0.0), (Brightness(), 0.5))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with torch.no_grad():
            torch.jit.trace(Whole(network), pixels[:2], check_trace=False).save(str(place / "network.pt"))
            clean = torch.cat([network(part) for part in pixels.split(batch)]).argmax(1)
        np.savez(place / "images.npz", pixels=pixels.numpy(), labels=labels.numpy(), clean=clean.numpy())
        script = Path(__file__).with_name("thresholds_peer.py")
        numbers = ["--steps", str(steps), "--batch", str(batch), "--folder", folder]
        subprocess.run([python, str(script), *numbers], check=True)
        with np.load(place / "peer.npz") as loaded:
            peer = {name: loaded[name] for name in loaded.files}
    start = time.process_time()
    found = find_thresholds(
        network,
        Images(pixels, labels.numpy(), prepared.classes),
        [family],
        resolution={family.name: 1 / steps},
        criteria=["first-flip"],
        batch_size=batch,
        replicates=REPLICATES,
    )
    seconds = time.process_time() - start
    ours = found.images["bracket_high"].to_numpy()
    # The peer's step search looks at the steps from 0 to one before the last; 1 stands for never.
    first = np.where(np.isnan(ours) | (ours > 1 - 0.5 / steps), 1.0, ours)
    result = {"images": len(prepared), "steps": steps, "ours": {"passes": found.passes, "seconds": seconds}}
    for name in ("by_halves", "by_steps"):
        same = np.isclose(first, peer[name], atol=0.25 / steps)
        result[name] = {
            "passes": int(peer[f"{name}_passes"]),
            "seconds": float(peer[f"{name}_seconds"]),
            "equal": float(same.mean()),
            "ours_nearer": float((first < peer[name] - 0.25 / steps).mean()),
            "ours_further": float((first > peer[name] + 0.25 / steps).mean()),
        }
    return result


class Whole(torch.nn.Module):
    """Normalisation and network as one module."""

    def __init__(self, network) -> None:
        super().__init__()
        self.network, self.module = network, network.module.eval()

    def forward(self, images):
        return self.network(images)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--limit", type=int, default=1000, help="images of the first transformation")
    parser.add_argument("--others", type=int, default=300, help="images of the others and of the peer")
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--peer-python")
    parser.add_argument("--peer-steps", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(options.network)
    result: dict[str, object] = {"network": Path(options.network.partition("?")[0]).name}
    for name in CASES:
        images = load_images(options.images).limit(options.limit if name == "rotation" else options.others, 0)
        result[name] = against_dense(network, images, images.fit(network.recipe), name, options.batch)
        print(name, result[name], flush=True)
    if options.peer_python:
        prepared = load_images(options.images).limit(options.others, 0).fit(network.recipe)
        result["peer"] = against_peer(network, prepared, options.peer_python, options.batch, options.peer_steps)
    write("thresholds", result)


if __name__ == "__main__":
    main()
