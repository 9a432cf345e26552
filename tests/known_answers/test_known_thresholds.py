"""Read-outs whose critical magnitudes are known in closed form, by the public call."""

import itertools

import known_networks as networks
import numpy as np
import pytest
from known_images import with_means

import invariscope as inv

QUICK = {"device": "cpu", "replicates": 20, "controls": 1}
DARK, BRIGHT = [0.46875 - place / 32 for place in range(5)], [0.53125 + place / 32 for place in range(5)]
GRID = [step / 32 for step in range(-7, 8)]


def readout_images(seed=0):
    """Five dark images (of class "dark") that flip at +1/32, +2/32, … and five bright ones that flip at −1/32, …

    The order is drawn from the seed.
    """
    order = np.random.Generator(np.random.PCG64(seed)).permutation(10)
    pixels, labels = with_means(DARK + BRIGHT, seed), np.array([1] * 5 + [0] * 5)
    return pixels[order.tolist()].numpy(), labels[order]


def found(run, **where):
    rows = run.thresholds
    for column, value in where.items():
        rows = rows[rows[column] == value]
    [row] = rows.to_dict("records")
    return row


def place(name, criterion="accuracy", level=0.9, side="+"):
    return {"class": name, "criterion": criterion, "level": level, "side": side}


# The mean must exceed a half for the flip, so that a grid of odd multiples of 1/64 has the flips in its middles.
BETWEEN = [(2 * step + 1) / 64 for step in range(-7, 7)]


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_a_readout_flips_where_the_mean_passes_a_half(seed):
    """Between odd multiples of 1/64 one image of five flips: accuracy is 1 − (v − 1/64)·32/5 from 1/64 to 11/64."""
    pixels, labels = readout_images(seed)
    images = inv.Images(pixels, labels, ("bright", "dark"))
    run = inv.measure(networks.brightness_readout(), images, transformations={"brightness": BETWEEN}, **QUICK)
    sides = (("+", 1, "dark", "bright"), ("-", -1, "bright", "dark"))
    for criterion, (side, sign, loser, keeper) in itertools.product(("accuracy", "agreement", "first-flip"), sides):
        half = found(run, **place(loser, criterion, 0.5, side))
        assert half["threshold"] == pytest.approx(sign * (1 / 64 + 2.5 / 32), abs=1e-9)
        assert not half["censored"]
        bracket = sorted([sign * (1 / 64 + 2 / 32), sign * (1 / 64 + 3 / 32)])
        assert [half["bracket_low"], half["bracket_high"]] == pytest.approx(bracket)
        assert half["n"] == 5
        most = found(run, **place(loser, criterion, 0.9, side))
        assert most["threshold"] == pytest.approx(sign * (1 / 64 + 0.5 / 32), abs=1e-9)
        for level in (0.9, 0.5):
            kept = found(run, **place(keeper, criterion, level, side))
            assert kept["censored"]
            assert np.isnan(kept["threshold"])
            edge = kept["bracket_low"] if side == "+" else kept["bracket_high"]
            assert edge == pytest.approx(sign * 13 / 64)
        # Over both classes accuracy falls half as fast, and never below a half.
        both = found(run, **place("all", criterion, 0.9, side))
        assert both["threshold"] == pytest.approx(sign * (1 / 64 + 1 / 32), abs=1e-9)
        assert both["n"] == 10
        assert found(run, **place("all", criterion, 0.5, side))["censored"]
    assert run.info["clean_accuracy"] == 1
    assert (run.thresholds["reentries"] == 0).all()


def test_the_curve_and_the_predictions_count_the_flips():
    pixels, labels = readout_images()
    images = inv.Images(pixels, labels, ("bright", "dark"))
    run = inv.measure(networks.brightness_readout(), images, transformations={"brightness": BETWEEN}, **QUICK)
    for magnitude in BETWEEN:
        flips = min(max(int((abs(magnitude) - 1 / 64) * 32 + 0.5), 0), 5)
        rows = run.curves[run.curves["magnitude"] == magnitude].set_index("class")["accuracy"]
        loser, keeper = ("dark", "bright") if magnitude > 0 else ("bright", "dark")
        assert rows[loser] == pytest.approx(1 - flips / 5)
        assert rows[keeper] == 1
        assert rows["all"] == pytest.approx(1 - flips / 10)
        counts = run.predictions[(run.predictions["magnitude"] == magnitude) & (run.predictions["class"] == "all")]
        found_counts = counts.set_index("predicted")["n"]
        assert found_counts[keeper] == 5 + flips
        assert found_counts.sum() == 10
        row = run.curves[(run.curves["magnitude"] == magnitude) & (run.curves["class"] == "dark")]
        means = np.array(DARK) + magnitude
        assert row["softmax_true"].item() == pytest.approx(np.mean(1 / (1 + np.exp(2 * means - 1))), abs=1e-6)


def test_a_quality_that_comes_back_is_a_reentry():
    """The window is 1/16 wide on both sides of 5/8: an image of mean 1/2 flips at +1/16 and comes back at +3/16."""
    images = inv.Images(with_means([0.5, 0.5, 0.5]).numpy(), [0, 0, 0], ("out", "in"))
    grid = [0.03125, 0.09375, 0.15625, 0.21875, -0.125]
    run = inv.measure(networks.window(), images, transformations={"brightness": grid}, **QUICK)
    row = found(run, **place("all", "accuracy", 0.5))
    assert row["threshold"] == pytest.approx(1 / 16, abs=1e-9)
    assert [row["bracket_low"], row["bracket_high"]] == [0.03125, 0.09375]
    assert row["reentries"] == 1
    flip = found(run, **place("all", "first-flip", 0.5))
    assert flip["threshold"] == pytest.approx(1 / 16, abs=1e-9)
    assert flip["reentries"] == 0
    assert found(run, **place("all", "accuracy", 0.5, "-"))["censored"]


def test_a_class_that_is_never_right_has_no_threshold_and_is_not_censored():
    pixels = with_means([0.375, 0.375, 0.625, 0.625, 0.625]).numpy()
    images = inv.Images(pixels, [1, 1, 0, 2, 2], ("bright", "dark", "never"))
    run = inv.measure(networks.never_third(), images, transformations={"brightness": [0.0625, 0.1875]}, **QUICK)
    row = found(run, **place("never"))
    assert np.isnan(row["threshold"])
    assert not row["censored"]
    assert found(run, **place("never", "agreement"))["censored"]
    # Two of three right images flip between 1/16 and 3/16: accuracy falls from 3/5 to 1/5, and passes 0.54 and 0.3.
    assert found(run, **place("all"))["threshold"] == pytest.approx(1 / 16 + 0.06 / 0.4 / 8, abs=1e-9)
    assert found(run, **place("all", level=0.5))["threshold"] == pytest.approx(1 / 16 + 0.3 / 0.4 / 8, abs=1e-9)


def test_the_magnitude_for_an_accuracy_is_found():
    pixels, labels = readout_images()
    images = inv.Images(pixels, labels, ("bright", "dark"))
    magnitude = inv.find_magnitude(networks.brightness_readout(), images, "brightness", accuracy=0.75)
    # Accuracy is 0.8 from 2/32 up to 3/32, and 0.7 from there on.
    assert float(getattr(magnitude, "magnitude", magnitude)) == pytest.approx(3 / 32, abs=0.02)
