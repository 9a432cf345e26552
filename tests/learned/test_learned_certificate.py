"""The certificate: which scale it names, on which images, and that it is not fooled by its own choice."""

import numpy as np
import pandas as pd
import pytest
import torch
from learned_world import OneProjection, colour_fields

from invariscope.learned.certificate import certify, kept_predictions
from invariscope.learned.controls import alone, corners, shared
from invariscope.learned.examine import Examiner
from invariscope.learned.learn import learn_transformer, strength_of
from invariscope.learned.module import TransformerNet
from invariscope.learned.responses import make_objective
from invariscope.learned.settings import LearnSettings
from invariscope.networks.network import as_network
from invariscope.networks.recipe import Recipe
from invariscope.statistics.proportions import wilson


class Told(Examiner):
    """Answers what it is told: the accuracy at a scale, lower for one setting of k."""

    def __init__(self, levels, worst=None, clean=1.0, n=100):
        self.places = torch.arange(n)
        self.clean = _hits(clean, n)
        self._levels, self._worst, self.asked = levels, worst or {}, []

    def quality(self, scale, controls):
        self.asked.append(scale)
        level = self._levels.get(scale, self.clean.mean())
        rows = [_hits(level, len(self.places)) for _ in controls]
        for place, control in enumerate(controls):
            if control.name == "colour 1, 1; spatial 1, 1":
                rows[place] = _hits(self._worst.get(scale, level), len(self.places))
        return np.stack(rows)


def _hits(level, n):
    return (np.arange(n) < round(level * n)).astype(np.float64)


HEADS = ("colour", "spatial")
SETTINGS = LearnSettings(scales=(0.25, 0.5, 0.75, 1.0), k_grid=2)


def test_the_largest_scale_at_which_every_k_holds():
    # Not monotone: ½ fails, ¾ holds. Bisection would have missed it.
    levels = {0.25: 0.99, 0.5: 0.9, 0.75: 0.97, 1.0: 0.96}
    found = certify(Told(levels, {1.0: 0.94}), Told(levels, {1.0: 0.94}), HEADS, SETTINGS)
    assert (found.scale, found.scale_of_worst, found.scale_of_mean) == (0.75, 0.75, 1.0)
    assert (found.mean, found.worst) == pytest.approx((0.97, 0.97))
    assert found.required == pytest.approx(0.95)
    mean = certify(
        Told(levels, {1.0: 0.94}), Told(levels, {1.0: 0.94}), HEADS, LearnSettings(**_plain(criterion="mean"))
    )
    assert (mean.scale, mean.worst, mean.worst_control) == (1.0, 0.94, "colour 1, 1; spatial 1, 1")


def _plain(**changes):
    return {"scales": SETTINGS.scales, "k_grid": SETTINGS.k_grid} | changes


def test_images_that_certify_are_not_those_that_proposed():
    lucky, honest = dict.fromkeys(SETTINGS.scales, 1.0), {0.25: 0.96, 0.5: 0.9, 0.75: 0.9, 1.0: 0.9}
    judge = Told(honest)
    found = certify(Told(lucky), judge, HEADS, SETTINGS)
    assert found.scale == 0.25
    assert found.tried == 4
    assert found.mean == pytest.approx(0.96)
    # And where the first half does not propose, the second is not asked.
    judge = Told(lucky)
    assert certify(Told(honest), judge, HEADS, SETTINGS).scale == 0.25
    assert 1.0 not in judge.asked


def test_exactly_the_required_share_holds():
    levels = dict.fromkeys(SETTINGS.scales, 0.76)
    assert certify(Told(levels, clean=0.8), Told(levels, clean=0.8), HEADS, SETTINGS).scale == 1.0


def test_nothing_found_is_scale_0():
    levels = dict.fromkeys(SETTINGS.scales, 0.5)
    found = certify(Told(levels), Told(levels), HEADS, SETTINGS)
    assert (found.scale, found.mean, found.worst, found.tried) == (0, 1, 1, 0)


def test_intervals_are_wilsons_and_rows_name_their_setting():
    levels = {0.25: 0.96, 0.5: 0.5, 0.75: 0.5, 1.0: 0.5}
    table = certify(Told(levels), Told(levels), HEADS, SETTINGS).table
    low, high = wilson(96, 100)
    row = table[(table.part == "certify") & (table.control == "colour 0, 1; spatial 1, 0")].iloc[0]
    assert (row["head"], row.n, row.low, row.high) == ("corners", 100, low, high)
    assert np.isnan(row.k1)
    assert not table.duplicated(["part", "scale", "head", "control"]).any()
    certified = table[(table.part == "certify") & (table.scale == 0.25)]
    assert len(certified) == 3 + 6 + 12


def test_settings_of_k():
    assert len(shared(HEADS, 5, origin=True)) == 25
    assert len(alone(HEADS, 5, origin=False)) == 48
    assert alone(("colour",), 5, origin=True) == []
    assert len({control.name for control in corners(HEADS)}) == 12
    assert {len(set(control.k.values())) for control in corners(("colour", "convolution", "spatial"))} == {2}


@pytest.fixture(scope="module")
def examined():
    network, net = as_network(OneProjection()), TransformerNet(init_std=0.3, seed=2)
    images = colour_fields(network.module, n=60).fit(Recipe())
    objective = make_objective(network, images, LearnSettings())
    return network, net, images, objective


def test_the_examiner_counts_what_the_network_answers(examined):
    network, net, images, objective = examined
    places = torch.arange(5, 45)
    controls = [*shared(net.heads, 2, origin=True), *corners(net.heads)]
    found = Examiner(net, network, images, objective, places, 7).quality(0.5, controls)
    pixels, labels = images.pixels[places], torch.from_numpy(images.labels)[places]
    with torch.no_grad():
        for control, row in zip(controls, found, strict=True):
            k = {head: torch.tensor(pair) for head, pair in control.k.items()}
            right = network(net(pixels, k, scale=0.5)).argmax(1) == labels
            assert row.tolist() == right.tolist()
    assert 0 < found.mean() < 1
    np.testing.assert_array_equal(found, Examiner(net, network, images, objective, places, 64).quality(0.5, controls))


def test_kept_predictions_by_class(examined):
    network, net, images, objective = examined
    examiner = Examiner(net, network, images, objective, torch.arange(60))
    table = kept_predictions(examiner, net.heads, LearnSettings(k_grid=3), [1.0], objective.classes)
    still = table[(table.k1 == 0) & (table.k2 == 0)]
    assert (still.kept == 1).all()
    everything = table[table["class"] == "all"].set_index(["head", "k1", "k2"])
    parts = table[table["class"] != "all"]
    pooled = (parts.kept * parts.n).groupby([parts["head"], parts.k1, parts.k2]).sum() / 60
    pd.testing.assert_series_equal(pooled, everything.kept.sort_index(), check_names=False)
    assert set(table["head"]) == {"all", "colour", "spatial"}


def test_the_strength_is_that_of_the_matrices():
    net = TransformerNet(init_std=0.3)
    whole, half = (strength_of(net, 32, 32, scale) for scale in (1.0, 0.5))
    assert half.displacement == pytest.approx(whole.displacement / 2)
    assert half.colour_full == pytest.approx(whole.colour_full / 2)
    deviation = net.deviations({"colour": torch.ones(1, 2)})["colour"]
    assert whole.colour_full == pytest.approx(deviation.norm().item(), rel=1e-5)
    assert np.isnan(strength_of(TransformerNet(("spatial",)), 8, 8, 1.0).colour)


def test_held_out_images_take_no_part_in_training():
    network = OneProjection()
    images = colour_fields(network, n=60)
    settings = {"steps": 5, "scales": (1.0,), "k_grid": 2, "batch_size": 16}
    learned = learn_transformer(network, images, holdout=20, **settings)
    choosing, certifying = (set(places.tolist()) for places in learned.held_out)
    assert len(choosing) == len(certifying) == 10
    assert not choosing & certifying
    changed = colour_fields(network, n=60).fit(Recipe())
    changed.pixels[list(choosing | certifying)] = 0.5
    other = learn_transformer(network, changed, holdout=20, **settings)
    pd.testing.assert_frame_equal(learned.history.drop(columns="open_share"), other.history.drop(columns="open_share"))
    apart = learn_transformer(network, images, held_out=colour_fields(network, n=30, seed=9), **settings)
    assert len(apart.held_out[0]) == 15
