import json

import numpy as np
import pandas as pd
import pytest
from training_world import bars

from invariscope.core.errors import SettingError
from invariscope.training.loop import Schedule
from invariscope.training.search import WORK, cell, cells_of, choose, search_recipe
from invariscope.training.settings import Training

TRAINING = Training("builtin:cnn?size=8", "inversion", 1.0, 3, 0, Schedule(epochs=4, batch_size=16))


@pytest.fixture
def images(tmp_path):
    made = bars(20, seed=1)
    np.savez(tmp_path / "bars.npz", images=made._data.permute(0, 2, 3, 1).numpy(), labels=made.labels)
    return str(tmp_path / "bars.npz")


def test_a_search_finds_what_learns(images, tmp_path):
    rates, decays = (1e-6, 0.05, 1e30), (5e-4,)
    folder = tmp_path / "search"
    table, schedule = search_recipe(
        TRAINING, images, folder=folder, learning_rates=rates, weight_decays=decays, engine="serial"
    )
    assert table.columns.tolist() == ["learning_rate", "weight_decay", "accuracy", "low", "high", "n", "chosen"]
    assert table.learning_rate.tolist() == list(rates)
    assert table.chosen.tolist() == [False, True, False]
    assert schedule == Schedule(epochs=4, batch_size=16, learning_rate=0.05, weight_decay=5e-4)
    assert np.isnan(table.accuracy[2]), "what diverges has no accuracy"
    assert table.accuracy[1] > 0.8 > 0.5 > table.accuracy[0]
    assert (table.low[:2] <= table.accuracy[:2]).all()
    # Of 20 images of a class a third is left for the test, and a tenth of the 13 that remain is held out.
    assert table.n.tolist() == [6, 6, 6]
    assert not list((folder / "cells").glob("*.safetensors")), "networks of the search are not kept"


def test_a_cell_is_plain_settings_and_repeats_itself(images, tmp_path):
    (job,) = cells_of(TRAINING, images, None, (0.05,), (0.0,))
    assert job.work == WORK
    settings = json.loads(json.dumps(dict(job.settings)))
    one, two = (cell(settings, tmp_path / name)["search"] for name in "ab")
    pd.testing.assert_frame_equal(one, two)


def test_the_default_search_has_25_cells_around_the_defaults():
    cells = cells_of(TRAINING, "builtin:glyphs", None)
    assert len({job.key for job in cells}) == 25
    middle = cells[12].settings["training"]["schedule"]
    assert (middle["learning_rate"], middle["weight_decay"]) == (Schedule().learning_rate, Schedule().weight_decay)


def table(accuracies):
    rows = [(rate, decay) for rate in (0.1, 0.2, 0.4) for decay in (0.0, 1.0, 2.0)]
    return pd.DataFrame(rows, columns=["learning_rate", "weight_decay"]).assign(accuracy=accuracies)


def pair(accuracies):
    row = choose(table(accuracies))
    return row.learning_rate, row.weight_decay


def test_the_best_cell_is_chosen_and_of_equals_the_one_in_the_middle():
    nan = float("nan")
    assert pair([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9, 0.8]) == (0.4, 1.0)
    assert pair([0.5] * 9) == (0.2, 1.0)
    assert pair([0.9, 0.5, 0.9, 0.5, 0.5, 0.5, 0.9, 0.5, 0.9]) == (0.1, 0.0), "then the smallest rate and decay"
    assert pair([nan] * 5 + [0.2] + [nan] * 3) == (0.2, 2.0)
    shuffled = table([0.5] * 9).sample(frac=1, random_state=3)
    assert tuple(choose(shuffled)[["learning_rate", "weight_decay"]]) == (0.2, 1.0)


def test_nothing_to_search():
    with pytest.raises(SettingError, match="diverged in every cell"):
        choose(table([float("nan")] * 9))
    with pytest.raises(SettingError, match="at least one learning rate"):
        cells_of(TRAINING, "builtin:glyphs", None, ())
