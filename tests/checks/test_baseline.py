"""A run as contract: what it says, and that the same network keeps it."""

import math
import shutil

import pandas as pd
import pytest
from check_world import Readout, dark, grey, ladder

from invariscope.checks.baseline import baseline_contract
from invariscope.checks.check import check_contract
from invariscope.checks.read import read_contract
from invariscope.core.errors import RunError, SettingError
from invariscope.runs.measure import measure
from invariscope.runs.run import Run
from invariscope.statistics.proportions import wilson

GRID = {"brightness": [-0.5, -0.25, 0.05, 0.1, 0.15, 0.2, 0.4]}


def measured(images, **settings):
    return measure(Readout(), images, transformations=GRID, replicates=200, controls=1, device="cpu", **settings)


@pytest.fixture(scope="module")
def run():
    return measured(ladder(50))


class Worse(Readout):
    """Dark images flip at a brightness that is less by 0.08."""

    def forward(self, images):
        return super().forward(images + 0.08)


def test_curves_require_every_tolerated_magnitude(run):
    contract, notes = baseline_contract(run)
    assert notes == []
    clean, *others = contract.requirements
    low = math.floor(1e4 * wilson(50, 50)[0]) / 1e4
    assert (clean.magnitudes, clean.at_least) == ((0,), low)
    # At 0.15 the first 13 of 50 have flipped, fewer than 0.9 of them are left.
    assert [each.magnitudes for each in others] == [(0.05,), (0.1,), (-0.25,), (-0.5,)]
    assert {each.at_least for each in others[2:]} == {low}
    margin, _ = baseline_contract(run, margin=0.1)
    assert margin.requirements[0].at_least == pytest.approx(low - 0.1, abs=1e-4)


@pytest.mark.parametrize("of", ["curves", "thresholds"])
def test_the_same_network_keeps_its_baseline_and_a_worse_one_does_not(of, run, tmp_path):
    kept = check_contract(Readout(), ladder(50), baseline=run, baseline_of=of, device="cpu", out=tmp_path / "a")
    assert kept.verdict == "passes"
    assert of == "thresholds" or kept.requirements[0]["text"] == "clean accuracy of at least 92.86\u202f%"
    assert not kept.info["warnings"]
    worse = check_contract(Worse(), ladder(50), baseline=run.path, baseline_of=of, device="cpu")
    assert worse.verdict == "fails"
    failing = [entry for entry in worse.requirements if entry["verdict"] == "fails"]
    assert {entry["deciding"] for entry in failing} <= {"brightness 0.05", "brightness 0.1", "brightness to 0.1"}
    # The file can be committed, and asks the same.
    assert (tmp_path / "a" / "contract.toml").read_text().startswith("# Made of the run ")
    again = read_contract(tmp_path / "a" / "contract.toml")
    assert check_contract(Worse(), ladder(50), again, device="cpu").verdict == "fails"


def test_thresholds_stand_on_magnitudes_that_were_measured(run):
    contract, _ = baseline_contract(run, "thresholds")
    found = {each.side: each.threshold_at_least for each in contract.requirements}
    # A tenth has flipped at 0.12, and the interval's low end lies above 0.1; the other side never gives way.
    assert found == {"+": 0.1, "-": -0.5}
    assert {each.level for each in contract.requirements} == {0.9}
    eased, _ = baseline_contract(run, "thresholds", margin=0.5)
    assert [each.threshold_at_least for each in eased.requirements] == [0.05, -0.25]


def test_without_labels_agreement_is_required():
    unlabelled = grey([0.4] * 20 + [0.1] * 20, None, None)
    contract, _ = baseline_contract(measured(unlabelled))
    assert {each.quality for each in contract.requirements} == {"agreement"}
    assert [each.magnitudes for each in contract.requirements] == [(0.05,), (-0.25,), (-0.5,)]
    assert check_contract(Readout(), unlabelled, contract, device="cpu").kept


def test_other_images_are_told(run):
    found = check_contract(Readout(), dark(0, 60), baseline=run, device="cpu", allow_undecided=True)
    assert "the baseline was measured on other images" in found.info["warnings"][0]


def test_what_cannot_be_a_baseline_is_told(run, tmp_path):
    for margin in (-0.1, 1, math.nan):
        with pytest.raises(SettingError, match="margin"):
            baseline_contract(run, margin=margin)
    check = check_contract(Readout(), dark(), {"require": [{"transformation": "hue", "magnitude": 5, "at_least": 0}]})
    with pytest.raises(RunError, match=r"no tolerance curves.*`measure`"):
        baseline_contract(check)
    with pytest.raises(RunError, match=r"run\.json"):
        check_contract(Readout(), dark(), baseline=tmp_path, device="cpu")


def test_chains_are_left_out_and_named(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    curves = pd.concat([run.curves, run.curves.assign(transformation="brightness+hue")], ignore_index=True)
    curves.to_parquet(tmp_path / "run" / "curves.parquet")
    contract, [note] = baseline_contract(Run(tmp_path / "run"))
    assert {each.transformation for each in contract.requirements} == {"brightness"}
    assert "brightness+hue cannot stand in a contract" in note
