import json

import pytest

from invariscope.core.errors import SettingError
from invariscope.training.loop import Schedule
from invariscope.training.settings import Training


def test_names_of_earlier_networks_stay():
    schedule = Schedule(epochs=2)
    for training, name in (
        (Training("builtin:cnn", "inversion", 1.0, 30, 0, schedule, True), "inversion-1-k30-seed0-b2696d1d"),
        (
            Training("builtin:cnn", "gaussian-noise", 0.2, 54, 0, schedule, True),
            "gaussian-noise-0.2-k54-seed0-0a3875e4",
        ),
        (Training("builtin:cnn", "rotation", 90.0, 15, 0, schedule, True), "rotation-90-k15-seed0-e49d62cb"),
    ):
        assert training.name("x") == name


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"transformation": "inversion+rotation", "magnitude": (1.0, (15.0, 45.0)), "assignment": "own"},
        {"mode": "two-step-finetune", "tests": (("rotation", 60.0),)},
        {"schedule": Schedule(rate="steps", precision="float32", learning_rate=0.5)},
    ],
)
def test_plain_settings_make_the_same_training_again(more):
    training = Training(**{"network": "n", "transformation": "hue", "magnitude": 90.0, "k": 3, "seed": 1, **more})
    again = Training.of(json.loads(json.dumps(training.plain)))
    assert again == training
    assert again.name("") == training.name("")


@pytest.mark.parametrize(
    "more",
    [
        {"magnitude": (0.5, 1.0)},
        {"mode": "two-step-classifier"},
        {"tests": (("hue", 3.0),)},
        {"schedule": Schedule(rate="constant")},
        {"schedule": Schedule(precision="bfloat16")},
        {"transformation": "inversion+hue", "magnitude": (1.0, 90.0)},
        {"transformation": "inversion+hue", "magnitude": (1.0, 90.0), "assignment": "own"},
    ],
)
def test_every_new_setting_is_another_network(more):
    about = {"network": "n", "transformation": "inversion", "magnitude": 1.0, "k": 3, "seed": 1}
    names = {Training(**about).name(""), Training(**{**about, **more}).name("")}
    names.add(Training(**{**about, "transformation": "inversion+hue", "magnitude": (1.0, 45.0)}).name(""))
    assert len(names) == 3


def test_what_is_said_of_settings_that_cannot_be():
    for more, message in (
        ({"assignment": "each"}, "assignment of a training is one of all, own; got 'each'"),
        ({"mode": "three-step"}, "mode of a training is one of joint, two-step"),
    ):
        with pytest.raises(SettingError, match=message):
            Training("n", "hue", 90.0, 1, 0, **more)
    for more, message in (
        ({"rate": "cosine"}, "one-cycle, constant, steps; got 'cosine'"),
        ({"precision": "float8"}, "precision takes auto, float32"),
        ({"epochs": 0}, "epochs takes 1 or more; got 0"),
        ({"learning_rate": float("nan")}, "learning rate takes 0 or more; got nan"),
        ({"batch_size": 0}, "batch size takes 1 or more"),
    ):
        with pytest.raises(SettingError, match=message):
            Schedule(**more)


def test_one_magnitude_is_only_there_when_it_is_one():
    assert Training("n", "rotation", 90, 1, 0).fixed_magnitude == 90.0
    with pytest.raises(SettingError, match=r"rotation-15\.\.45 has no single magnitude"):
        _ = Training("n", "rotation", (15, 45), 1, 0).fixed_magnitude
    with pytest.raises(SettingError, match="several transformations"):
        Training("n", "rotation+hue", (15, 45), 1, 0).make_transformation()
