import json

import pytest
import torch
from training_world import bars

from invariscope.core.errors import MagnitudeError, NetworkError, SettingError, UnknownNameError
from invariscope.training.loop import Schedule
from invariscope.training.sets import make_sets
from invariscope.training.settings import Training, with_options
from invariscope.training.train import finished, fresh_network, network_path, train_network, train_paradigm

SPEC = "builtin:cnn?size=8"
QUICK = Schedule(epochs=1, batch_size=16)


@pytest.fixture(scope="module")
def cnn_sets():
    return make_sets(bars(10, seed=1), bars(5, seed=2), fresh_network(Training(SPEC, "inversion", 1.0, 0, 0), 6).recipe)


def test_the_public_call_gives_a_network_and_its_row(tmp_path):
    network, row = train_paradigm(
        bars(20, seed=1), bars(10, seed=2), SPEC, "inversion", 1.0, k=2, seed=3, schedule=QUICK, folder=tmp_path
    )
    assert network.classes == tuple(f"class {label}" for label in range(6))
    assert network.seen is not None
    assert len(network.seen) == 2
    assert set(network.seen) < set(network.classes)
    settings = ("transformation", "magnitude", "k", "n_classes", "seed")
    assert [row[name] for name in settings] == ["inversion", 1.0, 2, 6, 3]
    assert (row["clean_n"], row["within_n"], row["across_n"]) == (60, 20, 40)
    for name in ("clean", "within", "across"):
        assert 0 <= row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] <= 1
    assert (tmp_path / f"{row['network']}.safetensors").is_file()
    assert not network.module.training


def test_a_finished_network_is_not_trained_again(cnn_sets, tmp_path, monkeypatch):
    job = Training(SPEC, "inversion", 1.0, 3, 0, QUICK)
    first = train_network(job, cnn_sets, tmp_path)
    monkeypatch.setattr("invariscope.training.train.train", lambda *_: pytest.fail("trained again"))
    again = train_network(job, cnn_sets, tmp_path)
    assert again.row == first.row
    assert json.dumps(again.history) == json.dumps(first.history)
    assert (again.network.seen, again.network.classes) == (first.network.seen, first.network.classes)
    images = cnn_sets.test.batch(list(range(30)))
    with torch.inference_mode():
        assert torch.equal(again.network(images), first.network(images))


@pytest.mark.parametrize(
    "other",
    [
        Training(SPEC, "inversion", 1.0, 3, 1, QUICK),
        Training(SPEC, "inversion", 1.0, 2, 0, QUICK),
        Training(SPEC, "inversion", 0.75, 3, 0, QUICK),
        Training(SPEC, "rotation", 1.0, 3, 0, QUICK),
        Training(SPEC, "inversion", 1.0, 3, 0, Schedule(epochs=2, batch_size=16)),
    ],
)
def test_other_settings_are_another_network(other):
    job = Training(SPEC, "inversion", 1.0, 3, 0, QUICK)
    assert job.name("images") != other.name("images")
    assert job.name("images") != job.name("other images")
    assert job.name("images") == Training(SPEC, "inversion", 1.0, 3, 0, QUICK).name("images")


def test_a_half_written_network_is_trained_again(cnn_sets, tmp_path):
    job = Training(SPEC, "inversion", 1.0, 3, 0, QUICK)
    first = train_network(job, cnn_sets, tmp_path)
    path = network_path(job, cnn_sets.fingerprint, tmp_path)
    path.with_suffix(".json").write_text("{")
    assert finished(job, cnn_sets.fingerprint, tmp_path) is None
    again = train_network(job, cnn_sets, tmp_path)
    assert {**again.row, "seconds": 0} == {**first.row, "seconds": 0}
    path.unlink()
    assert finished(job, cnn_sets.fingerprint, tmp_path) is None


def test_training_twice_gives_the_same_bytes(cnn_sets, tmp_path):
    job = Training(SPEC, "salt-and-pepper", 0.25, 3, 5, QUICK)
    files = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        train_network(job, cnn_sets, folder)
        files.append(network_path(job, cnn_sets.fingerprint, folder).read_bytes())
    assert files[0] == files[1]


def test_networks_of_a_seed_begin_alike():
    one, same, other = (
        fresh_network(Training(SPEC, "inversion", 1.0, k, seed), 6).module.state_dict()["fc1.weight"]
        for k, seed in ((1, 0), (5, 0), (1, 1))
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_accuracy_after_every_epoch_when_asked(cnn_sets):
    schedule = Schedule(epochs=2, batch_size=16)
    every = train_network(Training(SPEC, "inversion", 1.0, 3, 0, schedule, each_epoch=True), cnn_sets)
    last = train_network(Training(SPEC, "inversion", 1.0, 3, 0, schedule), cnn_sets)
    assert [row["epoch"] for row in every.history] == [1, 2]
    assert all(row["clean"] == row["clean"] for row in every.history)
    assert last.history[0]["clean"] != last.history[0]["clean"]
    assert last.history[1] | {"network": ""} == every.history[1] | {"network": ""}, "testing does not disturb learning"


def test_nothing_seen_and_everything_seen(cnn_sets):
    none, everything = (train_network(Training(SPEC, "inversion", 1.0, k, 0, QUICK), cnn_sets) for k in (0, 6))
    assert none.network.seen is None
    assert (none.row["within_n"], none.row["across_n"]) == (0, 30)
    assert none.row["within"] != none.row["within"]
    assert everything.network.seen == cnn_sets.classes
    assert everything.row["across_n"] == 0


def test_messages(cnn_sets):
    for job, kind, message in (
        (Training(SPEC, "inversion", 0.0, 1, 0, QUICK), SettingError, "inversion 0 changes no image"),
        (Training(SPEC, "inversion", 3.0, 1, 0, QUICK), MagnitudeError, "inversion takes magnitudes from 0 to 1"),
        (Training(SPEC, "inversoin", 1.0, 1, 0, QUICK), UnknownNameError, "Did you mean 'inversion'"),
        (Training(SPEC, "inversion", 1.0, 7, 0, QUICK), SettingError, "from 0 to all 6; got k = 7"),
        (Training(SPEC + "&classes=4", "inversion", 1.0, 1, 0, QUICK), NetworkError, "the images have 6 classes"),
    ):
        with pytest.raises(kind, match=message):
            train_network(job, cnn_sets)


def test_options_that_are_given_stay():
    assert with_options("builtin:cnn", classes=3, seed=1) == "builtin:cnn?classes=3&seed=1"
    assert with_options("builtin:cnn?seed=9&classes=2", classes=3, seed=1) == "builtin:cnn?seed=9&classes=2"
