"""The studies joint-tolerance and worst-case: their sentences by hand, and a smoke run of each."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from invariscope.core.errors import MagnitudeError, SettingError, UnknownNameError
from invariscope.studies.base import STUDIES
from invariscope.studies.conduct import conduct_study
from invariscope.studies.evidence import estimate, surely
from invariscope.studies.joint_findings import find_all as joint_sentences
from invariscope.studies.joint_tolerance import JointToleranceStudy
from invariscope.studies.tidy import found, over_seeds
from invariscope.studies.worst_case import WorstCaseStudy
from invariscope.studies.worst_findings import find_all as worst_sentences

QUICK = {"images": "builtin:glyphs?per_class=6", "networks": ("builtin:cnn",), "epochs": 6, "limit": 24, "seeds": (1,)}


def networks(trained: bool, names=("A", "B")) -> pd.DataFrame:
    return pd.DataFrame([{"network": name, "trained": trained, "n": 500} for name in names])


def test_both_are_known_by_name_and_have_all_scales():
    assert (STUDIES["joint-tolerance"], STUDIES["worst-case"]) == (JointToleranceStudy, WorstCaseStudy)
    for kind in (JointToleranceStudy, WorstCaseStudy):
        assert set(kind.scales) == {"smoke", "small", "paper"}
        assert kind.at("paper").epochs == 0
        assert kind.at("small").passes() > 100


def test_a_number_is_sure_over_seeds_if_trained_and_over_images_if_loaded():
    rows = [
        found("share", value, value - 0.1, value + 0.2, network="A", seed=seed) for seed, value in enumerate((1, 3))
    ]
    results = over_seeds(pd.DataFrame(rows))
    trained = estimate(results, networks(True), "A", quantity="share")
    assert (trained.value, trained.n) == (2, 2)
    assert trained.high - trained.value > 10
    loaded = estimate(results, networks(False), "A", quantity="share")
    assert (loaded.value, loaded.low, loaded.high) == pytest.approx((2, 1.9, 2.2))
    assert surely(loaded, networks(False), "A") == " (95 % in 1.90 to 2.20 over 500 images)"
    assert surely(trained, networks(True), "A").endswith("over 2 seeds)")


def joint_tables(ratios, censored=0):
    """Two loaded networks; the ratio of each with its interval."""
    rows, area, planes = [], [], []
    for name, (value, low, high) in ratios.items():
        about = {"network": name, "seed": 0, "pair": "rotation × zoom", "level": 0.9}
        numbers = {"ratio": (value, low, high), "share": (value / 4, low / 4, high / 4), "box": (0.25, 0.2, 0.3)}
        numbers["within"] = (value, low, high)
        rows += [found(quantity, *three, n=500, **about) for quantity, three in numbers.items()]
        sides = {"x": "rotation", "y": "zoom", "x_low": -12.0, "x_high": 14.0, "y_low": 0.8, "y_high": 1.2}
        area.append({**about, "class": "all", "n": 500, "censored": censored, **sides})
        for place in range(4):
            units = {"unit_of_measure_x": "degrees", "unit_of_measure_y": "times as large"}
            at = {"magnitude_x": place, "magnitude_y": 1.0, "relative": 1 - place / 4}
            planes.append({**about, "class": "all", **at, **units})
    tables = {"area": pd.DataFrame(area), "joint": pd.DataFrame(planes), "networks": networks(False, list(ratios))}
    return over_seeds(pd.DataFrame(rows)), tables


@pytest.mark.parametrize(
    ("three", "verdict"),
    [
        ((0.6, 0.5, 0.7), "holds"),
        ((1.1, 1.05, 1.2), "does not hold"),
        ((0.9, 0.7, 1.1), "undecided"),
        ((0.97, 0.96, 0.98), "does not hold"),
    ],
)
def test_joint_tolerance_is_judged_by_the_ratio_to_the_box(three, verdict):
    (one,) = joint_sentences(*joint_tables({"A": three}), 0.9)
    assert one.verdict == verdict
    assert one.claim == "together, rotation and zoom are tolerated less far than each is alone"
    assert "rotation from −12° to 14° alone, and over zoom from 0.8× to 1.2× alone" in one.sentence
    assert f"{three[0]:.0%}".replace("%", "\u202f%") + " of the box (95 % in" in one.sentence


def test_two_networks_are_set_side_by_side_and_a_grid_that_ends_is_told():
    found_here = joint_sentences(*joint_tables({"A": (0.6, 0.5, 0.7), "B": (0.8, 0.7, 0.9)}, censored=2), 0.9)
    assert [each.verdict for each in found_here] == ["holds", "holds", ""]
    assert "On 2 of four sides the grid ends before tolerance does" in found_here[0].sentence
    assert (
        "A keeps 90\u202f% of its clean accuracy over 15.0\u202f% of the plane and B over 20.0"
        in found_here[2].sentence
    )
    assert found_here[2].sentence.endswith("Point by point their accuracies correlate at 1.00.")


def worst_tables(worst=0.3, random=0.7, alone=0.5):
    rows, images = [], []
    for name, shift in (("A", 0.0), ("B", 0.1)):
        about = {"network": name, "seed": 0, "extent": 1.0}

        def of(quantity, value, axis, about=about):
            return found(quantity, value, value - 0.02, value + 0.02, n=500, axis=axis, **about)

        rows += [of("clean", 0.9, "together"), of("random", random, "together"), of("worst", worst + shift, "together")]
        rows += [of("worst", alone, "rotation"), of("worst", alone + 0.2, "zoom"), of("passes", 12.5, "together")]
        ways = {"fooled by grid": 0.5, "fooled by random": 0.1, "fooled by gradient": 0.05}
        rows += [of(way, share, "together") for way, share in ways.items()]
        fooled = np.arange(500) >= 500 * (worst + shift)
        images.append(pd.DataFrame({"network": name, "seed": 0, "image": np.arange(500), "fooled": fooled}))
    return over_seeds(pd.DataFrame(rows)), {"worst": pd.concat(images), "networks": networks(False)}


def test_what_the_worst_case_says():
    below, _, joint, _, compared, cost, _ = worst_sentences(*worst_tables(), points=125)
    assert below.verdict == "holds"
    assert (
        "recognises 90.0\u202f% of clean images, 70.0\u202f% at random points of the region, and 30.0" in below.sentence
    )
    assert joint.verdict == "holds"
    assert "50.0\u202f% under rotation, 70.0\u202f% under zoom; of all together it leaves 30.0" in joint.sentence
    # 50 of 500 images differ, all in one direction: 10 points, ± 1.96 √(.1 · .9 / 500).
    assert (
        "A keeps 30.0\u202f% and B 40.0\u202f%: −10.0 points (95 % in −12.6 to −7.4, image by image)"
        in compared.sentence
    )
    assert "12.5 times on average, the grid alone would be 125" in cost.sentence
    assert (
        "50.0\u202f% were fooled on the grid, 10.0\u202f% more at random points, and 5.0\u202f% more" in cost.sentence
    )


def test_a_worst_case_like_a_random_one_and_like_one_axis_is_told():
    below, _, joint, *_ = worst_sentences(*worst_tables(worst=0.69, random=0.7, alone=0.69), points=125)
    assert (below.verdict, joint.verdict) == ("does not hold", "does not hold")


@pytest.fixture(scope="module")
def joint_out(tmp_path_factory):
    study = JointToleranceStudy(
        **QUICK,
        pairs=(("rotation", "zoom"),),
        magnitudes=(("rotation", (-20.0, 20.0)), ("zoom", (0.8, 1.25))),
        replicates=20,
    )
    return conduct_study(study, tmp_path_factory.mktemp("runs") / "joint", scale="smoke", engine="serial")


def test_joint_tolerance_writes_its_tables(joint_out):
    joint, area = (pd.read_parquet(joint_out / f"{name}.parquet") for name in ("joint", "area"))
    assert joint.pair.unique().tolist() == ["rotation × zoom"]
    assert len(joint[joint["class"] == "all"]) == 9
    assert area["level"].tolist() == [0.9, 0.5]
    results = pd.read_parquet(joint_out / "results.parquet")
    assert set(results.quantity) == {"share", "box", "ratio", "within"}
    own = results[(results.seed == 1) & (results.level == 0.9) & (results.quantity == "share")]
    assert own.value.item() == area.share[0]
    figures = json.loads((joint_out / "figures.json").read_text())
    assert [figure["kind"] for figure in figures] == ["field", "field", "intervals"]
    for figure in figures:
        table = pd.read_parquet(joint_out / f"{figure['table']}.parquet")
        assert {figure["x"], figure["y"], *figure["where"]} - {"value"} <= set(table.columns)


@pytest.fixture(scope="module")
def worst_out(tmp_path_factory):
    small = {"steps": 2, "restarts": 1, "ascent": 2, "draws": 1, "extents": (0.5, 1.0), "examples": 3}
    study = WorstCaseStudy(**QUICK, region=(("rotation", -20.0, 20.0), ("zoom", 0.8, 1.25)), **small)
    return conduct_study(study, tmp_path_factory.mktemp("runs") / "worst", scale="smoke", engine="serial")


def test_worst_case_writes_its_tables_and_pictures(worst_out):
    results, worst, remaining = (pd.read_parquet(worst_out / f"{n}.parquet") for n in ("results", "worst", "remaining"))
    single = results[(results.seed == 1) & (results.extent == 1) & (results.axis == "together")].set_index("quantity")
    everyone = remaining[(remaining["class"] == "all") & (remaining.axis == "together") & (remaining.extent == 1)]
    assert single.value["worst"] == everyone.worst.item() == pytest.approx(1 - worst.fooled.mean())
    assert single.value["passes"] == pytest.approx(worst.passes.mean())
    assert set(remaining.axis) == {"together", "rotation", "zoom"}
    assert (remaining.worst <= remaining.clean).all()
    figures = {figure["name"]: figure for figure in json.loads((worst_out / "figures.json").read_text())}
    assert [figure["kind"] for figure in figures.values()] == ["lines", "bars", "gallery"]
    fooled = worst[worst.clean_correct & worst.fooled]
    examples = pd.read_parquet(worst_out / "examples.parquet")
    assert len(examples) == 2 * min(len(fooled), 3) > 0
    for file in examples.file:
        with Image.open(worst_out / file) as picture:
            assert picture.size == (112, 112)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"level": 1.0}, SettingError, "above 0 and below 1; got 1"),
        ({"pairs": ()}, SettingError, "needs a pair of transformations"),
        ({"pairs": (("zoom", "zoom"),)}, SettingError, "two different transformations; got zoom twice"),
        ({"pairs": (("zoom", "rotaton"),)}, UnknownNameError, "Did you mean 'rotation'"),
        ({"magnitudes": (("rotation", (270.0,)),)}, MagnitudeError, "from -180 to 180"),
    ],
)
def test_joint_settings_that_are_refused(settings, error, words, tmp_path):
    with pytest.raises(error, match=words):
        conduct_study(JointToleranceStudy(**{**QUICK, **settings}), tmp_path / "out", engine="serial")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"method": "gird"}, SettingError, "method is grid, gradient or both; got 'gird'"),
        ({"extents": (0.5,)}, SettingError, r"up to 1 and with it; got \(0.5,\)"),
        ({"steps": 1}, SettingError, "steps is 2 or more; got 1"),
        ({"region": (("zoom", 1.1, 1.2),)}, SettingError, r"past the identity \(1\)"),
        ({"region": (("rotation", -270.0, 1.2),)}, MagnitudeError, "from -180 to 180"),
    ],
)
def test_worst_settings_that_are_refused(settings, error, words, tmp_path):
    with pytest.raises(error, match=words):
        conduct_study(WorstCaseStudy(**{**QUICK, **settings}), tmp_path / "out", engine="serial")
    assert not (tmp_path / "out").exists()
