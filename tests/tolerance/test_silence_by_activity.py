import numpy as np
import pytest
import torch
from silent_world import Tail, random_tails

from invariscope.core.errors import SettingError
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.networks.sites import find_sites
from invariscope.responses.recorder import Strength
from invariscope.tolerance.activity import TAUS, accuracy_curves, activity_thresholds, silence_by_activity
from invariscope.tolerance.passes import Shown
from invariscope.tolerance.silencing import Reading, silence_each
from invariscope.transformations.base import TRANSFORMATIONS

FLAT = Reading("features")


def found_in(tails, labels, activation, taus=TAUS):
    return silence_by_activity(tails, activity_thresholds(activation.amax(0), taus), labels, FLAT)


def test_the_grid_is_the_papers_without_its_end():
    assert TAUS[0] == 0
    assert TAUS[-1] == 0.95
    assert set(np.round(np.arange(0, 1, 0.05), 2)) <= set(TAUS)


def test_by_hand():
    # peaks 1 and 2; at τ = .25 unit 0 is active above .25, unit 1 above .5
    activation = torch.tensor([[1.0, 0.5], [0.25, 2.0], [0.2, 0.4]])
    tail = Tail(activation, torch.eye(2), torch.tensor([0.0, 0.1]))
    found = found_in([tail], torch.tensor([0, 1, 1]), activation, [0.25])
    # without inactive: (1, 0), (0, 2), (0, 0): answers 0, 1, and the bias's 1
    assert found.without_inactive.tolist() == [[True, True, True]]
    # without active: (0, .5), (.25, 0), (.2, .4): answers 1, 0, 1
    assert found.without_active.tolist() == [[False, False, True]]
    assert found.active_share.tolist() == [[0.5, 0.5, 0.0]]


def test_activity_of_exactly_the_threshold_is_inactive():
    activation = torch.tensor([[1.0, 0.0], [0.3, 0.0]])
    found = found_in([Tail(activation, torch.eye(2), torch.zeros(2))], None, activation, [0.3])
    assert found.active_share.tolist() == [[0.5, 0.0]]


def test_tau_zero_changes_nothing_and_above_it_all_is_silent():
    tails, labels, activation = random_tails()
    found = found_in(tails, labels, activation, [0.0])
    assert (found.without_inactive == found.plain).all()
    # without what is above 0, the bias alone answers
    bias = int(tails[0](torch.zeros_like(activation))[0].argmax())
    assert (found.without_active == (labels == bias).numpy()).all()


@pytest.mark.parametrize("cuts", [(1, 59), (20, 20, 20), (7, 53)])
def test_batches_do_not_matter(cuts):
    whole, parts = (found_in(*random_tails(cuts=each)) for each in ((60,), cuts))
    for name, value in vars(whole).items():
        assert (getattr(parts, name) == value).all()


def test_the_order_of_images_and_of_units_does_not_matter():
    (tail,), labels, activation = random_tails()
    whole = found_in([tail], labels, activation)
    images, units = torch.randperm(60), torch.randperm(12)
    moved = Tail(activation[images][:, units], tail._weights[units], tail._bias)
    found = found_in([moved], labels[images], moved.activation)
    assert (found.without_inactive == whole.without_inactive[:, images]).all()
    assert (found.without_active == whole.without_active[:, images]).all()


def test_scaling_a_unit_and_its_weights_changes_nothing():
    (tail,), labels, activation = random_tails()
    scale = 2.0 ** torch.arange(12)
    scaled = Tail(activation * scale, tail._weights / scale[:, None], tail._bias)
    one, two = found_in([tail], labels, activation), found_in([scaled], labels, scaled.activation)
    assert (one.without_inactive == two.without_inactive).all()
    assert (one.active_share == two.active_share).all()


def test_without_labels_right_is_the_prediction_with_nothing_silenced():
    tails, _, activation = random_tails()
    found = found_in(tails, None, activation)
    assert found.plain.all()
    assert (found.without_inactive[0]).all()
    assert not found.without_inactive[-1].all()


@pytest.mark.parametrize("layer", ["relu2", "relu3", "relu4"])
@pytest.mark.parametrize("transformation", [None, "salt-and-pepper"])
def test_equals_a_hook_that_zeroes(layer, transformation):
    """The whole network is run again for each threshold, with a hook that knows nothing of tails."""
    network = load_network("builtin:cnn?classes=60&seed=1")
    images = load_images("builtin:glyphs?split=test&seed=0&per_class=1").limit(30, 0).fit(network.recipe)
    strength = None if transformation is None else Strength(TRANSFORMATIONS[transformation](), 0.2, seed=3)
    batch = images.batch(torch.arange(30))
    batch = batch if strength is None else strength(batch, torch.arange(30))
    site = next(site for site in find_sites(network, batch) if site.name == layer)
    shown = Shown(network, images, site, Reading(site.layout), batch_size=7)
    peak, labels = shown.peak([None, strength]), torch.from_numpy(images.labels)
    thresholds = activity_thresholds(peak, [0.0, 0.2, 0.5])
    found = silence_by_activity(shown.tails(strength), thresholds, labels, shown.reading)
    module = dict(network.module.named_modules())[layer]
    for row, threshold in enumerate(thresholds):
        for right, active_goes in ((found.without_inactive, False), (found.without_active, True)):

            def zero(_module, _inputs, output, active_goes=active_goes, threshold=threshold):
                largest = output.flatten(2).amax(2) if output.ndim == 4 else output
                gone = (largest > threshold) == active_goes
                return output * (~gone).reshape(gone.shape + (1,) * (output.ndim - 2))

            handle = module.register_forward_hook(zero)
            try:
                with torch.no_grad():
                    predicted = network(batch).argmax(1)
            finally:
                handle.remove()
            assert (right[row] == (predicted == labels).numpy()).all()


def test_positions_are_silenced_one_by_one():
    activation = torch.tensor([[[[1.0, 0.2]], [[0.6, 0.0]]]])
    reading = Reading("channels-first", units="positions")
    assert reading.activity(activation).tolist() == [pytest.approx([1.0, 0.2, 0.6, 0.0])]
    silenced = silence_each(activation, "channels-first", torch.tensor([[False, True, True, False]]))
    assert silenced.flatten().tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("layout", "axis"), [("channels-last", 3), ("tokens", 2)])
def test_channels_that_come_last_are_silenced_at_every_position(layout, axis):
    activation = torch.rand(3, 4, 5, 6) + 0.1 if axis == 3 else torch.rand(3, 4, 6) + 0.1
    mask = torch.zeros(3, 6, dtype=torch.bool)
    mask[1, 2] = True
    silenced = silence_each(activation, layout, mask)
    expected = activation.clone()
    expected[1, ..., 2] = 0
    assert torch.equal(silenced, expected)


def test_curves_by_hand():
    tails, labels, activation = random_tails()
    found = found_in(tails, labels, activation, [0.0, 0.3])
    table = accuracy_curves(found, [0.0, 0.3])
    row = table[(table["tau"] == 0.3) & (table["silenced"] == "active")].iloc[0]
    assert row["accuracy"] == found.without_active[1].mean()
    assert row["cost"] == pytest.approx(found.plain.mean() - found.without_active[1].mean())
    assert row["low"] <= row["accuracy"] <= row["high"]
    assert row["cost_low"] <= row["cost"] <= row["cost_high"]
    assert row["active_share"] == pytest.approx(found.active_share[1].mean())
    still = table[(table["tau"] == 0) & (table["silenced"] == "inactive")].iloc[0]
    assert (still["cost"], still["cost_low"], still["cost_high"]) == (0, 0, 0)


def test_no_images_are_unknown_and_not_zero():
    tails, labels, activation = random_tails()
    none = found_in(tails, labels, activation, [0.1]).of(np.zeros(60, dtype=bool))
    table = accuracy_curves(none, [0.1])
    assert table["n"].tolist() == [0, 0]
    assert table.drop(columns=["tau", "silenced", "n"]).isna().all(axis=None)


@pytest.mark.parametrize("tau", [-0.1, 1.0, float("nan")])
def test_a_tau_out_of_range_is_refused(tau):
    with pytest.raises(SettingError, match=r"tau takes a fraction of the peak.*1; got"):
        activity_thresholds(torch.ones(2), [tau])


def test_an_unknown_way_with_negative_activity_is_refused():
    with pytest.raises(SettingError, match="Known: abs, rectify"):
        Reading("features", negative="shift")
