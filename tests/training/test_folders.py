"""Layouts of real sets: a folder per identity (FaceScrub), a folder per WordNet identifier (ImageNet)."""

import json

import numpy as np
import pytest
from PIL import Image

from invariscope.images.load import load_images
from invariscope.training.loop import Schedule
from invariscope.training.sets import hold_out, make_sets
from invariscope.training.settings import Training
from invariscope.training.train import fresh_network, train_network

NAMES = {"faces": ["Adam Arkin", "Eva Longoria", "Zoe Saldana"], "wnids": ["n01440764", "n02102040", "n03000684"]}


@pytest.fixture(params=NAMES)
def tree(request, tmp_path):
    """JPEGs of several sizes, one of them grey; a class is a bright bar in one third, and classes differ in number."""
    random = np.random.default_rng(0)
    for label, name in enumerate(NAMES[request.param]):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for number in range(12 + 2 * label):
            height, width = random.integers(30, 60, 2)
            pixels = random.integers(0, 90, (height, width, 3), dtype=np.uint8)
            pixels[:, label * width // 3 : (label + 1) * width // 3] += 150
            image = Image.fromarray(pixels)
            (image.convert("L") if number == 0 else image).save(folder / f"{name}_{number}.jpg", quality=95)
    return tmp_path, NAMES[request.param]


def test_a_folder_of_classes_is_learnt(tree):
    path, names = tree
    images = load_images(str(path / "images"))
    train, test = hold_out(images, 1 / 3, seed=0)
    assert np.bincount(test.labels).tolist() == [4, 5, 5]
    training = Training(
        "builtin:cnn?size=16&channels=3", "inversion+rotation", (1.0, (60.0, 90.0)), 2, 0, Schedule(20, 8)
    )
    sets = make_sets(train, test, fresh_network(training, train.n_classes).recipe)
    assert (sets.train.channels, sets.train.height) == (3, 16)
    done = train_network(training, sets, path / "networks")
    assert done.network.classes == images.classes
    assert len(done.network.classes) == len(names)
    assert set(done.network.seen) < set(done.network.classes)
    assert done.row["clean"] > 0.8
    assert done.row["within_n"] + done.row["across_n"] == 14
    assert [(row["transformation"], row["magnitude"]) for row in done.tests] == [
        ("inversion", 1.0),
        ("rotation", 60.0),
        ("rotation", 90.0),
    ]
    again = train_network(training, sets, path / "networks")
    assert json.dumps(again.tests) == json.dumps(done.tests)
