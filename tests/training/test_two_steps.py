"""The two-step alternative of appendix C."""

import pytest
import torch
from torch import nn
from training_world import N_CLASSES, bars, tiny

from invariscope.core.errors import NetworkError, SettingError
from invariscope.grids.threads import one_thread
from invariscope.networks.network import Network
from invariscope.training.loop import Schedule
from invariscope.training.paradigm import Sampler, seen_classes
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training
from invariscope.training.steps import Step, readout, steps_of
from invariscope.training.train import fresh_network, train_network

SPEC = "builtin:cnn?size=8"
LONG = Schedule(epochs=8, batch_size=16)


def job(mode, k=3, schedule=LONG, **more):
    return Training(SPEC, "inversion", 1.0, k, 0, schedule, True, mode=mode, **more)


@pytest.fixture(scope="module")
def cnn_sets():
    return make_sets(bars(30, seed=1), bars(10, seed=2), fresh_network(job("joint"), N_CLASSES).recipe)


@pytest.fixture(scope="module")
def done(cnn_sets):
    with one_thread():
        return {mode: train_network(job(mode), cnn_sets) for mode in ("two-step-finetune", "two-step-classifier")}


def test_a_step_draws_only_from_its_classes():
    labels = torch.arange(60) % 6
    sampler = Sampler(labels, 6, (), 0, 8, classes=(1, 4), purpose="/unseen")
    assert sampler.steps_per_epoch == 2
    draws = [draw for _ in range(20) for draw in sampler.epoch()]
    drawn = torch.cat([draw.indices for draw in draws])
    assert set(labels[drawn].tolist()) == {1, 4}
    assert len(drawn.unique()) == 20
    assert all(draw.n_transformed == 0 for draw in draws)


def test_labels_become_places_among_the_outputs_that_compete():
    step = Step("seen", (1, 4), (1, 4))
    assert step.targets(torch.tensor([4, 1, 0, 4, 5])).tolist() == [1, 0, -100, 1, -100]
    assert Step("joint").targets(torch.tensor([4, 1])).tolist() == [4, 1]


def test_both_steps_are_told_and_the_second_is_learnt(done, cnn_sets):
    others = torch.tensor([label for label in range(N_CLASSES) if label not in seen_classes(N_CLASSES, 3, 0)])
    chosen = torch.isin(cnn_sets.test_labels, others)
    images, labels = cnn_sets.test.batch(range(len(chosen)))[chosen], cnn_sets.test_labels[chosen]
    for mode, trained in done.items():
        assert [row["step"] for row in trained.history] == ["seen"] * 8 + ["unseen"] * 8
        first = trained.history[7]
        assert first["within"] > 0.9, mode
        assert first["clean"] <= 0.5, "half of the classes were not shown in the first step"
        with torch.inference_mode():
            assert (others[trained.network(images)[:, others].argmax(1)] == labels).float().mean() > 0.9, mode
        assert trained.row["mode"] == mode
        assert trained.row["within_n"] == trained.row["across_n"] == 30


def test_only_the_rows_of_new_classes_change_in_the_second_step_of_a_classifier(cnn_sets, monkeypatch):
    job_ = job("two-step-classifier", schedule=Schedule(epochs=2, batch_size=16))
    states = []
    from invariscope.training import train as module

    plain = module.train

    def keep(network, *arguments, **more):
        plain(network, *arguments, **more)
        states.append({name: value.clone() for name, value in network.module.state_dict().items()})

    monkeypatch.setattr(module, "train", keep)
    trained = train_network(job_, cnn_sets)
    first, second = states
    seen = list(seen_classes(N_CLASSES, 3, 0))
    unseen = [label for label in range(N_CLASSES) if label not in seen]
    for name, before in first.items():
        if name.startswith("fc2"):
            assert torch.equal(before[seen], second[name][seen])
            assert not torch.equal(before[unseen], second[name][unseen])
        else:
            assert torch.equal(before, second[name]), f"{name} is frozen, statistics of normalisation included"
    assert all(weight.requires_grad for weight in trained.network.module.parameters())


def test_each_step_leaves_the_rows_of_the_other_classes_alone(cnn_sets, monkeypatch):
    begun = fresh_network(job("two-step-finetune"), N_CLASSES).module.state_dict()
    unseen = [label for label in range(N_CLASSES) if label not in seen_classes(N_CLASSES, 3, 0)]
    schedule = Schedule(epochs=1, batch_size=16, weight_decay=0.0)
    states = []
    from invariscope.training import train as module

    plain = module.train

    def keep(network, *arguments, **more):
        plain(network, *arguments, **more)
        states.append(network.module.state_dict()["fc2.weight"].clone())

    monkeypatch.setattr(module, "train", keep)
    train_network(job("two-step-finetune", schedule=schedule), cnn_sets)
    assert torch.equal(states[0][unseen], begun["fc2.weight"][unseen])
    assert not torch.equal(states[1][unseen], begun["fc2.weight"][unseen])
    seen = [label for label in range(N_CLASSES) if label not in unseen]
    assert not torch.equal(states[0][seen], begun["fc2.weight"][seen])
    assert torch.equal(states[1][seen], states[0][seen])


def test_what_cannot_be_done_in_two_steps(cnn_sets):
    for k in (0, N_CLASSES):
        with pytest.raises(SettingError, match=f"needs seen and unseen classes; got k = {k} of 6"):
            train_network(job("two-step-finetune", k), cnn_sets)
    with pytest.raises(SettingError, match="mode of training is one of"):
        steps_of("both", (1,), 3)
    headless = Network(nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6)), spec="headless")
    with pytest.raises(NetworkError, match="headless does not end in a linear layer"):
        readout(headless, Step("unseen", (0, 1), None, True))
    assert [len(values) for values in (readout(tiny(), Step("unseen", (0, 1), None, True)).kept,)] == [4]
