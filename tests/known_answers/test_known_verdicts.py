"""Networks of which it is known what carries their tolerance of inversion, and groups with different answers."""

import known_networks as networks
import numpy as np
import pytest
from known_images import inverted_set

import invariscope as inv

QUICK = {"device": "cpu", "replicates": 100}
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]


def measured(network, instance=0, counts=(12, 12), **settings):
    images = inverted_set(counts, instance)
    return inv.measure(network, images, transformations={"inversion": [1]}, **QUICK, **settings)


def verdict(run, group="all"):
    rows = run.verdicts[run.verdicts["group"] == group]
    [row] = rows.to_dict("records")
    return row


def last_units(run, group="all"):
    rows = run.units.dropna(subset="magnitude")
    return rows[(rows["layer"] == run.info["last_hidden_site"]) & (rows["group"] == group)].sort_values("unit")


@pytest.mark.parametrize("seed", SEEDS)
def test_units_for_one_version_alone_are_wholly_specialized(seed):
    units = last_units(measured(networks.specialized_pairs(), seed))
    assert units["specialization"].tolist() == [-1, -1, 1, 1]
    assert units["invariance"].tolist() == [0, 0, 0, 0]
    assert units["n_active"].tolist() == [12] * 4


@pytest.mark.parametrize("seed", SEEDS)
def test_tolerance_by_such_pairs_is_other_units(seed):
    row = verdict(measured(networks.specialized_pairs(), seed))
    assert row["relative_accuracy"] == 1
    assert row["tolerated"] is True
    assert (row["invariant_share"], row["specialized_share"], row["neither_share"]) == (0, 1, 0)
    assert row["verdict"] == "other units"
    assert row["n_active"] == 4
    # Without any unit all images are predicted as the first class, with and without the control: half are wrong.
    assert row["ablation_specialized_cost"] == row["ablation_specialized_control"] == 0.5
    assert row["ablation_specialized"] == 0
    assert np.isnan(row["ablation_invariant"])


@pytest.mark.parametrize("seed", SEEDS)
def test_tolerance_by_invariant_units_is_invariance(seed):
    run = measured(networks.invariant_units(), seed)
    units = last_units(run)
    assert units["invariance"].tolist() == [1, 1]
    assert units["specialization"].tolist() == [0, 0]
    assert (units["null"] < 1).all()
    row = verdict(run)
    assert row["tolerated"] is True
    assert (row["invariant_share"], row["specialized_share"], row["neither_share"]) == (1, 0, 0)
    assert row["verdict"] == "invariance"
    assert row["ablation_invariant_cost"] == row["ablation_invariant_control"] == 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_units_of_neither_kind_carry_no_verdict(seed):
    run = measured(networks.weaker_units(), seed)
    units = last_units(run)
    # An inverted image gives 3/8 of the clean response.
    assert units["invariance"].to_numpy() == pytest.approx(1 - 5 / 11, abs=1e-6)
    assert units["specialization"].to_numpy() == pytest.approx(-5 / 11, abs=1e-6)
    row = verdict(run)
    assert row["tolerated"] is True
    assert row["neither_share"] == 1
    assert row["verdict"] == "neither"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_for_clean_images_is_not_tolerant(seed):
    row = verdict(measured(networks.clean_only(), seed))
    assert row["relative_accuracy"] == 0.5
    assert row["tolerated"] is False
    assert row["verdict"] == "not tolerated"


@pytest.mark.parametrize(
    ("network", "kind", "words", "deciding", "others"),
    [
        (networks.few_invariant_units, "invariant", "invariance", 8, 18),
        (networks.few_specialized_pairs, "specialized", "other units", 16, 40),
    ],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_minority_that_decides_is_found_by_silencing_it(network, kind, words, deciding, others, seed):
    """A random set of as many active units holds all deciding ones of a class in one of 200 draws."""
    row = verdict(measured(network(), seed, seed=seed))
    assert row["n_active"] == deciding + others
    assert row[f"{kind}_share"] == pytest.approx(deciding / (deciding + others))
    assert row["neither_share"] == pytest.approx(others / (deciding + others))
    assert row[f"ablation_{kind}_cost"] == 0.5
    assert row[f"ablation_{kind}_control"] == 0
    assert row[f"ablation_{kind}"] == 0.5
    assert 0.2 < row[f"ablation_{kind}_low"] < row[f"ablation_{kind}"] < row[f"ablation_{kind}_high"] < 0.8
    assert row["verdict"] == words


@pytest.mark.parametrize("counts", [(12, 12), (16, 8), (5, 10)])
def test_seen_and_unseen_classes_have_their_own_answers(counts):
    """The first unit answers to class 0 in both versions, and to class 1 when clean only."""
    run = measured(networks.invariant_for_class_0(), counts=counts, group_classes=["zero"])
    first, second = (last_units(run, group).iloc[0] for group in ("seen", "unseen"))
    assert (first["n_images"], second["n_images"]) == counts
    assert (first["invariance"], first["specialization"]) == (1, 0)
    assert (second["invariance"], second["specialization"]) == (0, -1)
    together = last_units(run).iloc[0]
    share = counts[0] / sum(counts)
    assert together["invariance"] == pytest.approx(share, abs=1e-7)
    assert together["specialization"] == pytest.approx(share - 1, abs=1e-7)
    # The other unit is invariant for both, so the layer's means are known too.
    means = run.layers[(run.layers["layer"] == run.info["last_hidden_site"]) & (run.layers["measure"] == "invariance")]
    assert means.set_index("group")["mean"].to_dict() == pytest.approx(
        {"all": (share + 1) / 2, "seen": 1, "unseen": 0.5}
    )
    assert [verdict(run, group)["n_images"] for group in ("all", "seen", "unseen")] == [sum(counts), *counts]


def test_a_unit_that_is_dead_in_one_group_is_unknown_there():
    """Silent for all images of class 1, while class 0 drives it: neither invariant nor without variance by rounding."""
    run = measured(networks.clean_only(), group_classes=["zero"])
    units = run.units[(run.units["layer"] == run.info["last_hidden_site"]) & (run.units["unit"] == 0)]
    seen, unseen = (units[units["group"] == group] for group in ("seen", "unseen"))
    unknown = ["invariance", "specialization", "null", "correlation", "normalized_variance", "goodfellow_local"]
    assert unseen[unknown].isna().all(axis=None)
    for column in ("n_active", "clean_variance", "sample_variance"):
        assert unseen[column].dropna().tolist() == [0]
    assert (seen["invariance"].dropna() == 0).all()
    assert (seen["clean_variance"].dropna() > 0).all()
    rows = run.layers[run.layers["layer"] == run.info["last_hidden_site"]]
    assert set(rows.loc[rows["group"] == "unseen", "n_dead"]) == {1}
    assert set(rows.loc[rows["group"] == "all", "n_dead"]) == {0}
