import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from invariscope.core.errors import SettingError, UnknownNameError
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.networks.load import load_network
from invariscope.responses.recorder import Strength
from invariscope.studies.across_category import AcrossCategory, last_hidden_units, network_row
from invariscope.studies.base import STUDIES
from invariscope.studies.correlations import CENTRED, POOLED
from invariscope.studies.observed import Observed
from invariscope.training.image_sets import image_sets
from invariscope.transformations.base import TRANSFORMATIONS

IMAGES = "builtin:glyphs?per_class=4"
SMALL = AcrossCategory(images=IMAGES, k=(1, 30), seeds=(0,), epochs=1)


def done_in(folder: Path, study: AcrossCategory, engine: str = "serial") -> Mapping[str, pd.DataFrame]:
    run_grid(study.jobs(), folder, engine).check()
    return read_tables(study.jobs(), folder)


def hashes(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_study_is_known_by_its_name():
    assert STUDIES["across-category"] is AcrossCategory


def test_jobs_are_the_whole_grid_and_do_not_depend_on_it():
    jobs = replace(SMALL, k=(1, 15, 30, 45, 54), seeds=(0, 1)).jobs()
    assert len({job.key for job in jobs}) == 20
    assert {job.settings["training"]["k"] for job in jobs} == {1, 15, 30, 45, 54}
    assert {job.key for job in SMALL.jobs()} < {job.key for job in jobs}


@pytest.mark.parametrize("change", [{"tau": 0.2}, {"epochs": 2}, {"images": "builtin:glyphs"}, {"layer": "relu1"}])
def test_what_decides_a_result_decides_its_key(change):
    assert not {job.key for job in SMALL.jobs()} & {job.key for job in replace(SMALL, **change).jobs()}


def test_scales_and_settings():
    assert AcrossCategory.at("smoke").seeds == (0,)
    assert AcrossCategory.at("small", epochs=3).epochs == 3
    with pytest.raises(SettingError, match="scale is smoke, small or paper; got 'tiny'"):
        AcrossCategory.at("tiny")
    with pytest.raises(SettingError, match="Did you mean 'epochs'"):
        AcrossCategory.at("small", epoch=3)


def test_settings_that_cannot_be_trained_are_refused_before_any_work():
    with pytest.raises(SettingError, match="from 0 to all 60 of builtin:glyphs"):
        replace(SMALL, k=(1, 61)).check()
    with pytest.raises(UnknownNameError, match="Did you mean 'inversion'"):
        replace(SMALL, transformations=(("inversoin", 1.0),)).check()
    with pytest.raises(SettingError, match="at least one seed"):
        replace(SMALL, seeds=()).check()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, pd.DataFrame]]:
    folder = tmp_path_factory.mktemp("study")
    return folder, done_in(folder, SMALL, "processes:2")


def test_a_row_per_network_says_all_that_the_figure_needs(done):
    table = done[1]["networks"]
    assert list(table.k) == [1, 1, 30, 30]
    assert list(table.transformation) == ["inversion", "rotation"] * 2
    needed = {"magnitude", "n_classes", "seed", "network", "layer", "tau"}
    for part in ("clean", "within", "across"):
        needed |= {part, f"{part}_low", f"{part}_high", f"{part}_n"}
    for column in ("invariance", "specialization", "null", "n_active"):
        needed |= {f"{column}_{group}" for group in ("all", "seen", "unseen")}
    assert needed <= set(table.columns)
    assert "seconds" not in table.columns
    assert table.invariance_unseen.between(0, 1).all()
    assert (table.n_classes == 60).all()


def test_results_are_tidy(done):
    results = SMALL.results(done[1])
    conditions = ["transformation", "magnitude", "k", "n_classes", "group", "seed"]
    assert list(results.columns) == [*conditions, "quantity", "value", "low", "high", "n", "unit_of_measure", "source"]
    within = results[(results.quantity == "within") & results.seed.notna()]
    assert list(within.value) == list(done[1]["networks"].within)
    pooled = results[results.quantity == "correlation of invariance with across"]
    assert list(pooled.transformation) == ["inversion", "rotation", POOLED, CENTRED]
    assert SMALL.findings(results, done[1])


def test_one_process_leaves_the_bytes_of_two(done, tmp_path):
    done_in(tmp_path, SMALL)
    assert hashes(tmp_path / "jobs") == hashes(done[0] / "jobs")
    for file in sorted((done[0] / "networks").glob("*.safetensors")):
        assert file.read_bytes() == (tmp_path / "networks" / file.name).read_bytes()


def test_the_second_time_trains_nothing(done):
    outcome = run_grid(SMALL.jobs(), done[0], "serial")
    assert (outcome.done, outcome.found) == (0, 4)


def observed(folder: Path, name: str, magnitude: float, k: int, tau: float) -> Observed:
    (file,) = (folder / "networks").glob(f"{name}-{magnitude:g}-k{k}-*.safetensors")
    strength = Strength(TRANSFORMATIONS[name](), magnitude, 0)
    row = {"transformation": name, "magnitude": magnitude, "k": k, "seed": 0}
    return Observed(load_network(str(file)), image_sets(IMAGES, None, "builtin:cnn", 0), strength, tau, row=row)


def test_invariance_by_hand(done):
    seen_network = observed(done[0], "rotation", 90.0, 30, tau=0.2)
    found = network_row(seen_network, last_hidden_units(seen_network))
    pair = seen_network.pairs([seen_network.site])[found["layer"]]
    clean, turned = pair.clean.double().numpy(), pair.transformed.double().numpy()
    names = np.array(seen_network.sets.classes)[seen_network.labels.numpy()]
    seen = np.isin(names, seen_network.network.seen)
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
    seen = observed(done[0], "inversion", 1.0, 1, tau=0.1)
    pair = seen.pairs([seen.site])["relu4"]
    images = seen.sets.test.batch(list(range(240)))
    normalise = seen.network.recipe.normalise
    seen.network.module.eval()
    assert isinstance(seen.network.module, nn.Sequential)
    with torch.inference_mode():
        for responses, shown in ((pair.clean, images), (pair.transformed, 1 - images)):
            torch.testing.assert_close(responses, seen.network.module[:-1](normalise(shown)), atol=1e-5, rtol=1e-4)
        said = seen.network.module(normalise(images)).argmax(1)
    assert torch.equal(seen.predictions(None), said)


def test_a_network_that_saw_nothing_has_no_seen_images(tmp_path):
    study = replace(SMALL, k=(0,), transformations=(("inversion", 1.0),))
    row = done_in(tmp_path, study)["networks"].iloc[0]
    assert row.invariance_seen != row.invariance_seen
    assert row.n_active_seen == 0
    assert row.invariance_unseen == row.invariance_all
    assert json.loads(next((tmp_path / "networks").glob("*.json")).read_text())["settings"]["k"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_across_category_accuracy_and_invariance_rise_for_inversion_and_not_for_rotation(seed, tmp_path):
    table = done_in(tmp_path, AcrossCategory(seeds=(seed,), k=(1, 54)), "processes:2")["networks"]
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
