"""Thresholds by bracketing: equal to the dense sweep, cheaper, and the same in every order and batch."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from invariscope.core.errors import ImageError, MagnitudeError, NetworkError, SettingError, UnknownNameError
from invariscope.images.images import Images
from invariscope.tolerance.search import find_thresholds
from invariscope.tolerance.search_work import CRITERIA
from invariscope.tolerance.thresholds import thresholds
from search_world import dense, digits, first_flips, readout, ridge

WHICH = ["transformation", "class", "criterion", "level", "side", "n"]
WHAT = ["threshold", "bracket_low", "bracket_high"]
QUICK = {"replicates": 50}


def same_table(found, expected, tolerance=1e-5):
    pd.testing.assert_frame_equal(found[[*WHICH, "censored"]], expected[[*WHICH, "censored"]], check_dtype=False)
    assert np.allclose(found[WHAT], expected[WHAT], atol=tolerance, equal_nan=True)


def same_flips(found, sweep):
    rows = found.images[found.images["criterion"] == "first-flip"]
    for side, outer in (("+", "bracket_high"), ("-", "bracket_low")):
        places = sweep.side(side)
        if len(places) > 1:
            ends = [sweep.magnitudes[place] for place in places] + [np.nan]
            expected = [ends[step] for step in first_flips(sweep, side)]
            assert np.array_equal(rows.loc[rows["side"] == side, outer], expected, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "resolution"),
    [
        ("rotation", 1.0),
        ("translation-x", 0.005),
        ("gaussian-noise", 0.002),
        ("contrast", 0.01),
        ("gaussian-blur", 0.02),
    ],
)
def test_a_trained_network_gives_the_table_of_the_dense_sweep(name, resolution):
    images, network = digits(60), ridge(digits(300))
    found = find_thresholds(network, images, [name], resolution={name: resolution}, **QUICK)
    sweep = dense(network, images, name, resolution)
    same_table(found.thresholds, thresholds(sweep, replicates=50))
    same_flips(found, sweep)
    assert found.ratio < (1 / 3 if name == "rotation" else 0.6)
    assert found.dense_passes == len(images) * len(sweep.magnitudes)


@pytest.mark.parametrize("seed", range(6))
def test_where_qualities_fall_once_it_is_the_dense_sweep_for_every_image(seed):
    """Brightness and a read-out of the mean: no quality comes back, and no margin is needed to know."""
    generator = torch.Generator().manual_seed(seed)
    cuts = (torch.rand(4, generator=generator) * 0.6 + 0.2).sort().values
    pixels = (0.3 + 0.4 * torch.rand(30, 1, 1, 1, generator=generator)).expand(30, 3, 2, 2).contiguous()
    labels = torch.searchsorted(cuts, pixels[:, 0, 0, 0].contiguous()).numpy()
    labels[:4] = (labels[:4] + 1) % 5
    images, network = Images(pixels, labels, list("abcde")), readout(cuts)
    found = find_thresholds(
        network, images, "brightness", resolution=["brightness=0.0021"], within=["brightness=-0.3:0.3"], **QUICK
    )
    sweep = dense(network, images, "brightness", 0.0021, (-0.3, 0.3))
    same_flips(found, sweep)
    table = found.thresholds
    expected = thresholds(sweep, replicates=50)
    for criterion in ("accuracy", "agreement", "first-flip"):
        # The images that are wrong when clean may become right: their class's accuracy need not fall once.
        same_table(*(each[each["criterion"] == criterion].reset_index(drop=True) for each in (table, expected)))


def test_the_softmax_of_every_image_is_that_of_the_dense_sweep():
    images, network = digits(40), ridge(digits(300))
    found = find_thresholds(network, images, "rotation", resolution={"rotation": 1}, levels=[0.8], **QUICK).images
    sweep = dense(network, images, "rotation", 1.0)
    for side in "+-":
        softmax = sweep.softmax_true[sweep.side(side)]
        low = softmax < 0.8 * softmax[0] - 1e-9
        rows = found[(found["criterion"] == "softmax") & (found["side"] == side)]
        for image, row in enumerate(rows.itertuples()):
            if not low[:, image].any():
                assert row.censored
                assert np.isnan(row.threshold)
                continue
            step = low[:, image].argmax()
            near, far = softmax[step - 1, image], softmax[step, image]
            place = step - 1 + (near - 0.8 * softmax[0, image]) / (near - far)
            assert abs(row.threshold) == pytest.approx(place, abs=1e-3)


def test_images_that_are_wrong_when_clean_have_no_threshold_of_accuracy():
    images, network = digits(60), ridge(digits(30))
    found = find_thresholds(network, images, "rotation", resolution={"rotation": 2}, sides="+", **QUICK)
    rows = found.images[found.images["criterion"] == "accuracy"]
    flips = found.images[found.images["criterion"] == "first-flip"]
    wrong = np.isnan(rows["bracket_low"].to_numpy())
    assert 0 < wrong.sum() < len(wrong)
    assert found.clean_accuracy == pytest.approx(1 - wrong.mean())
    assert not rows["censored"][wrong].any()
    assert np.array_equal(rows["threshold"][~wrong], flips["threshold"][~wrong], equal_nan=True)
    median = found.medians.query("`class` == 'all' and criterion == 'accuracy'")
    assert median["n"].item() == (~wrong).sum()


def test_batches_and_order_do_not_matter():
    images, network = digits(40), ridge(digits(300))
    how = {"resolution": {"gaussian-noise": 0.01, "shear": 1}, **QUICK}
    few, many = (find_thresholds(network, images, "gaussian-noise,shear", batch_size=size, **how) for size in (7, 1000))
    pd.testing.assert_frame_equal(few.images, many.images)
    pd.testing.assert_frame_equal(few.thresholds, many.thresholds)
    prepared = images.fit(images_recipe())
    order = np.random.default_rng(0).permutation(len(prepared))
    pixels = prepared.batch(range(len(prepared)))
    shuffled = Images(pixels[order.tolist()], prepared.labels[order], prepared.classes)
    straight = find_thresholds(
        network, Images(pixels, prepared.labels, prepared.classes), "shear", resolution=["shear=1"], **QUICK
    )
    moved = find_thresholds(network, shuffled, "shear", resolution=["shear=1"], **QUICK)
    same_table(moved.thresholds, straight.thresholds)
    place = dict(zip(order.tolist(), range(len(order)), strict=True))
    back = straight.images.assign(image=straight.images["image"].map(place)).sort_values(
        ["criterion", "level", "side", "image"], ignore_index=True
    )
    there = moved.images.sort_values(["criterion", "level", "side", "image"], ignore_index=True)
    assert np.allclose(back[WHAT], there[WHAT], atol=1e-5, equal_nan=True)


def images_recipe():
    from invariscope.networks.network import as_network

    return as_network(nn.Flatten()).recipe


def test_the_median_image_is_where_half_have_flipped():
    found = find_thresholds(ridge(digits(300)), digits(60), "rotation", resolution={"rotation": 1}, **QUICK)
    shares = found.thresholds.query("criterion == 'first-flip' and level == 0.5")
    for side in "+-":
        median = found.medians[(found.medians["criterion"] == "first-flip") & (found.medians["side"] == side)]
        median, share = median.set_index("class"), shares[shares["side"] == side].set_index("class")
        assert np.allclose(median["median"], share["threshold"], atol=1e-9, equal_nan=True)
        assert (median["censored"] == share["censored"]).all()
        assert (median["n"] == share["n"]).all()


def test_without_labels_there_is_agreement_and_what_needs_labels_is_refused():
    pixels = torch.rand(8, 3, 4, 4)
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 5))
    found = find_thresholds(network, Images(pixels), "brightness", resolution={"brightness": 0.05}, **QUICK)
    assert found.thresholds["criterion"].unique().tolist() == ["agreement", "first-flip"]
    assert "agreement with the clean prediction" in found.message
    assert np.isnan(found.clean_accuracy)
    with pytest.raises(ImageError, match="criterion softmax needs labels"):
        find_thresholds(network, Images(pixels), "brightness", criteria=["softmax"])


def test_only_what_is_asked_for_is_searched():
    images, network = digits(20), ridge(digits(300))
    every = find_thresholds(network, images, "rotation", resolution=["rotation=1"], **QUICK)
    some = find_thresholds(
        network, images, "rotation", resolution=["rotation=1"], sides="-", criteria=["first-flip"], **QUICK
    )
    assert some.thresholds["criterion"].unique().tolist() == ["first-flip"]
    assert some.images["side"].unique().tolist() == ["-"]
    assert some.ratio < every.ratio
    assert tuple(every.thresholds["criterion"].unique()) == CRITERIA
    kept = every.images.query("criterion == 'first-flip' and side == '-'")["threshold"]
    assert np.array_equal(some.images["threshold"], kept, equal_nan=True)


def test_no_answer_is_asked_for_twice():
    images = digits(20)
    found = find_thresholds(ridge(digits(300)), images, "rotation", resolution=["rotation=1"], **QUICK)
    asked = found.images.drop_duplicates(["image", "side"])["asked"].sum()
    assert found.passes == len(images) + asked
    assert found.costs["passes"].sum() == asked
    assert found.costs["dense_passes"].sum() == found.dense_passes - len(images)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"transformations": "horizontal-flip"}, SettingError, "nothing between its two magnitudes"),
        ({"transformations": "rotaton"}, UnknownNameError, "Did you mean 'rotation'"),
        ({"resolution": {"rotation": 0}}, SettingError, "a step above 0 .degrees.; got rotation=0"),
        ({"resolution": ["rotation=fine"]}, SettingError, "resolution is given as in rotation=1"),
        ({"resolution": ["rotation"]}, SettingError, "takes NAME=VALUE"),
        ({"resolution": {"shear": 1}}, SettingError, "no transformation asked for is called 'shear'"),
        ({"resolution": {"rotation": 1e-4}}, SettingError, "more than 20,000 steps"),
        ({"within": ["rotation=10:45"]}, MagnitudeError, "outward from the identity"),
        ({"within": {"rotation": (-400, 400)}}, MagnitudeError, "from -180 to 180"),
        ({"sides": "left"}, SettingError, "sides takes both"),
        ({"levels": [1.5]}, SettingError, "a level is a share"),
        ({"criteria": ["flip"]}, SettingError, "no criterion is called 'flip'"),
        ({"criteria": []}, SettingError, "at least one criterion"),
        ({"transformations": "gaussian-blur", "sides": "-"}, SettingError, "no magnitudes on the side -"),
        ({"transformations": "pixelate", "resolution": {"pixelate": 0.5}}, SettingError, "whole magnitudes"),
    ],
)
def test_what_it_refuses(changes, error, message):
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2))
    given = {"transformations": "rotation", **changes}
    with pytest.raises(error, match=message):
        find_thresholds(network, Images(torch.rand(4, 3, 8, 8), [0, 1, 0, 1], ["a", "b"]), **given)


def test_a_network_without_scores_is_refused():
    images = Images(torch.rand(4, 3, 8, 8), [0, 1, 0, 1], ["a", "b"])
    with pytest.raises(NetworkError, match="class scores are needed"):
        find_thresholds(nn.Identity(), images, "rotation")


def test_every_transformation_with_an_order_is_the_default():
    images = Images(torch.rand(2, 3, 16, 16), [0, 1], ["a", "b"])
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 2))
    resolution = {"rotation": 30, "hue": 60}
    found = find_thresholds(network, images, resolution=resolution, criteria=["first-flip"], replicates=20)
    names = found.images["transformation"].unique()
    assert {"rotation", "jpeg", "pixelate", "elastic", "color-jitter"} <= set(names)
    assert not {"horizontal-flip", "vertical-flip"} & set(names)
