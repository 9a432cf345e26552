"""A folder of good images and some code, for tests to spoil, and what must be said of it then."""

import io
import json
import re
import struct
import zlib

import numpy as np
from PIL import Image

from invariscope.cli.main import main

CNN = "builtin:cnn?size=16&classes=3"
CODE = """
import torch
from torch import nn

def bare():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))

class Broken(nn.Module):
    def forward(self, images):
        return images.mean((2, 3)) * float("nan")

def broken():
    return Broken()

class Nothing(nn.Module):
    def forward(self, images):
        return images.mean().reshape(1)

def nothing():
    return Nothing()

def failing():
    raise ValueError("no weights today")

number = 3
"""


def encoded(kind, size=(16, 16), mode="RGB", seed=0):
    draw = np.random.Generator(np.random.PCG64(seed))
    pixels = draw.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(pixels[..., 0] if mode == "L" else pixels[..., : len(mode)])
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def bomb(side=30_000):
    """A PNG that says it has 900 million pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


class World:
    """A folder with a good image set and the network's code; tests spoil what they are about."""

    def __init__(self, root):
        self.root = root
        for number, name in enumerate(("ant", "bee", "cat")):
            (root / "images" / name).mkdir(parents=True)
            for place in range(2):
                self.write(f"images/{name}/{place}.png", encoded("PNG", seed=2 * number + place))
        (root / "code.py").write_text(CODE)

    def write(self, name, content):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return str(file)

    def arrays(self, name="set.npz", **arrays):
        np.savez(self.root / name, **arrays)
        return str(self.root / name)

    def path(self, name):
        return str(self.root / name)

    @property
    def out(self):
        return self.root / "out"

    def measure(self, network, images, *more):
        usual = {"--device": "cpu", "--transformations": "inversion", "--out": str(self.out)}
        tokens = [token for option, value in usual.items() if option not in more for token in (option, value)]
        return main(["measure", network, images, "--replicates", "20", "--controls", "1", "--json", *tokens, *more])


def refused(capsys, code, *words):
    """One line, of a sentence or two, that says all the words; nothing on standard output."""
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert "Traceback" not in err
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("invariscope: ")
    assert len(lines[0]) < 700
    assert len(re.split(r"(?<=[.?!]) (?=[A-Z])", lines[0])) <= 3, lines[0]
    assert lines[0].endswith((".", "?"))
    for word in words:
        assert word in lines[0], lines[0]


def done(capsys, code):
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "Traceback" not in err
    return json.loads(out), err
