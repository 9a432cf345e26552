"""A training that is killed goes on to the same bits."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from training_world import bars

from invariscope.core.errors import SettingError
from invariscope.training.checkpoint import Keeper
from invariscope.training.loop import Schedule
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training
from invariscope.training.train import checkpoint_path, finished, fresh_network, network_path, train_network

# Normalisation has statistics and dropout a generator: both must go on where they were.
NETWORK = """
from torch import nn
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe


def small():
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, 32), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(32, 6),
    )
    return Network(module, recipe=Recipe(size=(8, 8), channels=1))
"""
CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from training_world import bars
from invariscope.grids.threads import one_thread
from invariscope.training.checkpoint import Keeper
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training
from invariscope.training.train import fresh_network, train_network
import json

save = Keeper.save

def save_and_rest(self, *arguments):
    save(self, *arguments)
    time.sleep(0.3)

Keeper.save = save_and_rest
training = Training.of(json.loads({plain!r}))
sets = make_sets(bars(10, seed=1), bars(5, seed=2), fresh_network(training, 6).recipe)
with one_thread():
    train_network(training, sets, Path({folder!r}), checkpoint_every=1)
"""


@pytest.fixture
def training(tmp_path):
    (tmp_path / "net.py").write_text(NETWORK)
    spec, schedule = f"{tmp_path / 'net.py'}:small", Schedule(epochs=8, batch_size=16)
    return Training(spec, "gaussian-noise", (0.1, 0.3), 3, 0, schedule, each_epoch=True)


@pytest.fixture
def sets(training):
    return make_sets(bars(10, seed=1), bars(5, seed=2), fresh_network(training, 6).recipe)


def same(one, other):
    first, second = one.network.module.state_dict(), other.network.module.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def epoch_of(path):
    try:
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()["training"])["epoch"]
    except (OSError, SafetensorError, FileNotFoundError):
        return 0


def test_a_training_killed_by_the_system_goes_on_to_the_same_bits(training, sets, tmp_path):
    folder = tmp_path / "networks"
    code = CHILD.format(tests=str(Path(__file__).parent), plain=json.dumps(training.plain), folder=str(folder))
    child = subprocess.Popen([sys.executable, "-c", code])
    path = checkpoint_path(training, sets.fingerprint, folder)
    end = time.monotonic() + 120
    while epoch_of(path) < 3 and child.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    reached = epoch_of(path)
    assert 3 <= reached < 8
    assert finished(training, sets.fingerprint, folder) is None
    resumed, alone = train_network(training, sets, folder), train_network(training, sets, tmp_path / "alone")
    assert same(resumed, alone)
    assert resumed.history == alone.history
    told = [json.dumps({**each.row, "seconds": 0}) for each in (resumed, alone)]
    assert told[0] == told[1]
    assert (
        network_path(training, sets.fingerprint, folder).read_bytes()
        == network_path(training, sets.fingerprint, tmp_path / "alone").read_bytes()
    )
    assert not path.exists()


class Interrupted(Exception):
    """In place of a kill."""


@pytest.fixture
def interrupt(monkeypatch):
    """Ends a training after so many checkpoints."""

    def after(count):
        plain, written = Keeper.save, []

        def save(self, *arguments):
            plain(self, *arguments)
            written.append(arguments[:2])
            if len(written) == count:
                raise Interrupted

        monkeypatch.setattr(Keeper, "save", save)
        return written

    yield after
    monkeypatch.undo()


@pytest.mark.parametrize("mode", ["two-step-finetune", "two-step-classifier"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_two_steps_go_on_in_the_right_one(training, sets, tmp_path, interrupt, mode, count):
    job = replace(training, mode=mode, schedule=Schedule(epochs=3, batch_size=8))
    written = interrupt(count)
    with pytest.raises(Interrupted):
        train_network(job, sets, tmp_path / "networks", checkpoint_every=1)
    assert written[-1] == (("seen", count) if count <= 3 else ("unseen", count - 3))
    resumed, alone = train_network(job, sets, tmp_path / "networks"), train_network(job, sets)
    assert same(resumed, alone)
    assert [row["step"] for row in resumed.history] == ["seen"] * 3 + ["unseen"] * 3
    assert json.dumps(resumed.history) == json.dumps(alone.history)


def test_nothing_is_written_for_a_training_of_seconds(training, sets, tmp_path, interrupt):
    written = interrupt(99)
    train_network(training, sets, tmp_path / "networks")
    assert written == []


def test_a_checkpoint_of_other_settings_or_a_torn_one_is_not_gone_on_with(training, sets, tmp_path, interrupt):
    interrupt(2)
    folder = tmp_path / "networks"
    with pytest.raises(Interrupted):
        train_network(training, sets, folder, checkpoint_every=1)
    path = checkpoint_path(training, sets.fingerprint, folder)
    settings = training.settings(sets.fingerprint)
    assert Keeper(path, settings).stage == "joint"
    assert Keeper(path, {**settings, "seed": 1}).stage is None
    save_file(load_file(path), path)
    assert Keeper(path, settings).stage is None
    path.write_bytes(path.read_bytes()[:1000])
    assert Keeper(path, settings).stage is None
    assert same(train_network(training, sets, folder), train_network(training, sets))


def test_checkpoints_every_no_epoch():
    with pytest.raises(SettingError, match="every 1 or more epochs; got 0"):
        Keeper(None, {}, 0)
