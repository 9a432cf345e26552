import pytest
import torch
from torch import nn

from invariscope.core.errors import SettingError
from invariscope.images.images import Images
from invariscope.runs.measure import measure


def network() -> nn.Sequential:
    """The read-out needs activities above a tenth of the peak and nothing below."""
    readout = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(2, 2, bias=False))
    readout[2].weight = nn.Parameter(torch.eye(2))
    return readout


def images() -> Images:
    pixels = torch.tensor([[1.0, 0.0], [0.4, 0.1], [0.0, 1.0], [0.1, 0.4]]).reshape(4, 1, 1, 2)
    return Images(pixels, [0, 0, 1, 1], ["left", "right"])


def test_tau_is_chosen_by_ablation():
    run = measure(network(), images(), transformations={"gain": [0.5]}, device="cpu", tau="ablation")
    # The classes' own responses are 1 and .4; below .4 of the peak everything can go.
    assert 0.3 <= run.info["configuration"]["tau"] < 0.4
    assert set(run.units.tau) == {run.info["configuration"]["tau"]}
    (told,) = [warning for warning in run.info["warnings"] if warning.startswith("tau is")]
    assert "at 1, silencing all activity below this fraction of the peak costs" in told


def test_another_word_is_refused():
    with pytest.raises(SettingError, match=r"from 0 to below 1, or ablation; got 'auto'"):
        measure(network(), images(), transformations={"gain": [0.5]}, device="cpu", tau="auto")
