"""The gate's bad inputs, after which nothing lies anywhere, and its interruption, after which it goes on."""

import math

import pytest
import torch
from check_world import Readout, bright, dark, require

from invariscope.checks.check import check_contract
from invariscope.checks.shown import Show
from invariscope.core.errors import ImageError, NetworkError, RunError, SettingError


def check(images, asked, network=None, **settings):
    return check_contract(network or Readout(), images, asked, device="cpu", **settings)


class Broken(Readout):
    def forward(self, images):
        return super().forward(images) * torch.where(images.mean() > 0.5, math.nan, 1.0)


@pytest.mark.parametrize(
    ("asked", "settings", "error"),
    [
        (require(bright(3, 0.5)), {}, SettingError),
        (require(bright(0.2, 0.5, classes=["cat"])), {}, SettingError),
        (require({"transformation": "brightnes", "magnitude": 0.2, "at_least": 0.5}), {}, SettingError),
        ({}, {}, SettingError),
        (require(bright(0.2, 0.5)), {"limit": 0}, ImageError),
        (require(bright(0.2, 0.5)), {"replicates": 3}, SettingError),
        (require(bright(0.2, 0.5)), {"batch_size": 0}, SettingError),
        (require(bright(0.2, 0.5)), {"seed": -1}, SettingError),
        (require(bright(0.2, 0.5)), {"class_names": ["a", "b", "c"]}, ImageError),
        (require(bright(0.45, 0.5)), {"network": Broken()}, NetworkError),
        (None, {}, SettingError),
        (require(bright(0.2, 0.5)), {"baseline": "nowhere"}, SettingError),
        (None, {"baseline": "nowhere"}, RunError),
    ],
)
def test_nothing_is_written_when_it_cannot_begin(asked, settings, error, tmp_path):
    with pytest.raises(error) as told:
        check(dark(), asked, out=tmp_path / "out", **settings)
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_check_goes_on_where_it_stopped(tmp_path, monkeypatch):
    asked = require(bright(0.2, 0.5), {"transformation": "contrast", "magnitude": 0.5, "at_least": 0.5})
    whole = check(dark(), asked, out=tmp_path / "whole")
    shown = Show.sweep

    def stopping(self, family, *more):
        if family.name == "contrast":
            raise KeyboardInterrupt
        return shown(self, family, *more)

    with monkeypatch.context() as patch:
        patch.setattr(Show, "sweep", stopping)
        with pytest.raises(KeyboardInterrupt):
            check(dark(), asked, out=tmp_path / "out")
    with pytest.raises(RunError, match="unfinished run"):
        check(dark(), asked, out=tmp_path / "out")
    with pytest.raises(RunError, match="other settings"):
        check(dark(), require(bright(0.2, 0.6)), out=tmp_path / "out", resume=True)
    again = check(dark(), asked, out=tmp_path / "out", resume=True)
    assert again.check["passes"] == 1 + 100 * 2
    for name in ("results.parquet", "findings.json", "figures.json", "contract.toml"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert again.requirements == whole.requirements
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    before = (tmp_path / "out" / "run.json").stat().st_mtime_ns
    assert check(dark(), asked, out=tmp_path / "out", resume=True).requirements == whole.requirements
    assert (tmp_path / "out" / "run.json").stat().st_mtime_ns == before
    assert check(dark(), require(bright(0.2, 0.9)), out=tmp_path / "out", overwrite=True).verdict == "fails"
