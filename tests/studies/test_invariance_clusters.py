import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invariscope.core.errors import SettingError
from invariscope.findings.figures import plain
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.networks.load import load_network
from invariscope.responses.recorder import Strength
from invariscope.statistics.clusters import adjusted_rand
from invariscope.studies.base import STUDIES
from invariscope.studies.cluster_findings import find_all
from invariscope.studies.cluster_layers import NO_CLUSTERS, Layer, clusters_of, halves_of, which_or_how_much
from invariscope.studies.invariance_clusters import InvarianceClusters, look
from invariscope.studies.observed import Observed
from invariscope.studies.tidy import over_seeds
from invariscope.training.image_sets import image_sets
from invariscope.transformations.base import TRANSFORMATIONS

IMAGES = "builtin:glyphs?per_class=4"
TWO = (("inversion", 1.0), ("rotation", 90.0))
STUDY = InvarianceClusters(
    images=IMAGES, transformations=TWO, k=(0, 30), seeds=(0,), epochs=2, assignments=("own",), draws=20
)
NAMES = ("inversion", "gaussian-blur", "rotation")


def layer_of(points: np.ndarray, noise: float = 0.02, seed: int = 0) -> Layer:
    """A layer measured over all images, and over three pairs of halves with an error of their own."""
    random = np.random.Generator(np.random.PCG64(seed))
    halves = points + noise * random.standard_normal((6, *points.shape))
    rows = np.concatenate([points[None], halves]).clip(0, 1)
    return Layer(NAMES, rows, np.full(rows.shape, 50.0), (0.3, 0.3, 0.3))


def two_groups(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """30 units invariant to inversion only, 20 to rotation only."""
    labels = np.repeat([0, 1], [30, 20])
    centres = np.array([[0.9, 0.4, 0.2], [0.2, 0.4, 0.9]])
    points: np.ndarray = centres[labels] + 0.05 * np.random.Generator(np.random.PCG64(seed)).standard_normal((50, 3))
    return points.clip(0, 1), labels


def values_of(table: pd.DataFrame) -> dict[str, float]:
    rows = table[table["transformation"].isna()] if "transformation" in table else table
    return dict(zip(rows["quantity"], rows["value"], strict=True))


def test_units_invariant_to_one_transformation_only_are_told_apart():
    points, labels = two_groups()
    tables = clusters_of(layer_of(points), least=3, most=1000, draws=40)
    values = values_of(tables["results"])
    assert (values["networks with clusters"], values["clusters"], values["units"]) == (1, 2, 50)
    assert values["stability over halves of the images"] == 1
    assert values["stability over draws of units"] > 0.99
    assert values["silhouette beyond shuffled columns"] > 0.1
    assert values["difference by which transformation"] > 0.99
    units = tables["units"]
    assert adjusted_rand((units["cluster"] == "B").to_numpy().astype(np.int64), labels) == 1
    np.testing.assert_array_equal(units[list(NAMES)], points)
    centres = tables["centres"].set_index(["cluster", "transformation"])
    assert centres.loc[("A", "inversion"), "most"] == "inversion"
    assert centres.loc[("B", "inversion"), "most"] == "rotation"
    assert centres.loc[("A", "inversion"), "units"] == 30
    assert centres.loc[("A", "rotation"), "value"] == pytest.approx(points[:30, 2].mean())
    assert centres.loc[("A", "rotation"), "difference"] == pytest.approx(points[:30, 2].mean() - points[:, 2].mean())


def test_units_of_one_blob_have_no_clusters():
    random = np.random.Generator(np.random.PCG64(2))
    tables = clusters_of(layer_of(0.5 + 0.1 * random.standard_normal((50, 3))), least=3, most=1000, draws=40)
    values = values_of(tables["results"])
    assert (values["networks with clusters"], values["clusters"]) == (0, 1)
    assert set(tables["units"]["cluster"]) == {NO_CLUSTERS}
    assert list(tables["centres"]["units"]) == [50, 50, 50]
    assert (tables["centres"]["most"] == "none").all()


def test_units_in_another_order_form_the_same_clusters():
    points, _ = two_groups()
    order = np.random.Generator(np.random.PCG64(1)).permutation(50)
    first, moved = (clusters_of(layer_of(each, 0), least=3, most=1000, draws=30) for each in (points, points[order]))
    assert moved["units"]["cluster"].tolist() == first["units"]["cluster"].to_numpy()[order].tolist()
    once, again = (values_of(tables["results"]) for tables in (first, moved))
    for name in ("silhouette", "silhouette beyond one cloud", "margin of shuffled columns, 95 %"):
        assert once[name] == pytest.approx(again[name])


def test_units_that_few_images_drive_are_left_out():
    points, _ = two_groups()
    layer = layer_of(points)
    layer.n_active[0, 3, 1] = 2
    layer.n_active[1, 4, 0] = 2
    assert layer.known(3, 1000).tolist() == [unit for unit in range(50) if unit != 3]
    assert len(layer.known(3, 20)) == 20
    rows = clusters_of(layer, least=3, most=1000, draws=20)["results"].set_index("quantity")
    assert rows.loc["units", "value"] == 49
    assert rows.loc["stability over halves of the images", "n"] == 49


def test_too_few_units_are_unknown():
    points, _ = two_groups()
    tables = clusters_of(layer_of(points[:5]), least=3, most=1000, draws=20)
    assert "silhouette" not in set(tables["results"]["quantity"])
    nothing = clusters_of(layer_of(points[:0]), least=3, most=1000, draws=20)
    assert values_of(nothing["results"]) == {"units": 0}
    assert nothing["units"].empty


def test_which_transformation_or_how_much_by_hand():
    points = np.array([[0.0, 0.2], [0.0, 0.2], [0.6, 0.2], [0.6, 0.2]])
    # Differences are ∓0.3 and 0: ∓0.15 to all alike and ∓0.15, ±0.15 to one more than to the other.
    assert which_or_how_much(points, np.array([0, 0, 1, 1])) == pytest.approx(0.5)
    assert np.isnan(which_or_how_much(points * 0, np.array([0, 0, 1, 1])))


def test_halves_are_halves():
    rows = halves_of(7, pairs=3)
    assert rows.shape == (7, 7)
    assert rows[0].tolist() == [1] * 7
    for row in (1, 3, 5):
        assert (rows[row] + rows[row + 1]).tolist() == [1] * 7
        assert rows[row].sum() == 3
    assert rows[1].tolist() != rows[3].tolist()


def test_the_study_is_known_by_its_name_and_refuses_what_cannot_be():
    assert STUDIES["invariance-clusters"] is InvarianceClusters
    assert {"smoke", "small", "paper"} == set(InvarianceClusters.scales)
    trainings = replace(STUDY, assignments=("all", "own")).trainings()
    assert [(training.k, training.assignment) for training in trainings] == [(0, "all"), (30, "all"), (30, "own")]
    assert trainings[0].label == "inversion-1+rotation-90"
    for change, message in (
        ({"transformations": TWO[:1]}, "two or more transformations at once"),
        ({"mode": "two-step-finetune"}, "two or more transformations at once, and joint"),
        ({"assignments": ("each",)}, "assignments are all and own; got each"),
        ({"draws": 3}, "draws are 20 or more"),
        ({"transformations": (*TWO, ("rotation", 45.0))}, "rotation is named twice"),
    ):
        with pytest.raises(SettingError, match=message):
            replace(STUDY, **change).check()
    STUDY.check()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, pd.DataFrame]]:
    folder = tmp_path_factory.mktemp("clusters")
    run_grid(STUDY.jobs(), folder, "serial").check()
    return folder, read_tables(STUDY.jobs(), folder)


def test_points_are_the_coefficients_of_the_units(done):
    (file,) = (done[0] / "networks").glob("*-k30-*.safetensors")
    network = load_network(str(file))
    sets = image_sets(IMAGES, None, "builtin:cnn", 0)
    units = done[1]["units"]
    for name, magnitude in TWO:
        strength = Strength(TRANSFORMATIONS[name]().with_fill(network.recipe.fill), magnitude, 0)
        seen = Observed(network, sets, strength)
        expected = seen.units(seen.pairs([seen.site])[seen.site.name])
        expected = expected[expected["group"] == "all"].set_index("unit")["invariance"]
        own = units[(units["k"] == 30) & (units["layer"] == seen.site.name)].set_index("unit")[name]
        np.testing.assert_allclose(own, expected[own.index], atol=1e-6)


def test_tables_say_which_networks_they_are_of(done):
    results = STUDY.results(done[1])
    assert list(results.columns[:6]) == ["assignment", "k", "n_classes", "layer", "transformation", "seed"]
    assert set(zip(results["assignment"], results["k"], strict=True)) == {("none", 0), ("own", 30)}
    within = results[(results["quantity"] == "within") & (results["k"] == 30) & results["seed"].notna()]
    assert list(within["transformation"]) == ["inversion", "rotation"]
    assert within["n"].sum() == 30 * 4
    layers = results["layer"].dropna().unique().tolist()
    assert layers == ["relu1", "relu2", "relu3", "relu4"]
    for layer in layers:
        rows = results[(results["layer"] == layer) & (results["seed"] == 0) & (results["k"] == 30)]
        assert {"silhouette", "clusters", "stability over halves of the images"} <= set(rows["quantity"])


def test_findings_and_figures_fit_the_tables(done):
    results = STUDY.results(done[1])
    tables = {**done[1], "results": results}
    finds = STUDY.findings(results, tables)
    assert sum(find.verdict == "undecided" for find in finds) == 4
    assert finds[-1].sentence.startswith("Trained on x only: networks with clusters")
    shown = json.loads(json.dumps(plain(STUDY.figures())))
    assert [figure["name"] for figure in shown] == ["silhouettes", "stability", "by-layer", "centres-own", "units-own"]
    for figure in shown:
        rows = tables[figure["table"]]
        for column, wanted in figure["where"].items():
            rows = rows[rows[column].isin(wanted if isinstance(wanted, list) else [wanted])]
        assert len(rows)
        assert {figure["x"], figure["y"], figure["panel"]} <= set(rows.columns)


def test_sentences_by_hand():
    points, _ = two_groups()
    tables = []
    for seed in range(3):
        here = clusters_of(layer_of(points, seed=seed), least=3, most=1000, draws=20)
        at = {"assignment": "own", "k": 4, "n_classes": 4, "seed": seed, "layer": "relu"}
        tables.append({name: table.assign(**at) for name, table in here.items()})
    results = over_seeds(pd.concat([each["results"] for each in tables], ignore_index=True))
    centres = pd.concat([each["centres"] for each in tables], ignore_index=True)
    _, formed, cut, named = find_all(results, centres)
    assert formed.verdict == "holds"
    assert "4 of 4 classes seen, relu: units form clusters in 3 of 3 networks (2, 2 and 2 clusters)." in formed.sentence
    assert "to an adjusted Rand index of 1.00, draws of units to 1.00" in cut.sentence
    assert "with seed 1, 30 units most invariant to inversion and 20 units most invariant to rotation" in named.sentence
    level = results["quantity"] == "difference by which transformation"
    (_, alike, _, _) = find_all(results.assign(value=results["value"].mask(level, 0.1)), centres)
    assert alike.verdict == "does not hold"
    single = results["quantity"] == "networks with clusters"
    (_, none, *_) = find_all(results.assign(value=results["value"].mask(single, 0.0)), centres)
    assert none.verdict == "undecided"
    assert "in 0 of 3 networks. The best cut" in none.sentence


def test_one_job_is_the_same_twice_and_finds_its_network(done):
    job = STUDY.jobs()[1]
    before = {file: file.stat().st_mtime_ns for file in (done[0] / "networks").iterdir()}
    again = look(dict(job.settings), done[0])
    assert {file: file.stat().st_mtime_ns for file in (done[0] / "networks").iterdir()} == before
    for name, table in again.items():
        kept = done[1][name]
        pd.testing.assert_frame_equal(table, kept[kept["k"] == 30].reset_index(drop=True), check_dtype=False)
