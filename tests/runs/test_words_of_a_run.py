"""What a run says beside its numbers: idle transformations, and the verdict of units without outputs."""

import numpy as np
import torch
from torch import nn

import invariscope as inv


def test_transformations_that_change_nothing_are_named() -> None:
    grey = inv.Images(torch.rand(6, 1, 8, 8), [0, 1, 2, 0, 1, 2])
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    run = inv.measure(network, grey, transformations="hue,inversion,saturation", device="cpu", replicates=20)
    (said,) = [warning for warning in run.info["warnings"] if "change nothing" in warning]
    assert said.startswith("hue, saturation change nothing")


def test_recorded_units_are_judged_by_their_kinds() -> None:
    clean = np.random.default_rng(0).uniform(0.5, 1, (40, 6))
    silent = np.zeros_like(clean)
    # Half of the units answer to clean stimuli only, the others to transformed ones only.
    first, second = clean.copy(), clean.copy()
    first[:, 3:], second[:, :3] = silent[:, 3:], silent[:, :3]
    words = {
        "invariance": inv.responses(clean, clean).verdicts,
        "other units": inv.responses(first, second).verdicts,
    }
    for word, verdicts in words.items():
        assert verdicts.verdict.tolist() == [word]
        assert verdicts.tolerated.isna().all()
