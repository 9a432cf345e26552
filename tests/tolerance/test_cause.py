import numpy as np
import pytest
import torch
from silent_world import HalfAndHalf, random_tails

from invariscope.measures.functions import invariance_coefficient, specialization
from invariscope.networks.network import as_network
from invariscope.networks.sites import find_sites
from invariscope.responses.recorder import Strength
from invariscope.tolerance.cause import Answers, costs_of_sets, silence_sets
from invariscope.tolerance.passes import Shown
from invariscope.tolerance.silencing import Reading
from invariscope.tolerance.unit_sets import (
    INVARIANT_HALF,
    RANDOM,
    RANKINGS,
    VARIANT_HALF,
    UnitSets,
    counts_to_half,
    make_unit_sets,
    matched_halves,
)
from invariscope.transformations.base import TRANSFORMATIONS

FLIP = Strength(TRANSFORMATIONS["horizontal-flip"](), 1.0, seed=0)


def known_sets(world, **settings):
    clean, flipped = world.clean_rows, world.flipped_rows
    invariance, preference = (
        measure(clean, flipped, tau=0.1).numpy() for measure in (invariance_coefficient, specialization)
    )
    activity = (clean + flipped).mean(0).numpy()
    return make_unit_sets(invariance, preference, activity, np.ones(8, dtype=bool), **settings), invariance, preference


def known_answers(world, sets, strength=FLIP):
    site = next(site for site in find_sites(world.network, torch.zeros(1, 1, 1, 8)) if site.name == "1")
    network = as_network(world.network)
    shown = Shown(network, world.images.fit(network.recipe), site, Reading("features"), 16)
    return silence_sets(shown.tails(strength), sets.masks, torch.from_numpy(world.labels), layout="features")


def test_the_known_network_is_what_it_says():
    _, invariance, preference = known_sets(HalfAndHalf())
    assert invariance.tolist() == [1, 1, 0, 0, 0, 0, 1, 1]
    assert preference.tolist() == [0, 0, -1, -1, 1, 1, 0, 0]


@pytest.mark.parametrize("strength", [None, FLIP], ids=["clean", "flipped"])
def test_silencing_what_carries_the_class_leaves_chance(strength):
    world = HalfAndHalf()
    sets, _, _ = known_sets(world, seed=1)
    table = costs_of_sets(sets, known_answers(world, sets, strength)).set_index(["kind", "n_units"])
    assert (table["unablated"] == 1).all()
    # all four invariant units: the bias answers, right for one class of two
    assert table.loc[("most invariant", 4), "accuracy"] == 0.5
    for kind in ("most specialized", "least invariant"):
        for count in (1, 2, 4):
            assert table.loc[(kind, count), "cost"] == 0
    for kind in ("towards clean", "towards transformed"):
        assert table.loc[(kind, 2), "cost"] == 0
    # one of the two units of a class is enough
    assert table.loc[("most invariant", 1), "cost"] == 0
    random = table.loc[(RANDOM, 4)]
    assert random["n_sets"] == 10
    assert 0 <= random["cost"] < 0.5
    invariant = table.loc[("most invariant", 4)]
    assert invariant["excess"] == pytest.approx(invariant["cost"] - random["cost"])
    assert invariant["excess_low"] > 0


def test_the_first_units_of_every_ranking():
    sets, _, _ = known_sets(HalfAndHalf(), counts=[2])
    chosen = {kind: set(np.flatnonzero(mask)) for kind, mask in zip(sets.kinds, sets.masks, strict=True)}
    assert chosen["most invariant"] <= set(HalfAndHalf.invariant)
    assert chosen["towards clean"] == set(HalfAndHalf.clean)
    assert chosen["towards transformed"] == set(HalfAndHalf.flipped)
    assert chosen["least invariant"] <= {2, 3, 4, 5}
    assert chosen["most specialized"] <= {2, 3, 4, 5}


def test_sets_of_one_order_hold_each_other_and_random_ones_are_active():
    active = np.arange(20) < 15
    values = np.random.default_rng(0).random((3, 20))
    sets = make_unit_sets(*values, active, repeats=3, seed=4)
    assert set(sets.n_units) == {1, 2, 4, 7}
    assert set(sets.kinds) == {*RANKINGS, RANDOM, INVARIANT_HALF, VARIANT_HALF}
    assert not (sets.masks & ~active).any()
    assert (sets.masks.sum(1) == sets.n_units).all()
    for start in range(0, (len(RANKINGS) + 3) * 4, 4):
        for small, large in zip(sets.masks[start : start + 3], sets.masks[start + 1 : start + 4], strict=True):
            assert (small <= large).all()
    again = make_unit_sets(*values, active, repeats=3, seed=4)
    assert (again.masks == sets.masks).all()
    assert not (make_unit_sets(*values, active, repeats=3, seed=5).masks == sets.masks).all()


def test_matched_halves_are_alike_in_activity_and_differ_in_invariance():
    draw = np.random.default_rng(3)
    activity = draw.random(101)
    # the more active, the more invariant: unmatched halves would differ in both
    invariance = 0.5 * activity + 0.5 * draw.random(101)
    contrast = []
    for stratum, apart in ((2, 0.01), (8, 0.03)):
        more, less = matched_halves(invariance, activity, np.ones(101, dtype=bool), stratum)
        assert more.sum() == less.sum() == 50
        assert not (more & less).any()
        assert activity[more].mean() == pytest.approx(activity[less].mean(), abs=apart)
        contrast.append(invariance[more].mean() - invariance[less].mean())
    assert contrast[1] > contrast[0] > 0.1
    plain = invariance > np.median(invariance)
    assert activity[plain].mean() > activity[~plain].mean() + 0.1


def test_matched_halves_take_active_units_alone():
    more, less = matched_halves(np.array([0.1, np.nan, 0.9]), np.array([0.5, 0.5, 0.5]), np.array([True, False, True]))
    assert (more.tolist(), less.tolist()) == ([False, False, True], [True, False, False])


@pytest.mark.parametrize(
    ("n", "counts"), [(0, ()), (1, ()), (2, (1,)), (3, (1,)), (4, (1, 2)), (100, (1, 2, 4, 8, 16, 32, 50))]
)
def test_counts_go_to_half(n, counts):
    assert counts_to_half(n) == counts


def test_too_few_active_units_make_no_sets():
    none = make_unit_sets(*np.zeros((3, 5)), np.arange(5) < 1)
    assert none.masks.shape == (0, 5)
    tails, labels, _ = random_tails(units=5)
    answers = silence_sets(tails, none.masks, labels, layout="features")
    assert answers.without.shape == (0, 60)
    assert costs_of_sets(none, answers).empty


@pytest.mark.parametrize("cuts", [(1, 59), (20, 20, 20)])
def test_batches_do_not_matter(cuts):
    masks = np.random.default_rng(0).random((6, 12)) < 0.4
    whole, parts = (silence_sets(*_given(random_tails(cuts=each), masks), layout="features") for each in ((60,), cuts))
    assert (whole.without == parts.without).all()
    assert (whole.plain == parts.plain).all()


def _given(world, masks):
    tails, labels, _ = world
    return tails, masks, labels


def test_equals_weights_of_zero():
    """An independent way to silence a unit: its weights are 0."""
    (tail,), labels, activation = random_tails()
    masks = np.random.default_rng(1).random((8, 12)) < 0.5
    found = silence_sets([tail], masks, labels, layout="features")
    for mask, right in zip(masks, found.without, strict=True):
        weights = tail._weights * ~torch.from_numpy(mask)[:, None]
        assert (right == ((activation @ weights + tail._bias).argmax(1) == labels).numpy()).all()


def test_the_answer_can_be_one_of_some_classes():
    (tail,), labels, activation = random_tails()
    masks, classes = np.random.default_rng(1).random((3, 12)) < 0.5, torch.tensor([True, False, True, True, False])
    found = silence_sets([tail], masks, labels, layout="features", classes=classes)
    few = torch.tensor([0, 2, 3])
    for mask, right in zip(masks, found.without, strict=True):
        scores = (activation * ~torch.from_numpy(mask)) @ tail._weights + tail._bias
        assert (right == (few[scores[:, few].argmax(1)] == labels).numpy()).all()
    assert not found.plain[(labels == 1) | (labels == 4)].any()


def test_costs_by_hand():
    # two random sets of one unit; plain 4 of 4 right
    sets = UnitSets(("most invariant", RANDOM, RANDOM), (1, 1, 1), np.eye(3, dtype=bool))
    without = np.array([[0, 0, 0, 1], [1, 1, 1, 1], [1, 1, 0, 0]], dtype=bool)
    table = costs_of_sets(sets, Answers(np.ones(4, dtype=bool), without)).set_index("kind")
    assert table.loc["most invariant", ["cost", "accuracy", "excess", "n_sets"]].tolist() == [0.75, 0.25, 0.5, 1]
    assert table.loc[RANDOM, ["cost", "accuracy", "n_sets", "n"]].tolist() == [0.25, 0.75, 2, 4]
    assert np.isnan(table.loc[RANDOM, "excess"])
    assert table.loc["most invariant", "control"] == RANDOM


def test_the_matched_halves_are_compared_with_each_other():
    sets = UnitSets((INVARIANT_HALF, VARIANT_HALF), (1, 1), np.eye(2, dtype=bool))
    draw = np.random.default_rng(0)
    without = np.stack([draw.random(500) < 0.4, draw.random(500) < 0.8])
    table = costs_of_sets(sets, Answers(np.ones(500, dtype=bool), without)).set_index("kind")
    row = table.loc[INVARIANT_HALF]
    assert row["control"] == VARIANT_HALF
    assert row["excess"] == pytest.approx(without[1].mean() - without[0].mean())
    # the interval is that of a mean of paired differences
    spread = (without[1].astype(float) - without[0]).std() / 500**0.5
    assert row["excess_high"] - row["excess_low"] == pytest.approx(2 * 1.96 * spread, rel=0.12)


def test_no_images_are_unknown():
    sets = UnitSets((RANDOM,), (1,), np.eye(1, dtype=bool))
    table = costs_of_sets(sets, Answers(np.zeros(0, dtype=bool), np.zeros((1, 0), dtype=bool)))
    assert table["n"].tolist() == [0]
    assert table[["accuracy", "cost", "low", "high", "excess", "unablated"]].isna().all(axis=None)
