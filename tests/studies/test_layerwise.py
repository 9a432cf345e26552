import math
from pathlib import Path

import pandas as pd
import pytest
import torch
from hand_made import check_figures, done, observed
from torch import nn

from invariscope.core.errors import LayerError
from invariscope.networks.sites import Site
from invariscope.studies.layerwise import Layerwise, above_null, drawn_positions, rank_correlation, rectifying_sites
from invariscope.studies.layerwise_findings import find_all
from invariscope.studies.tidy import found, over_seeds


def folding() -> nn.Module:
    """One pixel v: units max(v − ½, 0) and max(½ − v, 0), then their sum |v − ½| three times over."""
    first, second, third = nn.Linear(1, 2), nn.Linear(2, 1), nn.Linear(1, 1)
    first.weight.data, first.bias.data = torch.tensor([[1.0], [-1.0]]), torch.tensor([-0.5, 0.5])
    second.weight.data, second.bias.data = torch.ones(1, 2), torch.zeros(1)
    third.weight.data, third.bias.data = torch.ones(1, 1), torch.zeros(1)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU(), third, nn.ReLU(), nn.Linear(1, 2))


VALUES = torch.tensor([[0.0], [0.125], [0.25], [0.75], [0.875], [1.0]])
LABELS = [0, 1, 0, 1, 0, 1]


def value(rows: list[dict], quantity: str, **where: str) -> float:
    fits = [row for row in rows if row["quantity"] == quantity and all(row.get(c) == v for c, v in where.items())]
    assert len(fits) == 1
    return float(fits[0]["value"])


def test_a_network_that_is_invariant_from_its_second_layer_on():
    rows = Layerwise().observe(observed(VALUES, LABELS, folding(), seen=["a"]))["results"]
    for units in ("channels", "positions"):
        for group in ("all", "seen", "unseen"):
            found_ = [value(rows, "invariance", units=units, group=group, layer=layer) for layer in ("2", "4", "6")]
            assert found_ == pytest.approx([0, 1, 1])
            depth = value(rows, "rank correlation of invariance with depth", units=units, group=group)
            assert depth == pytest.approx(3**0.5 / 2)
            assert value(rows, "above null", units=units, group=group, layer="4") == pytest.approx(1)
    assert [row["depth"] for row in rows if row["quantity"] == "null" and row["group"] == "all"] == [1, 2, 3] * 2


def test_without_seen_classes_theirs_is_unknown():
    rows = Layerwise(positions=0).observe(observed(VALUES, LABELS, folding()))["results"]
    assert math.isnan(value(rows, "invariance", group="seen", layer="4"))
    assert math.isnan(value(rows, "rank correlation of invariance with depth", group="seen"))
    assert value(rows, "invariance", group="unseen", layer="4") == value(rows, "invariance", group="all", layer="4")
    assert {row["units"] for row in rows} == {"channels"}


def test_the_order_of_images_does_not_matter():
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    tables = [
        Layerwise().observe(observed(VALUES[places], [LABELS[place] for place in places], folding(), seen=["a"]))
        for places in (torch.arange(6), order)
    ]
    for one, other in zip(*(table["results"] for table in tables), strict=True):
        if one["quantity"] == "invariance":
            assert one["value"] == pytest.approx(other["value"])
            assert (one["layer"], one["n"]) == (other["layer"], other["n"])


def test_a_layer_that_moves_with_the_image_is_invariant_by_channel_and_not_by_position():
    """Squeezing to half the width moves a bright half column; a convolution of one pixel moves with it."""
    convolution = nn.Conv2d(1, 1, 1, bias=False)
    convolution.weight.data.fill_(1)
    module = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    values = torch.zeros(4, 8)
    values[:, :2] = torch.tensor([[0.25], [0.5], [0.75], [1.0]])
    rows = Layerwise().observe(observed(values, [0, 1, 0, 1], module, transformation=("thinning", 0.5)))["results"]
    assert value(rows, "invariance", units="channels", group="all", layer="1") == pytest.approx(1)
    assert value(rows, "invariance", units="positions", group="all", layer="1") == pytest.approx(0)


def test_positions_are_drawn_once_and_for_all():
    site = Site("relu", "activation", "ReLU", (4, 5, 5), "channels-first")
    places = drawn_positions(site, 30)
    assert torch.equal(places, drawn_positions(site, 30))
    assert len(places.unique()) == 30
    assert places.max() < 100
    assert torch.equal(drawn_positions(site, 1000), torch.arange(100))


def test_a_network_that_does_not_rectify_has_to_say_its_layers():
    module = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    with pytest.raises(LayerError, match="has no rectifying layer; name the layers"):
        rectifying_sites(observed(VALUES, LABELS, module))


def test_rank_correlation_and_what_lies_above_the_null():
    assert rank_correlation([0.1, 0.2, 0.9, 0.95, 0.99]) == pytest.approx(1)
    for unknown in ([0.1, 0.2], [0.1, math.nan, 0.3], [0.5, 0.5, 0.5]):
        assert math.isnan(rank_correlation(unknown))
    assert above_null(1.0, 0.3) == 1
    assert above_null(0.2, 0.3) < 0
    assert math.isnan(above_null(1.0, 1.0))


def result(values: list[float]) -> pd.DataFrame:
    rows = []
    for seed in range(3):
        own = {
            "transformation": "inversion",
            "magnitude": 1.0,
            "k": 54,
            "units": "channels",
            "group": "all",
            "seed": seed,
        }
        for layer, each in enumerate(values, 1):
            conditions = {"layer": f"relu{layer}", "depth": layer, **own}
            rows += [found("invariance", each, **conditions), found("null", 0.2, **conditions)]
            rows.append(found("above null", above_null(each, 0.2), **conditions))
        for quantity in ("invariance", "above null"):
            rows.append(found(f"rank correlation of {quantity} with depth", rank_correlation(values), **own))
    return over_seeds(pd.DataFrame(rows))


@pytest.mark.parametrize(("values", "verdict"), [([0.1, 0.2, 0.3], "holds"), ([0.3, 0.2, 0.1], "does not hold")])
def test_findings(values, verdict):
    rises, above = find_all(result(values))
    assert rises.verdict == above.verdict == verdict
    assert f"goes from {values[0]:.2f} in relu1 to {values[-1]:.2f} in relu3" in rises.sentence
    assert rises.sentence.startswith("Inversion, channels, 54 classes seen: ")
    assert rises.sentence.endswith("1.00 in all 3 seeds.")
    assert "(0.20 in relu1, 0.20 in relu3)" in above.sentence


def test_an_interval_of_a_correlation_ends_at_one():
    table = result([0.1, 0.2, 0.3])
    depth = table.quantity == "rank correlation of invariance with depth"
    table.loc[depth & (table.seed == 0), "value"] = 0.5
    assert "is 0.83 (95 % in 0.12 to 1.00 over 3 seeds)" in find_all(table)[0].sentence


def test_the_jobs_of_a_small_grid(tmp_path: Path):
    grid = {"images": "builtin:glyphs?per_class=4", "epochs": 1, "transformations": (("inversion", 1.0),)}
    study = Layerwise.at("smoke", positions=50, **grid)
    tables = done(study, tmp_path)
    results = tables["results"]
    invariance = results[(results.quantity == "invariance") & results.seed.notna()]
    assert list(dict.fromkeys(invariance.layer)) == ["relu1", "relu2", "relu3", "relu4"]
    assert invariance.value.between(0, 1).all()
    channels = invariance[(invariance.units == "channels") & (invariance.layer == "relu4")]
    positions = invariance[(invariance.units == "positions") & (invariance.layer == "relu4")]
    assert channels.n.max() > 50 >= positions.n.max()
    check_figures(study, tables)
    assert len(study.findings(results, tables)) == 4
