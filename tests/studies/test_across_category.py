from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from invariscope.responses.recorder import Strength
from invariscope.studies.across_category import AcrossCategory, last_hidden_layer, respond
from invariscope.studies.base import STUDIES
from invariscope.training.loop import Schedule
from invariscope.training.train import train_network
from invariscope.transformations.base import TRANSFORMATIONS

SMALL = AcrossCategory(images="builtin:glyphs?per_class=4", k=(1, 30), schedule=Schedule(epochs=1))


def test_the_study_is_known_by_its_name():
    assert STUDIES["across-category"] is AcrossCategory


def test_jobs_are_the_whole_grid():
    jobs = AcrossCategory(seeds=(0, 1)).jobs()
    assert len(jobs) == 20
    assert len({tuple(job.values()) for job in jobs}) == 20
    assert {job["k"] for job in jobs} == {1, 15, 30, 45, 54}


def test_another_seed_draws_other_images():
    one, other = SMALL.sets(0), SMALL.sets(1)
    assert one.fingerprint != other.fingerprint
    assert one.classes == other.classes


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("networks")
    return folder, SMALL.table(folder, workers=2)


def test_rows_say_all_that_the_figure_needs(done):
    table = done[1]
    assert list(table.k) == [1, 1, 30, 30]
    assert list(table.transformation) == ["inversion", "rotation"] * 2
    needed = {"magnitude", "n_classes", "seed", "network", "layer", "tau", "seconds"}
    for part in ("clean", "within", "across"):
        needed |= {part, f"{part}_low", f"{part}_high", f"{part}_n"}
    needed |= {
        f"{column}_{group}" for column in ("invariance", "specialization") for group in ("all", "seen", "unseen")
    }
    assert needed <= set(table.columns)
    assert table.invariance_unseen.between(0, 1).all()
    assert table.specialization_unseen.between(0, 1).all()
    assert (table.n_classes == 60).all()


def test_one_process_gives_the_table_of_two(done, tmp_path):
    serial = SMALL.table(tmp_path, workers=1)
    pd.testing.assert_frame_equal(serial.drop(columns="seconds"), done[1].drop(columns="seconds"), check_exact=True)
    for file in sorted(done[0].glob("*.safetensors")):
        assert file.read_bytes() == (tmp_path / file.name).read_bytes()


def test_the_second_time_trains_nothing(done):
    folder, table = done
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert len(before) == 8
    again = SMALL.table(folder, workers=1)
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def test_invariance_by_hand(done):
    sets, job = SMALL.sets(0), SMALL.job("rotation", 90.0, 30, 0)
    network = train_network(job, sets, done[0]).network
    strength = Strength(TRANSFORMATIONS["rotation"](), 90.0, 0)
    found = last_hidden_layer(network, sets, strength, tau=0.2)
    pair = respond(network, sets, found["layer"], "features", strength)
    clean, turned = pair.clean.double().numpy(), pair.transformed.double().numpy()
    seen = np.isin(np.array(sets.classes)[sets.test_labels.numpy()], network.seen)
    assert clean.shape == (240, 128)
    for group, rows in (("all", seen | True), ("seen", seen), ("unseen", ~seen)):
        values, preferences = [], []
        for unit in range(128):
            peak = max(clean[:, unit].max(), turned[:, unit].max())
            changes = [
                (after - before) / (after + before)
                for before, after in zip(clean[rows, unit], turned[rows, unit], strict=True)
                if max(before, after) > 0.2 * peak
            ]
            if changes:
                values.append(1 - np.mean(np.abs(changes)))
                preferences.append(abs(np.mean(changes)))
        assert found[f"invariance_{group}"] == pytest.approx(np.mean(values), abs=1e-6)
        assert found[f"specialization_{group}"] == pytest.approx(np.mean(preferences), abs=1e-6)
        assert found[f"n_active_{group}"] == len(values)


def test_responses_are_those_of_the_network_without_the_tap(done):
    sets = SMALL.sets(0)
    network = train_network(SMALL.job("inversion", 1.0, 1, 0), sets, done[0]).network
    pair = respond(network, sets, "relu4", "features", Strength(TRANSFORMATIONS["inversion"](), 1.0, 0))
    images = sets.test.batch(list(range(240)))
    with torch.inference_mode():
        for responses, shown in ((pair.clean, images), (pair.transformed, 1 - images)):
            features = network.module[:-1](shown)
            torch.testing.assert_close(responses, features, atol=1e-5, rtol=1e-4)


def test_a_network_that_saw_nothing_has_no_seen_images(done):
    sets = SMALL.sets(0)
    network = train_network(SMALL.job("inversion", 1.0, 0, 0), sets).network
    found = last_hidden_layer(network, sets, Strength(TRANSFORMATIONS["inversion"](), 1.0, 0), 0.1)
    assert found["invariance_seen"] != found["invariance_seen"]
    assert found["n_active_seen"] == 0
    assert found["invariance_unseen"] == found["invariance_all"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_across_category_accuracy_and_invariance_rise_for_inversion_and_not_for_rotation(seed, tmp_path):
    table = replace(AcrossCategory(), seeds=(seed,), k=(1, 54)).table(tmp_path)
    rows = {(row.transformation, row.k): row for row in table.itertuples()}
    inverted, turned = ((rows[name, 54], rows[name, 1]) for name in ("inversion", "rotation"))
    assert inverted[0].across - inverted[1].across > 0.35
    assert turned[0].across < 0.25
    assert inverted[0].across - turned[0].across > 0.35
    assert inverted[1].within > 0.8
    rise = [many.invariance_unseen - few.invariance_unseen for many, few in (inverted, turned)]
    assert rise[0] > 0.2
    assert rise[0] > rise[1] + 0.1
    assert table.clean.min() > 0.93
