import numpy as np
import pandas as pd
import pytest
import torch
from silent_world import HalfAndHalf, Levels, readout, row_images
from torch import nn

from invariscope.core.errors import ImageError, LayerError, NetworkError, SettingError
from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.tolerance.activity_threshold import activity_threshold
from invariscope.tolerance.tau import crossing, halves

LAYER = {"layer": "1"}


def threshold(world, transformation="inversion", magnitude=0.0, **settings):
    # inversion at 0 leaves an image as it is: the paired image is the clean one
    return activity_threshold(world.network, world.images, transformation, magnitude, **LAYER, **settings)


@pytest.mark.parametrize(
    ("drop", "tau"),
    [(0.0, 0.1), (0.1, 0.2), (0.19, 0.2), (0.2, 0.3), (0.3, 0.45)],
)
def test_first_crossing_in_closed_form(drop, tau):
    # of ten images, levels .15, .25, .35 and .5 are lost from the first grid value at or above them
    world = Levels([0.15, 0.25, 0.35, 0.5, 1.0], n_zero=5)
    found = threshold(world, drop=drop)
    assert found.tau == found.tau_last == tau
    assert found.layer == "1"
    assert found.decided_by == "transformed"
    assert found.n == 10


def test_a_level_on_the_grid_is_inactive_there():
    # 0.5 · peak is exactly 0.5 in binary, and a tie is not active
    assert threshold(Levels([0.5, 1.0]), drop=0.0).tau == 0.45


def test_accuracy_that_rises_again_gives_two_thresholds():
    # one image: unit 1 (.2) speaks for its class, unit 0 (.25) against it; without both the bias is right again
    rows = [[0.25, 0.2, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    world = Levels([1.0])
    world.images = row_images(rows, [1, 0, 1])
    world.network = readout([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]], [0.0, 0.01])
    found = threshold(world)
    assert found.tau == 0.15
    assert found.tau_last == 0.95
    assert "accuracy" in found.curve


def test_nothing_passes():
    # with negative activity set to 0, τ = 0 already silences what the second class is told by
    class Signed(nn.Module):
        def __init__(self):
            super().__init__()
            self.shift, self.read = nn.Linear(2, 2), nn.Linear(2, 2)
            self.shift.weight = self.read.weight = nn.Parameter(torch.eye(2))
            self.shift.bias = self.read.bias = nn.Parameter(torch.tensor([-0.5, -0.5]))

        def forward(self, images):
            return self.read(self.shift(images.flatten(1)))

    images = row_images([[1.0, 0.2], [0.1, 0.4]] * 5, [0, 1] * 5)
    found = activity_threshold(Signed(), images, "inversion", 0.0, layer="shift", negative="rectify")
    assert np.isnan([found.tau, found.tau_last, found.tau_half, found.cost_held_out]).all()
    assert found.message == "Silencing what is at most 0 of the peak already costs more than 1 percentage point."
    with pytest.raises(LayerError, match=r"layer 'shift' has negative activity \(down to -0.4\).*rectify"):
        activity_threshold(Signed(), images, "inversion", 0.0, layer="shift")


def test_a_read_out_that_needs_no_unit_bounds_no_tau():
    world = Levels([1.0, 0.5], n_zero=2)
    world.network = readout(np.zeros((2, 2)), [1.0, 0.0])
    found = threshold(world)
    assert found.tau == 0.95
    assert "the images do not bound it" in found.message


def test_the_half_that_did_not_choose_pays():
    # levels uniform on a fine grid: with a drop of 10 % either half chooses near .1, and costs near 10 %
    levels = (np.arange(400) + 1) / 400
    found = threshold(Levels(levels), drop=0.1, seed=2)
    assert found.tau == pytest.approx(0.1, abs=0.051)
    assert found.tau_half == pytest.approx(0.1, abs=0.051)
    chose = halves(400, torch.ones(400, dtype=torch.int64), seed=2)
    lost = levels <= np.float32(found.tau_half)
    assert found.cost_held_out == lost[~chose].mean() != lost[chose].mean()
    assert lost[chose].mean() <= 0.1
    assert found.cost_low <= found.cost_held_out <= found.cost_high


def test_intervals_can_be_left_out():
    whole, bare = (threshold(Levels(np.linspace(0.1, 1, 40)), replicates=count) for count in (1000, 0))
    assert (bare.tau, bare.tau_half, bare.cost_held_out) == (whole.tau, whole.tau_half, whole.cost_held_out)
    assert np.isnan([bare.cost_low, bare.cost_high]).all()
    assert not np.isnan([whole.cost_low, whole.cost_high]).any()
    assert bare.curve["cost_low"].isna().all()


def test_only_transformed_images_of_seen_classes_decide():
    world = HalfAndHalf()
    network = Network(world.network, classes=("zero", "one"), seen=("one",))
    found = activity_threshold(network, world.images, "horizontal-flip", 1, **LAYER)
    assert found.decided_by == "within"
    assert found.n == 20
    assert list(dict.fromkeys(found.curve["images"])) == ["clean", "transformed", "within", "across"]
    # class "zero" is what the bias says, so that only class "one" can lose
    active = found.curve[(found.curve["silenced"] == "active") & (found.curve["tau"] == 0)]
    assert active.set_index("images")["accuracy"].to_dict() == {
        "clean": 0.5,
        "transformed": 0.5,
        "within": 0.0,
        "across": 1.0,
    }
    # activity of class units is .5 to 1 times the peak
    assert 0.45 <= found.tau < 0.6


def test_the_peak_counts_clean_and_transformed_images():
    # at gain .5 the clean peak 1 counts: level .5 becomes .25
    assert threshold(Levels([0.52, 1.0]), "gain", 0.5, drop=0.0).tau == 0.25


def test_batches_and_the_order_of_images_do_not_matter():
    world = Levels(np.random.default_rng(0).uniform(0.05, 1, 40), n_zero=10)
    first = threshold(world)
    for size in (1, 7):
        found = threshold(world, batch_size=size)
        assert found.tau == first.tau
        pd.testing.assert_frame_equal(found.curve, first.curve)
    order = np.random.default_rng(1).permutation(50)
    world.images = row_images(
        world.images.fit(Network(world.network).recipe).pixels[order, 0, 0], [world.labels[i] for i in order]
    )
    assert (threshold(world).tau, threshold(world).tau_last) == (first.tau, first.tau_last)


def test_without_labels_the_prediction_is_kept():
    world = Levels([0.15, 1.0], n_zero=2)
    pixels = world.images.fit(Network(world.network).recipe).pixels
    unlabelled = Images(np.asarray(pixels))
    assert activity_threshold(world.network, unlabelled, "inversion", 0.0, **LAYER).tau == threshold(world).tau == 0.1


@pytest.mark.parametrize("counts", [(10, 4), (1, 1), (5, 3), (20, 7)])
def test_halves_share_every_class(counts):
    labels = torch.repeat_interleave(torch.arange(2), torch.tensor(counts))
    chosen = halves(len(labels), labels, seed=1)
    assert abs(2 * chosen.sum() - len(labels)) <= 1
    for label, count in enumerate(counts):
        assert abs(2 * chosen[labels == label].sum() - count) <= 1
    assert (halves(len(labels), labels, seed=1) == chosen).all()


def test_halves_differ_by_seed():
    assert len({halves(40, None, seed).tobytes() for seed in range(5)}) == 5


def test_no_image_chooses_nothing():
    assert np.isnan(crossing(np.zeros(0, bool), np.zeros((2, 0), bool), [0.0, 0.1], 0.01)).all()
    world = HalfAndHalf()
    network = Network(world.network, classes=("zero", "one"), seen=())
    found = activity_threshold(network, world.images, "horizontal-flip", 1, **LAYER)
    assert np.isnan(found.tau)
    assert found.message == "There are no images to choose tau on."


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"taus": [0.2, 0.1]}, SettingError, "must ascend; got 0.2, 0.1"),
        ({"taus": []}, SettingError, "got nothing"),
        ({"taus": [0.5, 1.0]}, SettingError, "got 1.0"),
        ({"drop": 1.0}, SettingError, "the drop of accuracy is a share"),
        ({"layer": "3"}, LayerError, "no layer is called '3'"),
        ({"layer": "*"}, LayerError, "names 4 layers"),
        ({"layer": "output"}, LayerError, "nothing after 'output'"),
        ({"seen": ["two"]}, SettingError, "no class is called 'two'"),
        ({"negative": "shift"}, SettingError, "Known: abs, rectify"),
        ({"reduce": "sum"}, SettingError, "no reduction is called 'sum'"),
    ],
)
def test_bad_settings_are_refused(settings, error, says):
    world = HalfAndHalf(4)
    with pytest.raises(error, match=says):
        activity_threshold(world.network, world.images, "inversion", 1.0, **{**LAYER, **settings})


def test_what_is_no_classifier_or_no_image_set_is_refused():
    world = HalfAndHalf(4)
    one = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(8, 1))
    with pytest.raises(NetworkError, match="class scores"):
        activity_threshold(one, world.images, "inversion", 1.0, **LAYER)
    prepared = world.images.fit(Network(world.network).recipe)
    prepared.pixels = prepared.pixels[:0]
    with pytest.raises(ImageError, match="no images to choose tau on"):
        activity_threshold(world.network, prepared, "inversion", 1.0, **LAYER)
