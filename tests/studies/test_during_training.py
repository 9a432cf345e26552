import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from invariscope.findings.figures import plain
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.responses.recorder import Strength
from invariscope.studies.across_category import last_hidden_units, network_row
from invariscope.studies.base import STUDIES
from invariscope.studies.during_findings import find_all
from invariscope.studies.during_gains import gains, units_above, when
from invariscope.studies.during_training import DuringTraining, look
from invariscope.studies.observed import Observed
from invariscope.studies.tidy import found, over_seeds
from invariscope.training.image_sets import image_sets
from invariscope.training.paradigm import seen_classes
from invariscope.training.settings import Training
from invariscope.training.train import train_network
from invariscope.transformations.base import TRANSFORMATIONS

IMAGES = "builtin:glyphs?per_class=4"
STUDY = DuringTraining(images=IMAGES, transformations=(("inversion", 1.0),), k=(30,), seeds=(0,), epochs=2)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, pd.DataFrame]]:
    folder = tmp_path_factory.mktemp("during")
    run_grid(STUDY.jobs(), folder, "serial").check()
    return folder, read_tables(STUDY.jobs(), folder)


def test_the_study_is_known_by_its_name():
    assert STUDIES["during-training"] is DuringTraining
    assert {"smoke", "small", "paper"} == set(DuringTraining.scales)


def test_networks_trained_on_x_only_are_always_added():
    assert [training.k for training in STUDY.trainings()] == [0, 30]
    assert [training.k for training in replace(STUDY, k=(0, 1, 30)).trainings()] == [0, 1, 30]
    splits = {job.settings["training"]["k"]: job.settings["splits"] for job in replace(STUDY, k=(1, 30)).jobs()}
    assert splits == {0: [0, 1, 30], 1: [1], 30: [30]}


@pytest.mark.parametrize(
    ("values", "level", "epoch"),
    [
        ([0, 1], 0.5, 0.5),
        ([0, 0.2, 0.6, 1.0], 0.5, 1.75),
        ([0, 0.6, 0.2, 1.0], 0.5, 5 / 6),
        ([0.5, 1], 0.5, 0),
        ([0, 0, 0.5], 0.5, 2),
        ([0, 0.4], 0.5, math.nan),
    ],
)
def test_when_a_curve_reaches_a_level_by_hand(values, level, epoch):
    assert when(values, level) == pytest.approx(epoch, nan_ok=True)


def rows_of(k: int, split: int, quantity: str, group: str, values: list[float]) -> list[dict[str, object]]:
    at = {"transformation": "inversion", "magnitude": 1.0, "k": k, "n_classes": 4, "seed": 0, "split": split}
    return [found(quantity, value, epoch=epoch, group=group, **at) for epoch, value in enumerate(values)]


def by_hand() -> pd.DataFrame:
    rows = [
        *rows_of(2, 2, "invariance", "unseen", [0.2, 0.6, 0.8]),
        *rows_of(2, 2, "across", "unseen", [0.1, 0.1, 0.7]),
        *rows_of(2, 2, "within", "seen", [0.0, 0.5, 0.9]),
        *rows_of(2, 2, "clean", "all", [0.1, 0.9, 0.9]),
        *rows_of(0, 2, "invariance", "unseen", [0.2, 0.3, 0.4]),
        *rows_of(0, 2, "across", "unseen", [0.1, 0.1, 0.1]),
        *rows_of(0, 2, "within", "seen", [0.0, 0.5, 0.85]),
        *rows_of(0, 1, "across", "unseen", [0.9, 0.9, 0.9]),
    ]
    for name, values in (("lower quartile", [0, 0.1, 0.3]), ("median", [0, 0, 0.2]), ("upper quartile", [0, 0, 0.1])):
        rows += rows_of(2, 2, name, "all", values) + rows_of(0, 0, name, "all", [0.0, 0.0, 0.0])
    return pd.DataFrame(rows)


def test_gains_by_hand():
    more = gains(by_hand())
    values = {name: own["value"].tolist() for name, own in more.groupby("quantity")}
    assert values["gain of invariance"] == pytest.approx([0, 0.3, 0.4])
    assert values["gain of accuracy across"] == pytest.approx([0, 0, 0.6])
    assert values["gain of clean accuracy"] == pytest.approx([0, 0.8, 0.8])
    assert values["gain of accuracy within"] == pytest.approx([0, 0, 0.05])
    assert values["progress of invariance"] == pytest.approx([0, 0.75, 1])
    assert values["shift of the lower quartile"] == pytest.approx([0, 0.1, 0.3])
    assert values["epochs to half of invariance"] == pytest.approx([2 / 3])
    assert values["epochs to half of accuracy across"] == pytest.approx([1.5])
    assert values["epochs to half of clean accuracy"] == pytest.approx([0.5])
    assert values["lead of invariance over accuracy across"] == pytest.approx([5 / 6])
    assert values["lead of invariance over clean accuracy"] == pytest.approx([-1 / 6])
    # A gain of 5 points has no half worth timing.
    assert "progress of accuracy within" not in values
    assert math.isnan(values["epochs to half of accuracy within"][0])


def test_the_units_above_the_median_of_x_only_by_hand():
    at = {"transformation": "inversion", "magnitude": 1.0, "n_classes": 4, "seed": 0, "epoch": 1, "group": "all"}
    units = pd.DataFrame(
        [{**at, "k": 0, "split": 0, "invariance": value} for value in (0.1, 0.5, 0.9, math.nan)]
        + [{**at, "k": 2, "split": 2, "invariance": value} for value in (0.5, 0.6, 0.7, 0.2, math.nan)]
        + [{**at, "k": 2, "split": 2, "invariance": 1.0, "group": "unseen"}]
    )
    (row,) = units_above(units).to_dict("records")
    assert (row["k"], row["epoch"], row["n"]) == (2, 1, 4)
    assert row["value"] == 0.5


def test_sentences_by_hand():
    rows = [by_hand().assign(seed=seed) for seed in (0, 1, 2)]
    rows = [table.assign(value=table["value"] * (1 + 0.01 * seed)) for seed, table in enumerate(rows)]
    table = pd.concat([*rows, *(gains(each) for each in rows)], ignore_index=True)
    at = {"transformation": "inversion", "magnitude": 1.0, "n_classes": 4, "split": 2, "group": "all"}
    more = [
        found("units above the x-only median", 0.9 + seed / 100, k=2, epoch=2, seed=seed, **at) for seed in range(3)
    ]
    for k in (0, 2):
        at |= {"split": k}
        more += [found("units above the starting median", 0.8, k=k, epoch=2, seed=seed, **at) for seed in range(3)]
    for quantity in ("invariance", "null"):
        more += [found(quantity, 0.3, k=0, epoch=epoch, seed=0, **{**at, "split": 0}) for epoch in range(3)]
    results = over_seeds(pd.concat([table, pd.DataFrame(more)], ignore_index=True))
    lead, most, since, ends, _ = find_all(results)
    assert lead.verdict == "holds"
    assert "invariance leads accuracy by 0.83 epochs (95 % in 0.83 to 0.83 over 3 seeds)" in lead.sentence
    assert most.verdict == "holds"
    assert "shifted by +0.30, +0.20 and +0.10" in most.sentence
    assert "91\u202f% of the units lie above its median" in most.sentence
    assert since.sentence.endswith("of a network trained on x only, 80\u202f% do.")
    assert "has gained +0.40 at the end with 2 classes seen transformed, accuracy on them +61 points" in ends.sentence
    small = results["quantity"].isin(["epochs to half of accuracy across"])
    (late, *_) = find_all(results.assign(value=results["value"].mask(small)))
    assert late.verdict == ""
    assert "less than 10 points of accuracy on unseen classes, so there is no half of it to be timed" in late.sentence


def test_every_epoch_is_looked_at(done):
    table = done[1]["results"]
    for k, split in ((0, 0), (0, 30), (30, 30)):
        own = table[(table["k"] == k) & (table["split"] == split)]
        assert sorted(own["epoch"].unique()) == [0, 1, 2]
        assert not own.duplicated(["epoch", "group", "quantity"]).any()
    assert not list((done[0]).glob("networks/*"))


def test_both_networks_begin_as_the_same(done):
    rows = done[1]["results"]
    start = rows[(rows["epoch"] == 0) & (rows["split"] == 30)].set_index(["quantity", "group"])["value"]
    of = rows[(rows["epoch"] == 0) & (rows["split"] == 30)].set_index(["quantity", "group"])["k"]
    for quantity, group in (("across", "unseen"), ("within", "seen"), ("invariance", "unseen")):
        plain_value, own_value = (start[of == k].loc[(quantity, group)] for k in (0, 30))
        assert plain_value == own_value


def test_the_last_epoch_is_what_a_study_of_the_finished_network_finds(done):
    sets = image_sets(IMAGES, None, "builtin:cnn", 0)
    trained = train_network(Training("builtin:cnn", "inversion", 1.0, 30, 0, STUDY.schedule, each_epoch=True), sets)
    strength = Strength(TRANSFORMATIONS["inversion"](), 1.0, 0)
    seen = Observed(trained.network, sets, strength, row=trained.row)
    row = network_row(seen, last_hidden_units(seen))
    rows = done[1]["results"]
    own = rows[(rows["k"] == 30)].set_index(["epoch", "group", "quantity"])["value"]
    for epoch in (1, 2):
        for name, group in (("clean", "all"), ("within", "seen"), ("across", "unseen")):
            assert own[epoch, group, name] == trained.history[epoch - 1][name]
    for group in ("all", "seen", "unseen"):
        for name in ("invariance", "specialization", "null"):
            assert own[2, group, name] == pytest.approx(row[f"{name}_{group}"], abs=1e-5)


def test_x_only_is_measured_on_the_classes_of_the_other_network(done):
    rows = done[1]["results"]
    job = Training("builtin:cnn", "inversion", 1.0, 0, 0, STUDY.schedule)
    sets = image_sets(IMAGES, None, "builtin:cnn", 0)
    network = train_network(job, sets).network
    labels = torch.tensor(seen_classes(60, 30, 0))
    seen = Observed(network, sets, Strength(TRANSFORMATIONS["inversion"](), 1.0, 0))
    right = seen.predictions(seen.strength) == sets.test_labels
    member = torch.isin(sets.test_labels, labels)
    own = rows[(rows["k"] == 0) & (rows["split"] == 30) & (rows["epoch"] == 2)].set_index("quantity")["value"]
    assert own["within"] == pytest.approx(right[member].double().mean().item())
    assert own["across"] == pytest.approx(right[~member].double().mean().item())


def test_quartiles_are_those_of_the_units(done):
    rows, units = done[1]["results"], done[1]["units"]
    for k in (0, 30):
        for epoch in (0, 1, 2):
            own = units[(units["k"] == k) & (units["epoch"] == epoch) & (units["group"] == "all")]["invariance"]
            values = rows[(rows["k"] == k) & (rows["split"] == k) & (rows["epoch"] == epoch)]
            values = values[values["group"] == "all"].set_index("quantity")["value"]
            assert values["median"] == pytest.approx(own.median())
            assert values["lower quartile"] == pytest.approx(own.dropna().sort_values().quantile(0.25))
            start = units[(units["k"] == k) & (units["epoch"] == 0) & (units["group"] == "all")]["invariance"].median()
            assert values["units above the starting median"] == pytest.approx((own.dropna() > start).mean())


def test_results_findings_and_figures_fit_one_another(done):
    results = STUDY.results(done[1])
    conditions = ["transformation", "magnitude", "k", "n_classes", "split", "epoch", "group", "seed"]
    assert list(results.columns) == [*conditions, "quantity", "value", "low", "high", "n", "unit_of_measure", "source"]
    assert len(STUDY.findings(results, done[1])) == 5
    tables = {**done[1], **STUDY.more(done[1], results), "results": results}
    for figure in json.loads(json.dumps(plain(STUDY.figures()))):
        rows = tables[figure["table"]]
        for column, wanted in figure["where"].items():
            rows = rows[rows[column].isin(wanted if isinstance(wanted, list) else [wanted])]
        assert len(rows) or figure["name"] == "progress"
        assert {figure["x"], figure["y"], figure["colour"], figure["panel"]} <= set(rows.columns)


def test_one_job_is_the_same_twice(done, tmp_path):
    (job,) = [job for job in STUDY.jobs() if job.settings["training"]["k"] == 30]
    again = look(dict(job.settings), tmp_path)
    for name, table in again.items():
        kept = done[1][name]
        pd.testing.assert_frame_equal(table, kept[kept["k"] == 30].reset_index(drop=True), check_dtype=False)
