from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from training_world import bars

from invariscope.core.errors import SettingError
from invariscope.networks.network import Network
from invariscope.training.loop import Schedule
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training
from invariscope.training.train import fresh_network, train_network

JOB = Training("builtin:cnn?size=8", "inversion", 1.0, 3, 0, Schedule(epochs=2, batch_size=16), each_epoch=True)


@pytest.fixture(scope="module")
def sets():
    return make_sets(bars(10, seed=1), bars(5, seed=2), fresh_network(JOB, 6).recipe)


def weights(network: Network) -> list[Tensor]:
    return [value.clone().contiguous() for value in network.module.state_dict().values()]


def test_watching_shows_every_epoch_and_changes_no_bit(sets):
    shown: dict[int, list[Tensor]] = {}

    def watch(epoch: int, network: Network) -> None:
        torch.rand(3)
        shown[epoch] = weights(network)

    watched, alone = train_network(JOB, sets, watch=watch), train_network(JOB, sets)
    assert list(shown) == [0, 1, 2]
    for one, other in zip(weights(watched.network), weights(alone.network), strict=True):
        assert torch.equal(one, other)
    assert {**watched.row, "seconds": 0} == {**alone.row, "seconds": 0}
    ends = shown[0], weights(fresh_network(JOB, 6)), shown[2], weights(alone.network)
    assert all(torch.equal(one, other) for one, other in zip(*ends[:2], strict=True))
    assert all(torch.equal(one, other) for one, other in zip(*ends[2:], strict=True))
    assert not all(torch.equal(one, other) for one, other in zip(shown[1], shown[2], strict=True))


def test_epochs_are_counted_on_over_two_steps(sets):
    job = replace(JOB, mode="two-step-finetune")
    shown: list[int] = []
    train_network(job, sets, watch=lambda epoch, network: shown.append(epoch))
    assert shown == [0, 1, 2, 3, 4]


def test_a_network_that_is_kept_cannot_be_watched(sets, tmp_path: Path):
    with pytest.raises(SettingError, match="give no folder"):
        train_network(JOB, sets, tmp_path, watch=lambda epoch, network: None)
