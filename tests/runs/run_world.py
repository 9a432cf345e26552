"""A small network on a few images, and a run that is interrupted where a test says."""

import os
import signal

import torch
from torch import nn

import invariscope as inv

GRIDS = {"rotation": [-90, 20], "gaussian-noise": [0.1], "inversion": [1]}
QUICK = {"device": "cpu", "replicates": 20, "controls": 1, "seed": 3, "batch_size": 8}
N_IMAGES = 20


def small_network(activation=nn.ReLU, outputs=3):
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3),
        activation(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 8),
        activation(),
        nn.Linear(8, outputs),
    )


def some_images(labelled=True, count=N_IMAGES, seed=0):
    draw = torch.Generator().manual_seed(seed)
    pixels = torch.rand(count, 3, 12, 12, generator=draw).numpy()
    return (
        inv.Images(pixels, [place % 3 for place in range(count)], ("red", "green", "blue"))
        if labelled
        else inv.Images(pixels)
    )


def measured(out=None, **settings):
    chosen = {"transformations": GRIDS, **QUICK, **settings}
    return inv.measure(small_network(), some_images(), out=out, **chosen)


class Stops:
    """Progress that ends the work after some steps, politely or not."""

    def __init__(self, after, kill=False):
        self.left, self.kill = after, kill

    def start(self, what, total):
        pass

    def advance(self, steps=1):
        self.left -= steps
        if self.left < 0:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


class Counts:
    def __init__(self):
        self.total, self.done, self.what = 0, 0, []

    def start(self, what, total):
        self.what.append(what)
        self.total += total

    def advance(self, steps=1):
        self.done += steps


def contents(folder, without=("run.json", "README.txt")):
    """Every file of a run, but for those that tell the time."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in files.items() if name not in without}
