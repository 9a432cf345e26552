"""The study infinitesimal: its sentences by hand, flips of a known network, and a smoke run."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from invariscope.core.errors import SettingError
from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.studies.base import STUDIES
from invariscope.studies.conduct import conduct_study
from invariscope.studies.given import Given
from invariscope.studies.infinitesimal import Infinitesimal
from invariscope.studies.infinitesimal_findings import find_all
from invariscope.studies.infinitesimal_flips import flip_rows, flips_of
from invariscope.studies.tidy import found, over_seeds
from invariscope.tolerance.infinitesimal import sensitivity

NETWORKS = pd.DataFrame([{"network": "A", "trained": False, "n": 500}])


class Bright(nn.Module):
    """Two classes, apart at a mean of 0.6."""

    def forward(self, images):
        mean = images.mean((1, 2, 3))
        return torch.stack([mean - 0.6, 0.6 - mean], dim=1)


def told(selectivity=(-0.9, -1.0, -0.8), equivariance=(-0.7, -0.8, -0.6), inside=0.95, gains=(0.5, 2.0)):
    """Rows of one loaded network under a rotation."""
    about = {"network": "A", "seed": 0, "transformation": "rotation"}
    rows = []
    for depth, (layer, step, relative) in enumerate((("image", 0.4, 1.0), ("relu", 0.2, 0.5), ("output", 0.6, 1.5))):
        at = {"layer": layer, "depth": depth, **about}
        rows.append(found("sensitivity per step", step, n=500, **at))
        rows.append(found("relative sensitivity", relative, relative - 0.1, relative + 0.1, n=500, **at))
        if depth:
            rows.append(found("gain", gains[depth - 1], n=500, **at))
    trends = {"selectivity": selectivity, "equivariance": equivariance}
    rows += [found(f"rank correlation of {name} with depth", *three, n=8, **about) for name, three in trends.items()]
    rows.append(found("least selectivity inside", inside, inside, inside, n=8, **about))
    rows += [found(f"rank correlation of flips with {name}", value, n=500, **about) for name, value in
             {"margin": 0.4, "length": 0.6, "estimate": 0.3, "nearest": 0.5}.items()]  # fmt: skip
    return find_all(over_seeds(pd.DataFrame(rows)), {"networks": NETWORKS})


def claimed(findings, words):
    (one,) = [each for each in findings if words in each.claim]
    return one


def test_it_is_known_by_name_and_has_all_scales():
    assert STUDIES["infinitesimal"] is Infinitesimal
    assert set(Infinitesimal.scales) == {"smoke", "small", "paper"}
    assert Infinitesimal.at("paper").epochs == 0
    assert Infinitesimal.at("small").passes() > Infinitesimal.at("small", steps=0).passes() > 1


def test_the_profile_is_told_in_steps_of_the_grid_and_by_its_extremes():
    sentence = told()[0].sentence
    assert (
        "would change the image by 0.4 of its spread between images, the output by 0.6: 1.50 times as much" in sentence
    )
    assert "95 % in 1.40 to 1.60 over 500 images" in sentence
    assert sentence.endswith("Most is created in output (×2.00), most removed in relu (×0.50).")
    assert told(gains=(1.0, 1.5))[0].sentence.endswith("Most is created in output (×1.50), nothing removes any.")
    assert told(gains=(0.5, 0.8))[0].sentence.endswith("Nothing creates any, most removed in relu (×0.50).")


@pytest.mark.parametrize(
    ("three", "verdict"),
    [
        ((-0.9, -1.0, -0.8), "holds"),
        ((0.3, 0.1, 0.5), "does not hold"),
        ((-0.3, -0.4, -0.2), "does not hold"),
        ((-0.6, -1.0, 0.1), "undecided"),
    ],
)
def test_claims_of_depth_are_judged_by_a_rank_correlation_of_a_half(three, verdict):
    assert claimed(told(selectivity=three), "grows with depth").verdict == verdict
    assert claimed(told(equivariance=three), "equivariance falls").verdict == verdict


@pytest.mark.parametrize(("inside", "verdict"), [(0.95, "holds"), (0.5, "does not hold")])
def test_a_peak_inside_is_one_in_nine_tenths_of_the_resamplings(inside, verdict):
    assert claimed(told(inside=inside), "peaks in the middle").verdict == verdict


def test_what_is_known_at_the_identity_is_set_against_the_margin_alone():
    sentence = told()[-1].sentence
    assert "rotation 0.60, 0.50 (0.40)" in sentence
    assert "for 1 of 1" in sentence


def given(pictures):
    network = Network(Bright())
    return Given(network, Images(pictures).fit(network.recipe), 0, "Bright", "bright")


def test_flips_of_a_linear_network_are_where_its_lines_meet():
    levels = torch.tensor([0.35, 0.45, 0.5, 0.55, 0.62, 0.7, 0.85])
    one = given(levels[:, None, None, None].expand(-1, 1, 4, 4).contiguous())
    seen = sensitivity(one.network, one.images, ["brightness"], phase=False, replicates=5)
    flips = flips_of(one, seen.images, steps=60)
    away = (levels - 0.6).abs().numpy()
    assert flips["nearest"].to_numpy() == pytest.approx(away, rel=1e-4)
    assert np.abs(flips["threshold"] - away).max() < 0.6 / 60 + 1e-6
    rows = {row["quantity"]: row["value"] for row in flip_rows(flips, seed=0)}
    assert rows["rank correlation of flips with nearest"] == pytest.approx(1.0, abs=0.05)
    assert rows["rank correlation of flips with margin"] == pytest.approx(1.0, abs=0.05)


def test_what_never_flips_ranks_last_and_is_not_drawn():
    one = given(torch.tensor([0.05, 0.3, 0.5, 0.58, 0.64, 0.9])[:, None, None, None].expand(-1, 1, 4, 4).contiguous())
    seen = sensitivity(one.network, one.images, {"gain": [1.2]}, phase=False, replicates=5)
    flips = flips_of(one, seen.images, steps=40)
    never = np.isinf(flips["threshold"])
    assert never.tolist() == [True, True, False, False, False, False]
    assert flips["flipped"].isna().tolist() == never.tolist()
    assert flips["estimated"].between(0, 1).all()


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(SettingError, match="jpeg has no derivative"):
        Infinitesimal.at("smoke", transformations=("jpeg",)).check()
    with pytest.raises(SettingError, match="at least one transformation"):
        Infinitesimal.at("smoke", transformations=()).check()
    with pytest.raises(SettingError, match="got -1"):
        Infinitesimal.at("smoke", steps=-1).check()


def test_a_smoke_run_has_its_tables_sentences_and_figures(tmp_path):
    study = Infinitesimal.at("smoke", networks=("builtin:cnn",), limit=24, replicates=20)
    out = conduct_study(study, tmp_path / "run", scale="smoke", engine="serial")
    results = pd.read_parquet(out / "results.parquet")
    assert {"network", "transformation", "layer", "depth", "quantity", "value", "low", "high"} <= set(results.columns)
    image = results[(results["layer"] == "image") & (results["quantity"] == "relative sensitivity")]
    assert (image["value"] == 1).all()
    turned = results[results["transformation"] == "rotation"]
    assert {"gain", "created", "selectivity", "equivariance"} <= set(turned["quantity"])
    # The network standardises each image, which takes brightness away before its first layer.
    bright = results[(results["transformation"] == "brightness") & (results["depth"] > 0)]
    assert (bright.loc[bright["quantity"] == "relative sensitivity", "value"] == 0).all()
    assert set(pd.read_parquet(out / "flips.parquet")["transformation"]) == {"rotation"}
    drawn = [figure["name"] for figure in json.loads((out / "figures.json").read_text())]
    assert drawn == ["profile", "gains-1", "selectivity", "white", "equivariance", "prediction", "flips-1"]
    claims = {each["claim"] for each in json.loads((out / "findings.json").read_text())}
    assert any("equivariance falls with depth" in claim for claim in claims)
