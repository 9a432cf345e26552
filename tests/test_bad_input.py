"""Whatever a person hands over that cannot be used: one clear sentence, exit code 2, and nothing half written."""

import io
import json
import pickle
import re
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from invariscope.cli.main import main
from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network

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


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


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


def test_the_good_set_is_measured(world, capsys):
    printed, _ = done(capsys, world.measure(CNN, world.path("images")))
    assert (printed["n_images"], printed["n_skipped"]) == (6, 0)


# Images.


def missing(world):
    return world.path("nowhere")


def empty(world):
    (world.root / "empty").mkdir()
    return world.path("empty")


def no_pictures(world):
    world.write("texts/a/notes.txt", b"mine")
    return world.path("texts")


def empty_class(world):
    (world.root / "images" / "dog").mkdir()
    return world.path("images")


def loose(world):
    world.write("images/stray.png", encoded("PNG"))
    return world.path("images")


def decompression_bomb(world):
    world.write("images/ant/bomb.png", bomb())
    return world.path("images")


def all_unreadable(world):
    world.write("bad/a/1.png", b"\x89PNG\r\n\x1a\nno")
    world.write("bad/a/2.jpg", b"\xff\xd8no")
    return world.path("bad")


def not_an_archive(world):
    return world.write("set.npz", b"nothing")


def no_array(world):
    return world.arrays(pictures=np.zeros((2, 16, 16, 3), np.uint8))


def pickled_images(world):
    return world.arrays(images=np.array([{"a": 1}, None], dtype=object))


def wrong_range(world):
    return world.arrays(images=np.full((2, 3, 16, 16), 200.0))


def too_few_labels(world):
    return world.arrays(images=np.zeros((4, 16, 16, 3), np.uint8), labels=np.array([0, 1]))


def labels_beyond(world):
    return world.arrays(images=np.zeros((4, 16, 16, 3), np.uint8), labels=np.array([0, 1, 2, 7]))


def not_a_table(world):
    return world.write("set.parquet", b"nothing")


def a_single_file(world):
    return world.write("one.png", encoded("PNG"))


def no_such_set(world):
    return "builtin:digit"


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (missing, ["there is nothing at", "nowhere"]),
        (empty, ["empty", "holds no images"]),
        (no_pictures, ["texts", "holds no images"]),
        (empty_class, ["class folder", "dog", "holds no images"]),
        (loose, ["stray.png", "ant", "folder per class"]),
        (decompression_bomb, ["bomb.png"]),
        (all_unreadable, ["none of the 2 images could be read", "1.png"]),
        (not_an_archive, ["set.npz", "not an .npz file"]),
        (no_array, ["no array 'images'", "pictures"]),
        (pickled_images, ["set.npz", "not unpickled"]),
        (wrong_range, ["between 0 and 1"]),
        (too_few_labels, ["set.npz", "labels"]),
        (labels_beyond, ["labels reach 7", "3 outputs"]),
        (not_a_table, ["set.parquet"]),
        (a_single_file, ["one.png", "single file"]),
        (no_such_set, ["Did you mean 'digits'"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_images_that_cannot_be_used(images, words, world, capsys):
    refused(capsys, world.measure(CNN, images(world)), *words)
    assert not world.out.exists()


BROKEN = [
    *((kind, suffix, 0.5) for kind, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"))),
    *(("JPEG", "jpg", length) for length in (0, 1, 10, 40)),
    *(("PNG", "png", length) for length in (0, 10, 40)),
]


def truncated(kind, length):
    whole = encoded(kind, (64, 64), seed=9)
    return whole[: int(length * len(whole)) if isinstance(length, float) else length]


@pytest.mark.parametrize(("kind", "suffix", "length"), BROKEN)
def test_a_truncated_file_is_refused_where_that_is_asked(kind, suffix, length, world, capsys):
    world.write(f"images/bee/broken.{suffix}", truncated(kind, length))
    refused(capsys, world.measure(CNN, world.path("images"), "--strict"), "broken", "cannot be read", "--strict")
    assert not world.out.exists()


def test_truncated_files_are_skipped_and_counted(world, capsys):
    for place, (kind, suffix, length) in enumerate(BROKEN):
        world.write(f"images/bee/broken{place}.{suffix}", truncated(kind, length))
    printed, err = done(capsys, world.measure(CNN, world.path("images")))
    assert (printed["n_images"], printed["n_skipped"]) == (6, len(BROKEN))
    [warning] = [warning for warning in printed["warnings"] if "could not be read" in warning]
    assert "broken0" in warning
    assert warning in err
    skipped = json.loads((world.out / "run.json").read_text())["images"]["skipped_files"]
    assert len(skipped) == len(BROKEN)


def test_grey_sixteen_bit_and_transparent_images_become_colour_and_that_is_told(world, capsys):
    for mode, name in (("L", "grey"), ("I;16", "deep"), ("RGBA", "clear"), ("LA", "grey_clear")):
        world.write(f"images/cat/{name}.png", encoded("PNG", mode=mode))
    printed, err = done(capsys, world.measure(CNN, world.path("images")))
    assert (printed["n_images"], printed["n_skipped"]) == (10, 0)
    for word in ("grey", "16-bit", "transparent"):
        assert word in err


def test_images_of_mixed_sizes_are_fitted_to_the_network(world, capsys):
    for place, size in enumerate([(40, 20), (17, 90), (8, 8)]):
        world.write(f"images/ant/size{place}.png", encoded("PNG", size))
    printed, _ = done(capsys, world.measure(CNN, world.path("images")))
    assert printed["n_images"] == 9


def test_images_of_mixed_sizes_for_a_network_of_any_size(world, capsys):
    world.write("images/ant/wide.png", encoded("PNG", (40, 20)))
    network = world.path("code.py:bare")
    refused(capsys, world.measure(network, world.path("images")), "differ in size", "wide.png", "size=")
    assert not world.out.exists()
    printed, _ = done(capsys, world.measure(f"{network}?size=16", world.path("images")))
    assert printed["n_images"] == 7


def test_classes_that_are_no_outputs_have_agreement(world, capsys):
    for name in ("dog", "eel"):
        world.write(f"images/{name}/0.png", encoded("PNG"))
    printed, err = done(capsys, world.measure(CNN, world.path("images")))
    assert printed["clean_accuracy"] is None
    assert "5 classes" in err
    assert "3 outputs" in err
    assert "--classes" in err


# Networks.


def other_weights(world):
    save_network(load_network("builtin:cnn?size=16&classes=7"), world.root / "seven.safetensors")
    return f"builtin:cnn?size=16&classes=3&weights={world.path('seven.safetensors')}"


def weights_of_another_kind(world):
    save_network(load_network(CNN), world.root / "small.safetensors")
    return f"torchvision:squeezenet1_1?weights={world.path('small.safetensors')}"


class Trap:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def pickled_network(world):
    with (world.root / "net.pth").open("wb") as file:
        pickle.dump(Trap(world.path("sprung")), file)
    return f"torchvision:squeezenet1_1?weights={world.path('net.pth')}"


def pickled_by_torch(world):
    torch.save({"module": Trap(world.path("sprung"))}, world.root / "net.pt")
    return f"torchvision:squeezenet1_1?weights={world.path('net.pt')}"


def damaged_weights(world):
    world.write("net.safetensors", b"\x10\0\0\0\0\0\0\0nothing of the sort")
    return world.path("net.safetensors")


def damaged_export(world):
    return world.write("net.pt2", b"nothing")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (lambda world: "builtin:cnm", ["cnm", "Did you mean 'cnn'"]),
        (lambda world: "torchvision:resnet", ["resnet"]),
        (lambda world: "nowhere", ["nowhere"]),
        (lambda world: world.path("nowhere.safetensors"), ["nowhere.safetensors"]),
        (lambda world: world.path("nowhere.py:bare"), ["nowhere.py", "there is none"]),
        (lambda world: world.path("code.py:bar"), ["'bar'", "Did you mean 'bare'"]),
        (lambda world: world.path("code.py:failing"), ["failing", "ValueError", "no weights today"]),
        (lambda world: world.path("code.py:number"), ["int"]),
        (lambda world: world.path("code.py:broken"), ["NaN", "6 of 6 clean images"]),
        (lambda world: world.path("code.py:nothing"), ["no units"]),
        (lambda world: f"{CNN}&weight=3", ["weight"]),
        (other_weights, ["seven.safetensors"]),
        (weights_of_another_kind, ["small.safetensors"]),
        (pickled_network, ["net.pth"]),
        (pickled_by_torch, ["net.pt"]),
        (damaged_weights, ["net.safetensors"]),
        (damaged_export, ["net.pt2"]),
    ],
    ids=[
        *("builtin", "torchvision", "nowhere", "no-file", "no-code", "no-function", "failing", "number", "nan"),
        *("no-units", "option", "other-weights", "other-kind", "pickle", "torch-pickle", "damaged", "export"),
    ],
)
def test_networks_that_cannot_be_used(network, words, world, capsys):
    refused(capsys, world.measure(network(world), world.path("images")), *words)
    assert not world.out.exists()
    assert not (world.root / "sprung").exists()


def test_code_with_a_mistake_is_told(world, capsys):
    world.write("wrong.py", b"def net(:\n")
    refused(capsys, world.measure(world.path("wrong.py:net"), world.path("images")), "wrong.py", "SyntaxError")


# Options.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--transformations", "rotaton"], ["rotaton", "Did you mean 'rotation'"]),
        (["--transformations", "rotation", "--magnitudes", "rotation=0,200"], ["-180 to 180", "degrees", "200"]),
        (["--magnitudes", "inversion=half"], ["inversion=half", "cannot be read"]),
        (["--magnitudes", "hue=90"], ["hue", "not among the transformations"]),
        (["--transformations", "gaussian-blur", "--magnitudes", "gaussian-blur=9"], ["16 by 16", "9"]),
        (["--transformations", "jpeg", "--magnitudes", "jpeg=0"], ["1 to 100", "0"]),
        (["--layers", "outpt"], ["outpt", "Did you mean 'output'"]),
        (["--layers", "conv*x"], ["conv*x", "Known"]),
        (["--units", "positions"], ["layers must be named"]),
        (["--device", "gpu"], ["gpu", "cuda:N"]),
        (["--device", "cuda:77"], ["cuda:77", "not here"]),
        (["--tau", "1"], ["tau", "below 1", "1.0"]),
        (["--tau", "-0.5"], ["tau"]),
        (["--limit", "0"], ["limit", "1 or more"]),
        (["--limit", "few"], ["--limit", "few"]),
        (["--batch-size", "0"], ["batch-size"]),
        (["--firing", "2"], ["firing"]),
        (["--memory", "plenty"], ["memory", "2GiB"]),
        (["--seed", "-3"], ["seed"]),
        (["--negative", "drop"], ["drop", "rectify"]),
        (["--group-classes", "nowhere.txt"], ["group-classes", "nowhere.txt"]),
        (["--classes", "nowhere.txt"], ["classes", "nowhere.txt"]),
        (["--invariant", "1.5"], ["invariant", "share"]),
    ],
    ids=lambda value: "=".join(value).replace("--", "") if isinstance(value, list) else None,
)
def test_options_that_cannot_be_used(options, words, world, capsys, monkeypatch):
    monkeypatch.chdir(world.root)
    refused(capsys, world.measure(CNN, world.path("images"), *options), *words)
    assert not world.out.exists()


def test_a_list_of_seen_classes_with_a_stranger(world, capsys):
    world.write("seen.txt", b"ant\nbeee\n")
    refused(
        capsys,
        world.measure(CNN, world.path("images"), "--group-classes", world.path("seen.txt")),
        "Did you mean 'bee'",
    )
    assert not world.out.exists()


def test_too_few_names_of_outputs(world, capsys):
    world.write("names.txt", b"ant\nbee\n")
    refused(
        capsys,
        world.measure(CNN, world.path("images"), "--classes", world.path("names.txt")),
        "2 class names",
        "3 outputs",
    )


# Output.


def test_an_output_directory_with_another_run_is_left_alone(world, capsys):
    done(capsys, world.measure(CNN, world.path("images")))
    before = {path: path.read_bytes() for path in world.out.rglob("*") if path.is_file()}
    refused(capsys, world.measure(CNN, world.path("images")), "finished run", "--resume", "--overwrite")
    refused(capsys, world.measure(CNN, world.path("images"), "--resume", "--tau", "0.3"), "other settings")
    assert {path: path.read_bytes() for path in world.out.rglob("*") if path.is_file()} == before
    done(capsys, world.measure(CNN, world.path("images"), "--resume"))
    done(capsys, world.measure(CNN, world.path("images"), "--overwrite", "--tau", "0.3"))


def test_an_output_directory_that_is_a_file(world, capsys):
    world.write("out", b"mine")
    refused(capsys, world.measure(CNN, world.path("images")), "is a file", "--out")
    assert (world.root / "out").read_bytes() == b"mine"


def test_an_output_below_a_file(world, capsys):
    world.write("file", b"mine")
    code = world.measure(CNN, world.path("images"), "--out", str(world.root / "file" / "run"))
    refused(capsys, code, "file")


def test_a_process_of_its_own_says_no_more(world):
    """Without this suite's warnings as errors: whatever libraries warn of would stand beside the sentence."""
    tokens = ["measure", pickled_network(world), world.path("images"), "--out", str(world.out)]
    done = subprocess.run([sys.executable, "-m", "invariscope.cli", *tokens], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("invariscope: ")
    assert "net.pth" in line
    assert not (world.root / "sprung").exists()
