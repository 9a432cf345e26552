"""A network measured, and its responses recorded by other means: the same numbers."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import invariscope as inv

QUICK = {"replicates": 20, "controls": 1, "seed": 2}
GRID = [0.4, 1.0]


def small():
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(600, 5), nn.ReLU(), nn.Linear(5, 2)
    ).eval()


@pytest.fixture(scope="module")
def pixels():
    return torch.rand(30, 3, 12, 12, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("layer", ["1", "4"])
def test_recorded_responses_give_the_units_of_a_measurement(layer, pixels, tmp_path):
    network, images = small(), inv.Images(pixels.numpy())
    run = inv.measure(network, images, transformations={"inversion": GRID}, layers=[layer], device="cpu", **QUICK)
    rows = []
    with torch.no_grad():
        for magnitude in (0.0, *GRID):
            answers = network[: int(layer) + 1](inv.Inversion()(pixels, magnitude))
            answers = answers.amax((2, 3)) if answers.ndim == 4 else answers
            rows += [
                {
                    "stimulus": s,
                    "unit": u,
                    "transformation": "inversion",
                    "magnitude": magnitude,
                    "response": float(answers[s, u]),
                }
                for s, u in np.ndindex(*answers.shape)
            ]
    pd.DataFrame(rows).to_parquet(tmp_path / "responses.parquet")
    recorded = inv.responses(tmp_path / "responses.parquet", **QUICK)
    by_place = ["layer", "null"]
    pd.testing.assert_frame_equal(
        recorded.units.drop(columns=by_place), run.units.drop(columns=by_place), rtol=1e-5, atol=1e-6
    )
    measured, again = (table.layers.drop(columns=["layer", "null", "low", "high"]) for table in (run, recorded))
    pd.testing.assert_frame_equal(again, measured, rtol=1e-5, atol=1e-6)


def test_the_null_is_what_a_unit_that_ignores_the_image_would_reach():
    """Independent responses are no more alike for the same stimulus than for another: I is its null but for chance."""
    draw = np.random.Generator(np.random.PCG64(0))
    clean, moved = draw.random((2, 4000, 5))
    units = inv.responses(clean, moved, **QUICK).units.dropna(subset="magnitude")
    assert units["null"].to_numpy() == pytest.approx(units["invariance"].to_numpy(), abs=0.02)
    same = inv.responses(clean, clean, **QUICK).units.dropna(subset="magnitude")
    assert (same["invariance"] == 1).all()
    assert same["null"].to_numpy() == pytest.approx(units["null"].to_numpy(), abs=0.02)
