"""The peer's half of `benchmarks/thresholds.py`: runs in the peer's own environment, which does not have Invariscope.

Searches for the smallest fading to mid-grey that changes each prediction, by halves and by steps, and writes what it
found, how many images it showed the network, and the CPU seconds.
"""

import argparse
import time
from pathlib import Path

import foolbox
import numpy as np
import torch
from torch import nn


class Counted(nn.Module):
    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self.passes = module, 0

    def forward(self, images):
        self.passes += len(images)
        return self.module(images)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--folder", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = Path(options.folder)
    with np.load(folder / "images.npz") as loaded:
        pixels, clean = torch.from_numpy(loaded["pixels"]), torch.from_numpy(loaded["clean"])
    attacks = {
        # Of its evaluations the first is at no fading, and each further one halves the bracket.
        "by_halves": foolbox.attacks.BinarySearchContrastReductionAttack(
            distance=foolbox.distances.linf, binary_search_steps=1 + (options.steps - 1).bit_length()
        ),
        "by_steps": foolbox.attacks.LinearSearchContrastReductionAttack(
            distance=foolbox.distances.linf, steps=options.steps
        ),
    }
    found = {}
    for name, attack in attacks.items():
        counted = Counted(torch.jit.load(str(folder / "network.pt")).eval()).eval()
        model = foolbox.PyTorchModel(counted, bounds=(0, 1), device="cpu")
        start, faded = time.process_time(), []
        for images, labels in zip(pixels.split(options.batch), clean.split(options.batch), strict=True):
            shown = attack.run(model, images, foolbox.criteria.Misclassification(labels))
            # How far each image went towards grey: the shares of all its pixels are the same.
            away = (0.5 - images).flatten(1)
            share = ((shown - images).flatten(1) * away).sum(1) / (away * away).sum(1)
            faded.append(share)
        found[f"{name}_seconds"] = time.process_time() - start
        found[f"{name}_passes"] = counted.passes
        found[name] = torch.cat(faded).double().numpy()
    np.savez(folder / "peer.npz", **found)


main()
