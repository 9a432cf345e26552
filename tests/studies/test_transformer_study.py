"""The study of the transformer net: its directory, and what it makes of families that are known."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from invariscope.core.errors import SettingError
from invariscope.images.images import Images
from invariscope.learned.learn import learn_transformer
from invariscope.learned.module import TransformerNet
from invariscope.learned.responses import make_objective
from invariscope.learned.settings import LearnSettings
from invariscope.networks.network import as_network
from invariscope.networks.recipe import Recipe
from invariscope.report.page import make_report
from invariscope.studies.conduct import conduct_study
from invariscope.studies.given import Given
from invariscope.studies.transformer_equal import equal_rows
from invariscope.studies.transformer_findings import find_all
from invariscope.studies.transformer_net import TransformerNetStudy
from invariscope.studies.transformer_observed import angle_between, course_rows, family_rows, size_of
from invariscope.studies.transformer_region import accuracy_of, colour_changes, region_rows
from invariscope.studies.transformer_shape_findings import _members, _share
from invariscope.studies.transformer_versions import RECOMMENDED, versions

SETTINGS = LearnSettings(steps=4, batch_size=16, holdout=0.5, k_grid=3, scales=(0.5, 1.0))


class Brighter(nn.Module):
    """Says whether the image is brighter than half: it minds no movement, and colours only together."""

    def forward(self, images):
        mean = images.mean((1, 2, 3))
        return torch.stack([mean, 1 - mean], 1) * 20


@pytest.fixture(scope="module")
def given():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 2
    pixels = random.uniform(0, 0.4, (60, 3, 8, 8)) + 0.6 * (1 - labels)[:, None, None, None]
    images = Images(pixels.astype(np.float32), labels, ("bright", "dark"))
    return Given(as_network(Brighter()), images.fit(Recipe()), 0, "Brighter", "Brighter")


@pytest.fixture(scope="module")
def learned(given):
    return learn_transformer(given.network, given.images, SETTINGS)


@pytest.fixture(scope="module")
def objective(given):
    return make_objective(given.network, given.images, SETTINGS)


def linear(learned, **ends):
    """The same family with F(k) − I = k₁·A + k₂·B for every head."""

    class Linear(nn.Module):
        def __init__(self, first, second):
            super().__init__()
            self.ends = nn.Parameter(torch.tensor([first, second]).flatten(1), requires_grad=False)

        def forward(self, k):
            return k @ self.ends

    net = TransformerNet(tuple(ends))
    for head, (first, second) in ends.items():
        net.steering[head] = Linear(first, second)
    return replace(learned, module=net)


def value(rows, quantity, **where):
    """The one value of a quantity under conditions."""
    (found,) = [
        row["value"] for row in rows if row["quantity"] == quantity and all(row.get(k) == v for k, v in where.items())
    ]
    return found


def test_a_family_that_is_known(learned):
    """k₁ doubles the width that is read, k₂ shifts; colour: k₁ a gain, k₂ the same gain twice."""
    zeros = [[0.0] * 3] * 2
    wide, shift = [[1.0, 0.0, 0.0], zeros[1]], [[0.0, 0.0, 0.4], zeros[1]]
    gain = np.eye(3, 4)
    family = linear(learned, colour=((0.1 * gain).tolist(), (0.2 * gain).tolist()), spatial=(wide, shift))
    rows = family_rows(family, "mine")
    assert {row["version"] for row in rows} == {"mine"}
    assert value(rows, "angle", head="spatial") == pytest.approx(90)
    assert value(rows, "angle", head="colour") == pytest.approx(0, abs=1e-3)
    assert value(rows, "order", head="spatial", component="k₁") == pytest.approx(1)
    assert value(rows, "leak", head="colour") == 0
    assert value(rows, "rotation", head="spatial") == pytest.approx(0)
    assert value(rows, "magnification", head="spatial") == pytest.approx(0.5**0.5)
    assert value(rows, "shift", head="spatial") == pytest.approx(0.4)
    assert value(rows, "length at k = (1, 1)", head="colour") == pytest.approx(0.3 * 3**0.5)


def test_size_is_the_mean_over_k(learned):
    """Of a gain k₁ + 2 k₂ over 10 of three channels: ‖C − I‖² / 4 has the mean 3 (k₁ + 2 k₂)² / 400."""
    gain = np.eye(3, 4)
    family = linear(learned, colour=((0.1 * gain).tolist(), (0.2 * gain).tolist()))
    ks = np.linspace(0, 1, 5)
    wanted = np.mean([(one + 2 * other) ** 2 for one in ks for other in ks]) * 3 / 400
    assert size_of(family.module) == pytest.approx(wanted**0.5, rel=1e-5)


def test_angles():
    assert angle_between(np.array([1.0, 0.0]), np.array([-2.0, 0.0])) == pytest.approx(180)
    assert np.isnan(angle_between(np.zeros(2), np.ones(2)))


def test_the_course_is_a_moving_average(learned):
    course = course_rows(learned)
    assert set(course.quantity) == {"network", "transformers", "loss of colour", "loss of spatial"}
    both = course.pivot(index="step", columns="quantity", values="value")
    np.testing.assert_allclose(both["transformers"], both["loss of colour"] + both["loss of spatial"], atol=1e-12)


def test_random_changes_of_a_network_that_minds_no_movement(learned, given, objective):
    region = region_rows(learned, given.network, given.images, objective, 12, seed=0)
    space = region[region["head"] == "spatial"]
    assert len(space) == 12
    assert space.stands.all()
    assert not space.near.any(), "six dimensions are too many to come near by chance"
    assert (region.distance <= 1.5).all()
    again = region_rows(learned, given.network, given.images, objective, 12, seed=0)
    pd.testing.assert_frame_equal(region, again)


def test_accuracy_under_one_change(learned, given, objective):
    assert accuracy_of(learned, given.network, given.images, objective, {}) == 1.0
    dark = {"colour": -torch.eye(3, 4)}
    labels = given.images.labels[learned.held_out[1].numpy()]
    assert accuracy_of(learned, given.network, given.images, objective, dark) == (labels == 1).mean()


def test_a_gain_that_matters_is_found(learned, given, objective):
    """Dark images, 0.2 in the mean, pass for bright beyond a gain of 2.5: pixels change by 1.5 of what they are."""
    found = colour_changes(learned, given.network, given.images, objective)
    assert 0.15 < found["gain"] < 0.35
    assert found["colour"] >= 0


def test_versions_are_compared_at_equal_size(learned, given, objective):
    gain = np.eye(3, 4)
    small = linear(learned, colour=((0.01 * gain).tolist(), (0.01 * gain).tolist()))
    large = linear(learned, colour=((0.1 * gain).tolist(), (0.1 * gain).tolist()))
    harmful = linear(learned, colour=((-0.9 * gain).tolist(), (-0.9 * gain).tolist()))
    rows = equal_rows({RECOMMENDED: harmful, "sum 1": large, "sum 2": small}, given, objective, 3)
    found = {row["version"]: row["value"] for row in rows}
    assert found[RECOMMENDED] < 0.9
    # Nine times a gain of 0.2 makes dark images bright at k = (1, 1), one of eight; gains of 1.35 and less do not.
    dark = (given.images.labels[learned.held_out[1].numpy()] == 1).mean()
    assert found["sum 1"] == pytest.approx(1 - dark / 8)
    assert np.isnan(found["sum 2"]), "it would have to grow ninetyfold"


def test_rules_over_seeds():
    assert _members(pd.Series([True] * 5)) == "holds"
    assert _members(pd.Series([True] * 4)) == "undecided"
    assert _members(pd.Series([True, True, False])) == "does not hold"
    assert _members(pd.Series([False, False])) == "undecided"
    assert _share(0, 5) == "does not hold"
    assert _share(5, 5) == "undecided"
    assert _share(40, 40) == "holds"


def results(**changes):
    """Results of three seeds, as the study has them, for one network."""
    usual = {
        "network's loss, change": 0.02,
        "transformers' loss, change": -0.3,
        "accuracy at the end": 0.9,
        "clean": 0.95,
        "change, mean over k": -0.01,
        "change, worst k": -0.2,
        "certified scale": 0.5,
        "certified displacement": 1.2,
        "certified colour": 0.3,
        "certified change, worst k": -0.02,
        "accuracy at equal size": 0.9,
        "pixels changed, colour": 0.05,
        "pixels changed, gain": 0.2,
    } | changes
    heads = {"leak": 0.0, "angle": 40.0, "length at k = (1, 1)": 0.6, "steps to half": 100.0}
    rows = []
    for seed in range(3):
        about = {"network": "N", "seed": seed, "version": RECOMMENDED}
        jitter = 1 + 0.01 * seed
        rows += [about | {"quantity": name, "value": number * jitter} for name, number in usual.items()]
        for head in ("colour", "spatial"):
            own = about | {"head": head}
            rows += [own | {"quantity": name, "value": number} for name, number in heads.items()]
            rows += [own | {"quantity": "order", "component": name, "value": 1.0} for name in ("k₁", "k₂")]
        shape = {"rotation": 3.0, "magnification": 0.9, "shear": 0.02, "shift": 0.3}
        rows += [about | {"head": "spatial", "quantity": name, "value": number} for name, number in shape.items()]
        rows.append(about | {"quantity": "accuracy at equal size", "version": "sum 1", "value": 0.8 * jitter})
    frame = pd.DataFrame(rows)
    return frame.assign(seed=frame["seed"].astype("Int64"))


def test_what_is_said_of_the_claims():
    entries = [
        {"network": "N", "version": RECOMMENDED, "seed": seed, "head": head, "k1": 1.0, "k2": 0.0}
        | {"entry": place, "value": float(place == seed)}
        for seed in range(3)
        for head in ("colour", "spatial")
        for place in range(3)
    ]
    region = pd.DataFrame(
        {"network": "N", "seed": [0, 1, 2] * 4, "head": "spatial", "stands": True, "near": False, "distance": 0.9}
    )
    found = find_all(results(), {"entries": pd.DataFrame(entries), "region": region})
    verdicts = {(finding.claim, finding.verdict) for finding in found if finding.claim}
    assert verdicts == {
        ("the network's loss stays while the transformers' loss falls", "holds"),
        ("transformed images are classified as before, in the mean over k", "holds"),
        ("transformed images are classified as before, at the worst k", "does not hold"),
        ("a larger k is a larger transformation", "holds"),
        ("one k drives space and the other colour, independently", "holds"),
        ("different k give different transformations", "holds"),
        ("it never turns by more than a few degrees nor zooms in strongly", "undecided"),
        ("it zooms out", "undecided"),
        ("in space it only zooms out: shear and shift stay below a tenth", "does not hold"),
        ("only small changes of colour are learned", "holds"),
        ("spatial parameters are learned much faster than colours", "does not hold"),
        ("a weighted sum of both losses trains badly, and switching on accuracy works", "holds"),
        ("the method works on other networks", "does not hold"),
        ("the transformer net extracts the space of transformations that the network ignores", "does not hold"),
    }
    text = " ".join(finding.sentence for finding in found)
    assert "lies 40° apart" in text
    assert "with another, 90°" in text
    assert "certified are scales 0.5, 0.505 and 0.51" in text


def test_versions_of_one_network_only():
    study = TransformerNetStudy(networks=("builtin:cnn?size=16&channels=3", "builtin:cnn?size=24&channels=3"))
    assert [job.settings["settings"]["versions"] for job in study.jobs()] == [1, 0] * 3
    assert list(versions(None)) == [RECOMMENDED]
    assert {"smoke", "small", "paper"} == set(TransformerNetStudy.scales)
    assert TransformerNetStudy.at("paper").epochs == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 1 or more; got 0"),
        ({"sums": (0.0,)}, "weights of sums are above 0; got 0"),
        ({"draws": -1}, "draws are 0 or more; got -1"),
        ({"versions": -1}, "versions is 0 or more"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(SettingError, match=message):
        TransformerNetStudy(**settings).check()


def test_the_whole_study_from_jobs_to_page(tmp_path):
    small = {"images": "builtin:transforms2d?size=16&per_class=2", "epochs": 1, "steps": 3, "draws": 2, "holdout": 20}
    study = TransformerNetStudy.at("smoke", **small)
    out = conduct_study(study, tmp_path / "study", scale="smoke", engine="serial")
    results = pd.read_parquet(out / "results.parquet")
    assert set(results.version.dropna()) == set(versions(study.sums))
    assert {"course", "parts", "entries", "region", "networks"} <= {path.stem for path in out.glob("*.parquet")}
    told = json.loads((out / "findings.json").read_text())
    assert {each["verdict"] for each in told} == {"undecided", ""}, "one seed decides nothing"
    text = make_report(out).read_text(encoding="utf-8")
    assert "is not drawn" not in text
