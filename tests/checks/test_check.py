"""The gate on networks whose accuracy and thresholds are known, so that every verdict is certain."""

import math

import numpy as np
import pytest
from check_world import Features, Readout, bright, dark, grey, ladder, require

from invariscope.checks.check import check_contract
from invariscope.checks.contract import Contract, Requirement
from invariscope.core.errors import SettingError
from invariscope.images.images import Images
from invariscope.runs.measure import measure
from invariscope.statistics.proportions import wilson


def check(images, asked, network=None, **settings):
    return check_contract(network or Readout(), images, asked, device="cpu", **settings)


def only(run):
    [entry] = run.requirements
    return entry


@pytest.mark.parametrize(
    ("at_least", "verdict"), [(0.5, "passes"), (0.55, "undecided"), (0.65, "undecided"), (0.7, "fails")]
)
def test_an_accuracy_that_is_known_is_decided_by_wilson(at_least, verdict):
    """60 of 100 images keep their class at 0.2: Wilson's interval is [0.502, 0.691]."""
    entry = only(check(dark(40, 60), require(bright(0.2, at_least))))
    low, high = wilson(60, 100)
    assert (entry["estimate"], entry["n"], entry["required"]) == (0.6, 100, at_least)
    assert (entry["low"], entry["high"]) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
    assert entry["verdict"] == verdict
    if verdict == "undecided":
        # At exactly that many images of the same proportion it is decided, and at one fewer not yet.
        for n, decided in ((entry["needed"], True), (entry["needed"] - 1, False)):
            ends = wilson(0.6 * n, n)
            assert (ends[0] >= at_least or ends[1] < at_least) is np.bool_(decided)
    else:
        assert entry["needed"] is None


def test_the_end_of_the_interval_itself_passes():
    low = float(wilson(60, 100)[0])
    assert only(check(dark(40, 60), require(bright(0.2, low))))["verdict"] == "passes"
    assert only(check(dark(40, 60), require(bright(0.2, low + 1e-6))))["verdict"] == "undecided"
    high = float(wilson(60, 100)[1])
    assert only(check(dark(40, 60), require(bright(0.2, high))))["verdict"] == "undecided"
    assert only(check(dark(40, 60), require(bright(0.2, high + 1e-6))))["verdict"] == "fails"


def test_an_estimate_that_equals_the_level_is_decided_by_no_number():
    entry = only(check(dark(40, 60), require(bright(0.2, 0.6))))
    assert (entry["verdict"], entry["needed"]) == ("undecided", None)
    assert "no number of images" in entry["advice"]


def test_classes_are_held_apart_and_one_that_fails_breaks_the_requirement():
    images = grey([0.9] * 50 + [0.4] * 50, [0] * 50 + [1] * 50)
    run = check(images, require(bright(0.2, 0.8, classes=["bright", "dark"]), bright(0.2, 0.4)))
    first, together = run.requirements
    assert [(part["class"], part["verdict"], part["estimate"]) for part in first["parts"]] == [
        ("bright", "passes", 1.0),
        ("dark", "fails", 0.0),
    ]
    assert (first["verdict"], first["estimate"], first["n"]) == ("fails", 0.0, 50)
    assert (together["verdict"], together["estimate"], together["n"]) == ("passes", 0.5, 100)
    assert (run.verdict, run.kept) == ("fails", False)


def test_a_class_without_images_is_undecided_with_the_reason():
    images = grey([0.1] * 80, [1] * 80, ("bright", "dark", "never"))
    run = check(images, require(bright(0.2, 0.9), bright(0.2, 0.9, classes=["dark", "never"])), Readout(3))
    fine, unknown = run.requirements
    assert fine["verdict"] == "passes"
    assert (unknown["verdict"], unknown["n"], unknown["estimate"], unknown["needed"]) == ("undecided", 0, None, None)
    assert unknown["reason"] == "no image is of the class never"
    assert np.isnan(run.results.query("`class` == 'never'")["value"].item())


def test_one_image_is_undecided():
    images = grey([0.1], [1])
    run = check(
        images,
        require(bright(0.2, 0.1, quality="softmax"), {"transformation": "brightness", "threshold_at_least": 0.1}),
    )
    assert [entry["verdict"] for entry in run.requirements] == ["undecided", "undecided"]
    assert {entry["reason"] for entry in run.requirements} == {"one image gives no interval"}


def test_agreement_needs_no_labels_and_is_not_accuracy():
    """All images are labelled wrongly, and keep their prediction."""
    wrong = grey([0.1] * 50, [0] * 50)
    run = check(wrong, require(bright(0.2, 0.9, quality="agreement"), bright(0.2, 0.1)))
    assert [entry["verdict"] for entry in run.requirements] == ["passes", "fails"]
    unlabelled = grey([0.1] * 50, None, None)
    assert check(unlabelled, require(bright(0.2, 0.9, quality="agreement"))).kept
    with pytest.raises(SettingError, match=r"requirement 1 asks for accuracy, which needs labels; .*agreement"):
        check(unlabelled, require(bright(0.2, 0.9)))


def test_a_network_without_class_scores_has_the_cosine():
    """Brightness keeps the direction of a grey image's channel means."""
    pixels = np.repeat([0.25, 0.5], 20).astype(np.float32)[:, None, None, None] * np.ones((1, 3, 4, 4), np.float32)
    run = check(Images(pixels), require(bright(0.25, 0.99, quality="agreement")), Features())
    assert only(run)["verdict"] == "passes"
    assert only(run)["estimate"] == pytest.approx(1)
    for asked, words in [(bright(0.2, 0.5), "no class scores"), (bright(0.2, 0.5, classes=["x"]), "no class scores")]:
        with pytest.raises(SettingError, match=words):
            check(Images(pixels), require(asked), Features())


def test_a_mean_softmax_that_is_known():
    """The softmax of a dark image of mean 0.5 − d under brightness b is σ(16 (d − b))."""
    run = check(dark(50, 50), require(bright(0.2, 0.45, quality="softmax"), bright(0.2, 0.9, quality="softmax")))
    truth = np.mean([1 / (1 + math.exp(-16 * (d - 0.2))) for d in (0.1, 0.4)])
    passes, fails = run.requirements
    assert passes["estimate"] == pytest.approx(truth, abs=1e-6)
    assert (passes["verdict"], fails["verdict"]) == ("passes", "fails")
    between = only(check(dark(50, 50), require(bright(0.2, truth - 0.01, quality="softmax"))))
    assert between["verdict"] == "undecided"
    assert between["needed"] == pytest.approx(100 * ((truth - between["low"]) / 0.01) ** 2, rel=1e-3)


def threshold(value, **more):
    return {"transformation": "brightness", "threshold_at_least": value, "side": "+", **more}


@pytest.mark.parametrize(("value", "verdict"), [(0.05, "passes"), (0.12, "undecided"), (0.2, "fails")])
def test_a_threshold_that_is_known(value, verdict):
    """Dark images flip evenly from 0.1 to 0.3, so that a tenth has flipped at 0.12."""
    entry = only(check(ladder(), require(threshold(value))))
    assert entry["verdict"] == verdict
    if verdict == "undecided":
        assert entry["estimate"] == pytest.approx(0.12, abs=0.01)
        assert entry["low"] < 0.12 < entry["high"]
        assert entry["needed"] is None or entry["needed"] > 50
    if verdict == "passes":
        assert entry["censored"]
        assert (entry["estimate"], entry["low"], entry["high"]) == (None, None, None)
        assert entry["found_text"] == "beyond 0.075"


def test_both_sides_of_a_threshold_are_required():
    """Darker images stay dark: that side never gives way, and the other one fails."""
    entry = only(check(ladder(), require({"transformation": "brightness", "threshold_at_least": 0.4})))
    assert [(part["side"], part["required"], part["verdict"]) for part in entry["parts"]] == [
        ("+", 0.4, "fails"),
        ("-", -0.4, "passes"),
    ]
    assert entry["verdict"] == "fails"
    assert entry["estimate"] == pytest.approx(0.12, abs=0.03)


def test_a_threshold_below_the_identity_is_compared_outward():
    bright_ones = grey(0.5 + np.linspace(0.1, 0.3, 50), [0] * 50)
    verdicts = [
        only(check(bright_ones, require({**threshold(value), "side": "-"})))["verdict"] for value in (0.05, 0.12, 0.2)
    ]
    assert verdicts == ["passes", "undecided", "fails"]


def test_a_threshold_of_nothing_is_undecided():
    entry = only(check(grey([0.1] * 20, [0] * 20), require(threshold(0.2))))
    assert (entry["verdict"], entry["reason"]) == ("undecided", "the clean accuracy is 0, so that it cannot fall")


def test_a_quality_says_the_same_as_a_measurement():
    asked = require(
        bright([-0.25, 0.15], 0.5), bright(0.15, 0.5, quality="softmax"), bright(0.15, 0.5, quality="agreement")
    )
    run = check(ladder(40), asked, replicates=200)
    measured = measure(
        Readout(), ladder(40), transformations={"brightness": [-0.25, 0.15]}, replicates=200, controls=1, device="cpu"
    )
    curves = measured.curves[measured.curves["class"] == "all"].set_index("magnitude")
    for place, quality in [(0, "accuracy"), (2, "agreement")]:
        part = run.requirements[place]["parts"][-1]
        for mine, theirs in (("estimate", quality), ("low", f"{quality}_low"), ("high", f"{quality}_high")):
            assert part[mine] == pytest.approx(curves.loc[0.15, theirs], abs=1e-12)
    softmax = run.requirements[1]
    assert softmax["estimate"] == pytest.approx(curves.loc[0.15, "softmax_true"], abs=1e-6)


def test_every_strength_is_shown_once_for_all_requirements():
    images = dark(10, 10)
    asked = require(
        bright(0.2, 0.5), bright([0.2, 0.3], 0.5, classes=["dark"]), bright(0.2, 0.5, quality="softmax"), bright(0, 0.5)
    )
    # One image to see what is returned; the clean images; two strengths.
    assert check(images, asked).check["passes"] == 1 + 20 * 3


def test_batches_do_not_change_what_is_found():
    asked = require(
        bright(0.2, 0.5),
        threshold(0.12),
        {"transformation": "gaussian-noise", "magnitude": 0.1, "at_least": 0.5, "quality": "softmax"},
    )
    one, other = (check(ladder(), asked, batch_size=size).results for size in (7, 64))
    np.testing.assert_allclose(one["value"], other["value"], atol=1e-6)
    assert one["verdict"].tolist() == other["verdict"].tolist()


def test_a_requirement_does_not_depend_on_the_others():
    """With thresholds of 0.125 ± 0.025, magnitudes that others ask for would move what is interpolated."""
    images = ladder(60, 0.1, 0.35)
    alone = only(check(images, require(threshold(0.15))))
    others = bright([0.108, 0.118, 0.121, 0.127], 0.5)
    among = check(images, require(others, threshold(0.15), threshold(0.3))).requirements[1]
    numbers = ("estimate", "low", "high", "verdict", "needed")
    assert [alone[name] for name in numbers] == [among[name] for name in numbers]
    shared = measure(
        Readout(),
        images,
        transformations={"brightness": [0.0375, 0.075, 0.108, 0.1125, 0.118, 0.121, 0.127, 0.13125, 0.14, 0.15]},
        replicates=20,
        controls=1,
        device="cpu",
    ).thresholds.query("`class` == 'all' and criterion == 'accuracy' and level == 0.9")
    assert shared["threshold"].item() != pytest.approx(alone["estimate"], abs=1e-4)


def test_the_part_that_no_number_of_images_decides_stands_for_its_requirement():
    """At 0.2 exactly 60 of 100 are kept, at 0.3 still 55."""
    images = grey([0.4] * 40 + [0.25] * 5 + [0.1] * 55, [1] * 100)
    entry = only(check(images, require(bright([0.3, 0.2], 0.6))))
    assert [part["needed"] for part in entry["parts"]] == [pytest.approx(369, abs=1), None]
    assert (entry["verdict"], entry["needed"], entry["deciding"]) == ("undecided", None, "brightness 0.2")


def test_undecided_is_not_kept_unless_that_is_allowed():
    asked = require(bright(0.2, 0.55), bright(0, 0.9))
    assert not check(dark(), asked).kept
    assert check(dark(), asked, allow_undecided=True).kept
    assert check(dark(), {**asked, "check": {"allow_undecided": True}}).kept
    assert not check(dark(), require(bright(0.2, 0.55), bright(0.2, 0.9)), allow_undecided=True).kept


def test_the_contract_may_name_what_is_checked(tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef made():\n    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
    )
    np.savez(tmp_path / "images.npz", images=np.full((40, 8, 8, 3), [200, 9, 9], np.uint8), labels=np.zeros(40, int))
    table = {"network": f"{tmp_path}/net.py:made", "images": str(tmp_path / "images.npz"), "limit": 30, "seed": 2}
    run = check_contract(contract=require(bright(0.1, 0.8), check=table), device="cpu")
    assert (run.verdict, run.check["n_images"], run.info["seeds"]) == ("passes", 30, {"seed": 2})
    assert check_contract(contract=require(bright(0.1, 0.8), check=table), limit=20).check["n_images"] == 20
    with pytest.raises(SettingError, match=r"no network is given.*\[check\]"):
        check_contract(None, dark(), require(bright(0.1, 0.8)))


def test_a_transformation_that_changes_nothing_is_told():
    run = check(dark(), require({"transformation": "horizontal-flip", "magnitude": 1, "at_least": 0.5}))
    assert run.kept
    assert run.info["warnings"] == [
        "horizontal flip changed no answer; look whether these images have what is changed."
    ]
    assert not check(dark(), require(bright(0.2, 0.5))).info["warnings"]


def test_a_contract_may_be_made_in_python():
    run = check(dark(), Contract((Requirement("brightness", (0.2,), 0.5),), name="mine"))
    assert (run.verdict, run.info["question"]) == ("passes", "Does Readout keep the contract “mine”?")
