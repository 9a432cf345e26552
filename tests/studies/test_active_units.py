"""Active units, Goodfellow's threshold and cause: three studies of the same four small networks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from invariscope.findings.figures import plain
from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.networks.load import load_network
from invariscope.responses.recorder import Strength
from invariscope.studies.ablation_cause import AMONG, AblationCause
from invariscope.studies.active_units import COMMON, OWN, ActiveUnits, common_tau
from invariscope.studies.base import STUDIES
from invariscope.studies.goodfellow_comparison import GoodfellowComparison, compared
from invariscope.studies.observed import Observed
from invariscope.studies.silenced import counted, peak_of
from invariscope.tolerance.activity import TAUS
from invariscope.tolerance.goodfellow_ablation import SHARES, firing_thresholds
from invariscope.tolerance.unit_sets import INVARIANT_HALF, RANDOM, VARIANT_HALF
from invariscope.training.image_sets import image_sets
from invariscope.transformations.base import TRANSFORMATIONS

GRID = {"images": "builtin:glyphs?per_class=4", "k": (30, 60), "seeds": (0, 1), "epochs": 4}
GRID["transformations"] = (("inversion", 1.0),)
ACTIVE, FIRING, CAUSE = ActiveUnits(**GRID), GoodfellowComparison(**GRID), AblationCause(**GRID, repeats=3)
CONDITIONS = ["transformation", "magnitude", "k", "n_classes"]
FOUND = ["seed", "quantity", "value", "low", "high", "n", "unit_of_measure", "source"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("studies")


def done_in(folder: Path, study):
    # One folder: a network that one study trained is found by the next.
    run_grid(study.jobs(), folder, "serial").check()
    tables = read_tables(study.jobs(), folder)
    results = study.results(tables)
    return results, {**tables, "results": results}


@pytest.fixture(scope="module")
def active(folder):
    return done_in(folder, ACTIVE)


@pytest.fixture(scope="module")
def firing(folder, active):
    return done_in(folder, FIRING)


@pytest.fixture(scope="module")
def cause(folder, active):
    return done_in(folder, CAUSE)


def observed(folder, k, seed=0):
    """A trained network, found again without the study."""
    (file,) = (folder / "networks").glob(f"inversion-1-k{k}-seed{seed}-*.safetensors")
    sets = image_sets(ACTIVE.images, None, ACTIVE.network, seed)
    network = load_network(str(file))
    strength = Strength(TRANSFORMATIONS["inversion"]().with_fill(network.recipe.fill), 1.0, seed=0)
    return Observed(network, sets, strength, 0.1)


def test_networks_are_shared(folder, active, firing, cause):
    assert len(list((folder / "networks").glob("*.safetensors"))) == 4


def check_tidy(study, results, tables):
    assert list(results.columns[:4]) == CONDITIONS
    assert list(results.columns[-8:]) == FOUND
    assert (results["source"] == study.source).all()
    assert results["quantity"].notna().all()
    assert (results["seed"].isna() | results["seed"].isin([0, 1])).all()
    shown = results[results["low"].notna() & results["high"].notna() & results["seed"].notna()]
    assert (shown["low"] <= shown["value"] + 1e-9).all()
    assert (shown["value"] <= shown["high"] + 1e-9).all()
    findings = study.findings(results, tables)
    assert findings
    for finding in findings:
        assert finding.sentence.endswith(".")
        assert "nan" not in finding.sentence
    for figure in plain(study.figures()):
        table = tables[figure["table"]]
        for column in ("x", "y", "colour", "panel"):
            assert figure.get(column) is None or figure[column] in table.columns, (figure["name"], column)
        for column, wanted in figure["where"].items():
            assert set(wanted if isinstance(wanted, list) else [wanted]) & set(table[column]), (figure["name"], column)


def test_active_units_are_told_and_drawn(active):
    assert STUDIES["active-units"] is ActiveUnits
    check_tidy(ACTIVE, *active)


def test_goodfellow_is_told_and_drawn(firing):
    assert STUDIES["goodfellow-comparison"] is GoodfellowComparison
    results, tables = firing
    # one transformation is not "all together"
    pooled = results[results["quantity"] == "correlation with across"].assign(transformation="all together")
    check_tidy(FIRING, pd.concat([results, pooled]), {**tables, "results": pd.concat([results, pooled])})


def test_cause_is_told_and_drawn(cause):
    assert STUDIES["ablation-cause"] is AblationCause
    check_tidy(CAUSE, *cause)


def test_the_curves_start_at_the_accuracy_that_training_found(active):
    curves, networks = (active[1][name] for name in ("curves", "networks"))
    start = curves[(curves["tau"] == 0) & (curves["silenced"] == "inactive")]
    for images in ("clean", "within", "across"):
        own = start[start["images"] == images]
        assert own["accuracy"].tolist() == pytest.approx(networks[images].tolist(), nan_ok=True)
        assert (own["accuracy"].dropna() == own["unablated"].dropna()).all()
    assert set(curves["tau"]) == set(TAUS)


def test_a_point_of_the_curve_by_a_hook(folder, active):
    seen = observed(folder, 30)
    pair = seen.pairs([seen.site])[seen.site.name]
    threshold = (peak_of(pair).double() * 0.2).float()
    strength, within = counted(seen)["within"]
    for silenced in ("inactive", "active"):

        def zero(_module, _inputs, output, silenced=silenced):
            return output * ((output > threshold) == (silenced == "inactive"))

        handle = dict(seen.network.module.named_modules())[seen.site.name].register_forward_hook(zero)
        try:
            right = (seen.predictions(strength) == seen.labels)[torch.from_numpy(within)]
        finally:
            handle.remove()
        curves = active[1]["curves"]
        where = (curves["k"] == 30) & (curves["seed"] == 0) & (curves["images"] == "within") & (curves["tau"] == 0.2)
        (found,) = curves[where & (curves["silenced"] == silenced)]["accuracy"]
        assert found == pytest.approx(right.float().mean().item(), abs=1 / len(right) + 1e-6)


def test_cardinalities_by_counting(folder, active):
    seen = observed(folder, 60)
    pair = seen.pairs([seen.site])[seen.site.name]
    both = torch.maximum(pair.clean, pair.transformed)
    on = both > 0.1 * both.amax(0)
    table = active[1]["cardinality"]
    own = table[(table["k"] == 60) & (table["seed"] == 0) & np.isclose(table["tau"], 0.1)].set_index("share")
    assert own.loc["of_units", "mean"] == pytest.approx(on.double().mean().item(), abs=1e-4)
    alive = both.amax(0) > 0
    assert own.loc["of_images", "n"] == alive.sum()
    assert own.loc["of_images", "median"] == pytest.approx(on.double().mean(0)[alive].quantile(0.5).item(), abs=1e-3)


def test_each_network_has_its_tau_and_all_have_a_common_one(active):
    results, tables = active
    networks = tables["networks"]
    common = common_tau(networks)
    assert common in set(networks[networks["k"] == 60]["tau"])
    thresholds = results[(results["quantity"] == "activity threshold") & results["seed"].notna()]
    assert thresholds["value"].tolist() == networks["tau"].tolist()
    plain_rows = results[
        (results["quantity"] == "accuracy") & (results["images"] == "within") & results["seed"].notna()
    ]
    assert {OWN, COMMON} <= set(plain_rows["at"])
    # by construction a network's own threshold costs at most one point
    cost = results[(results["quantity"] == "cost") & (results["at"] == OWN) & (results["silenced"] == "inactive")]
    assert (cost[(cost["images"] == "within") & cost["seed"].notna()]["value"] <= 0.01 + 1e-9).all()


def test_common_tau_is_the_lower_median_of_the_networks_with_most_classes():
    table = pd.DataFrame({"k": [60, 60, 60, 60, 1], "tau": [0.1, 0.3, 0.2, np.nan, 0.9]})
    assert common_tau(table) == 0.2
    assert common_tau(table.iloc[:2]) == 0.1
    assert np.isnan(common_tau(table.iloc[3:4]))


def test_every_share_and_every_measure_is_there(firing):
    results, tables = firing
    assert sorted(set(tables["curves"]["share"])) == list(SHARES)
    accuracy = results[(results["quantity"] == "accuracy") & (results["images"] == "within") & results["seed"].notna()]
    kept = accuracy[accuracy["silenced"] == "inactive"].groupby("share")["value"].mean()
    gone = accuracy[accuracy["silenced"] == "active"].groupby("share")["value"].mean()
    # the more fires, the more is kept, and the less is left without it
    assert kept.iloc[-1] > kept.iloc[0]
    assert gone.iloc[-1] < gone.iloc[0]
    assert set(compared().values()) <= set(tables["networks"].columns)
    assert list(compared()) == list(dict.fromkeys(results["measure"].dropna()))
    values = tables["networks"][list(compared().values())]
    assert values[tables["networks"]["k"] == 30].stack().between(0, 1).all()


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_a_column_of_goodfellow_by_its_function(folder, firing, share):
    seen = observed(folder, 30)
    pair = seen.pairs([seen.site])[seen.site.name]
    threshold = firing_thresholds(pair.clean, [share])[0]
    own = torch.from_numpy(counted(seen)["across"][1])
    before, after = pair.clean[own] > threshold, pair.transformed[own] > threshold
    survives = (before & after).sum(0).double() / before.sum(0)
    networks = firing[1]["networks"]
    row = networks[(networks["k"] == 30) & (networks["seed"] == 0)].iloc[0]
    assert row[f"goodfellow_local_unseen_{share:g}"] == pytest.approx(survives.nanmean().item(), abs=1e-3)
    unconditioned = after.double().mean().item()
    assert row[f"goodfellow_local_unconditioned_unseen_{share:g}"] == pytest.approx(unconditioned, abs=1e-3)


def test_costs_count_from_the_accuracy_that_training_found(cause):
    results, tables = cause
    costs, networks = tables["costs"], tables["networks"]
    for images in ("clean", "within", "across"):
        own = costs[costs["images"] == images].groupby(["k", "seed"], sort=False)["unablated"].first()
        assert own.tolist() == pytest.approx(networks[images].tolist(), nan_ok=True)
    chosen = costs[(costs["images"] == AMONG) & (costs["k"] == 30)]
    across = costs[(costs["images"] == "across") & (costs["k"] == 30)]
    # fewer classes to choose from can only help
    assert (chosen["accuracy"].to_numpy() >= across["accuracy"].to_numpy() - 1e-9).all()
    half = costs[costs["kind"].isin([INVARIANT_HALF, VARIANT_HALF])]
    # eight neighbours are split at a time, and of an odd rest one is left out
    assert ((half["n_active"] // 2 - half["n_units"]).isin([0, 1])).all()
    assert (costs[costs["kind"] == RANDOM]["n_sets"] == 3).all()
    name = INVARIANT_HALF.replace(" ", "_"), VARIANT_HALF.replace(" ", "_")
    assert (networks[f"invariance_{name[0]}"] > networks[f"invariance_{name[1]}"]).all()
    apart = networks[f"activity_{name[0]}"] / networks[f"activity_{name[1]}"]
    assert apart.between(0.9, 1.1).all()
    half_rows = results[(results["silenced"] == "half") & (results["kind"] == INVARIANT_HALF)]
    assert {"cost", "accuracy", "cost above its control"} <= set(half_rows["quantity"])
