"""A tiny world: images on disk and a network in a file, as a person would bring them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NETWORK = '''
import torch
from torch import nn


class Halves(nn.Module):
    """Answers left or right by where the image is brighter; its units do not mind a vertical flip."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()
        self.read = nn.Linear(2, 2, bias=False)
        nn.init.eye_(self.read.weight)

    def forward(self, images):
        columns = images.mean((1, 2))
        half = columns.shape[1] // 2
        return self.read(self.relu(torch.stack([columns[:, :half].mean(1), columns[:, half:].mean(1)], 1)))


def halves():
    return Halves()


def talking():
    print("the network is made")
    return Halves()


def broken():
    network = Halves()
    network.read.weight.data.fill_(float("nan"))
    return network


def failing():
    raise ValueError("no such thing")
'''


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `net.py` and the class folders `images/left` and `images/right`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NETWORK)
    random = np.random.default_rng(0)
    for label, name in enumerate(("left", "right")):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for i in range(6):
            pixels = random.integers(0, 80, (16, 16, 3), dtype=np.uint8)
            pixels[:, 8 * label : 8 * label + 8] += 120
            Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path
