"""Networks that cannot be used: one clear sentence, exit code 2, nothing half written, and nothing unpickled."""

import pickle
import subprocess
import sys

import pytest
import torch
from bad_input_world import CNN, refused

from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network


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
