"""A person's own networks, trained as jobs of a grid."""

import json

import numpy as np
import pandas as pd
import pytest

from invariscope.core.errors import MagnitudeError, NetworkError, SettingError
from invariscope.networks.load import load_network
from invariscope.studies.train import furthest, train_networks
from invariscope.training.loop import Schedule

QUICK = Schedule(epochs=2, batch_size=16)
NETWORK = "builtin:cnn?size=8"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Four classes of twelve grey images, a bright quarter each."""
    random = np.random.default_rng(0)
    labels = np.arange(48) % 4
    pixels = random.integers(0, 60, (48, 8, 8, 1), dtype=np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[4 * (label // 2) :, 4 * (label % 2) :][:4, :4] += 150
    path = tmp_path_factory.mktemp("images") / "quarters.npz"
    np.savez(path, images=pixels, labels=labels)
    return str(path)


def learn(images, out, **more):
    about = {"network": NETWORK, "seen": (1, 2), "schedule": QUICK, "device": "cpu", "workers": 1}
    return train_networks(images, out, **{**about, **more})


def test_several_transformations_and_magnitudes_outside_their_ranges(images, tmp_path):
    magnitude = (1.0, (15.0, 45.0))
    tests = (("rotation", 30.0), ("rotation", 90.0), ("brightness", 0.5))
    out = learn(images, tmp_path / "run", transformation="inversion+rotation", magnitude=magnitude, tests=tests)
    paradigm, history, found = (pd.read_parquet(out / f"{name}.parquet") for name in ("paradigm", "training", "tests"))
    assert paradigm.k.tolist() == [1, 2]
    assert paradigm.shown.unique().tolist() == ["inversion-1+rotation-15..45"]
    assert paradigm.magnitude.isna().all(), "it has no single one"
    assert paradigm.invariance_unseen.between(0, 1).all()
    assert history.groupby("network").epoch.apply(list).tolist() == [[1, 2], [1, 2]]
    assert found.trained.tolist() == [True, False, False] * 2
    assert found.within.notna().tolist() == [True, True, False] * 2
    info = json.loads((out / "run.json").read_text())
    assert info["schedule"]["batch_size"] == 16
    assert info["configuration"]["magnitude"] == [1.0, [15.0, 45.0]]
    for name in paradigm.network:
        assert load_network(str(out / "networks" / f"{name}.safetensors")).seen


def test_the_number_of_processes_and_a_second_call_change_nothing(images, tmp_path):
    one, two = learn(images, tmp_path / "one"), learn(images, tmp_path / "two", workers=2)
    before = {path.name: path.stat().st_mtime_ns for path in (one / "networks").iterdir()}
    learn(images, one, resume=True)
    assert before == {path.name: path.stat().st_mtime_ns for path in (one / "networks").iterdir()}
    for name in ("paradigm", "training", "tests"):
        assert (one / f"{name}.parquet").read_bytes() == (two / f"{name}.parquet").read_bytes()


def test_a_search_first(images, tmp_path):
    out = learn(images, tmp_path / "run", search=True, schedule=Schedule(epochs=1, batch_size=8))
    table = pd.read_parquet(out / "search.parquet")
    assert len(table) == 25
    chosen = table[table.chosen].iloc[0]
    schedule = json.loads((out / "run.json").read_text())["schedule"]
    assert (schedule["learning_rate"], schedule["weight_decay"]) == (chosen.learning_rate, chosen.weight_decay)


def test_two_steps(images, tmp_path):
    out = learn(images, tmp_path / "run", mode="two-step-classifier")
    history = pd.read_parquet(out / "training.parquet")
    assert history.step.tolist() == ["seen", "seen", "unseen", "unseen"] * 2


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        ({"seen": (1, 9)}, SettingError, "from 0 to all 4; got k = 9"),
        ({"magnitude": (0.5, 3.0)}, MagnitudeError, "inversion takes magnitudes from 0 to 1"),
        ({"tests": (("inversion", 3.0),)}, MagnitudeError, "inversion takes magnitudes from 0 to 1"),
        ({"mode": "two-step-finetune", "seen": (4,)}, SettingError, "needs seen and unseen classes"),
        ({"network": "builtin:cnn?size=8&classes=7"}, NetworkError, "the images have 4 classes"),
        ({"seeds": ()}, SettingError, "at least one seed"),
        ({"workers": 0}, SettingError, "workers takes 1 or more processes; got 0"),
    ],
)
def test_what_cannot_be_trained_is_told_before_anything_is(images, tmp_path, more, kind, message):
    with pytest.raises(kind, match=message):
        learn(images, tmp_path / "run", **more)
    assert not (tmp_path / "run" / "networks").exists()


def test_the_default_magnitude_is_the_furthest():
    assert furthest("rotation") == 180.0
    assert furthest("inversion+gaussian-blur") == (1.0, 4.0)
