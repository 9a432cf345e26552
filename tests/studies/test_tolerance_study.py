"""The study of tolerance from its jobs to its page, and on networks whose thresholds are known in closed form."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invariscope.core.errors import MagnitudeError, SettingError, UnknownNameError
from invariscope.report.page import make_report
from invariscope.studies.conduct import conduct_study
from invariscope.studies.tolerance import Tolerance

# A network that calls an image bright when its mean is above LEVEL: under brightness +v an image of grey g changes
# sides at v = LEVEL − g.
BRIGHT = """
import torch

class Bright(torch.nn.Module):
    def __init__(self, level):
        super().__init__()
        self.level = torch.nn.Parameter(torch.tensor(level))

    def forward(self, images):
        above = 40 * (images.mean(dim=(1, 2, 3)) - self.level)
        return torch.stack([-above, above], dim=1)

def half():
    return Bright(0.5)

def higher():
    return Bright(0.6)
"""
GREYS = (0.1, 0.2, 0.3, 0.4, 0.7, 0.8, 0.9, 1.0)
# None of them brings an image to exactly the level.
STEPS = tuple(sorted({0.0, *(round(0.05 * step + 0.013, 3) for step in range(-8, 8))}))


@pytest.fixture(scope="module")
def bright(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bright")
    (folder / "net.py").write_text(BRIGHT)
    greys = np.repeat(np.round(np.array(GREYS) * 255).astype(np.uint8), 5)
    # Stripes that a turn moves and the mean does not see.
    stripes = np.array([6, -6] * 3, dtype=np.int64)[None, :, None, None]
    images = np.clip(np.broadcast_to(greys[:, None, None, None], (40, 6, 6, 1)) + stripes, 0, 255).astype(np.uint8)
    np.savez(folder / "greys.npz", images=images, labels=(greys > 128).astype(np.int64))
    study = Tolerance(
        images=str(folder / "greys.npz"),
        networks=(f"{folder / 'net.py'}:half", f"{folder / 'net.py'}:higher"),
        epochs=0,
        seeds=(0,),
        transformations=("brightness", "hue", "gaussian-noise", "rotation"),
        magnitudes=(("brightness", STEPS), ("rotation", (0, 90))),
        shown=("brightness",),
        replicates=100,
    )
    return conduct_study(study, folder / "run", scale="small", engine="serial")


def of(path: Path, **where) -> pd.Series:
    rows = pd.read_parquet(path / "results.parquet")
    rows = rows[rows["seed"].notna()]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, (where, len(rows))
    return rows.iloc[0]


def accuracies(level: float) -> np.ndarray:
    """What the network is right about at every magnitude, without any of the package."""
    greys = np.round(np.array(GREYS) * 255)
    images = np.clip(greys[:, None] + np.array([6, -6]), 0, 255) / 255
    shown = np.clip(images[None] + np.array(STEPS)[:, None, None], 0, 1).astype(np.float32)
    return ((shown.mean(axis=2) > np.float32(level)) == (greys > 128)).mean(axis=1)


def crossing(quality: np.ndarray, steps: np.ndarray, level: float) -> float:
    after = int(np.flatnonzero(quality < level)[0])
    share = (quality[after - 1] - level) / (quality[after - 1] - quality[after])
    return float(steps[after - 1] + share * (steps[after] - steps[after - 1]))


@pytest.mark.parametrize(("network", "level"), [("half", 0.5), ("higher", 0.6)])
def test_thresholds_are_those_of_a_network_that_reads_brightness(bright, network, level):
    quality, steps = accuracies(level), np.array(STEPS)
    where = {"network": f"net ({network})", "transformation": "brightness", "level": 0.9}
    above = of(bright, **where, side="+", quantity="threshold")
    assert above["value"] == pytest.approx(crossing(quality[steps >= 0], steps[steps >= 0], 0.9))
    assert above["unit_of_measure"] == "of the range"
    below = of(bright, **where, side="-", quantity="threshold")
    assert below["value"] == pytest.approx(crossing(quality[steps <= 0][::-1], steps[steps <= 0][::-1], 0.9))
    change = of(bright, **where, side="+", quantity="change at the threshold")
    # Added to all pixels, the magnitude is the change; white images clip.
    assert 0.8 * above["value"] < change["value"] <= above["value"]


def test_two_networks_are_as_far_apart_as_their_curves(bright):
    gap = of(bright, other="net (higher)", transformation="brightness", quantity="largest gap of the curves")
    assert gap["value"] == pytest.approx(np.abs(accuracies(0.5) - accuracies(0.6)).max())
    assert gap["low"] <= gap["value"] <= gap["high"]


def test_what_changes_nothing_is_left_out_and_said(bright):
    findings = json.loads((bright / "findings.json").read_text())
    assert any(finding["sentence"].startswith("Hue changes none of these images") for finding in findings)
    results = pd.read_parquet(bright / "results.parquet")
    own = results[results["transformation"] == "hue"]
    assert set(own["quantity"]) == {"images changed"}


def test_invariance_to_rotation_is_seen(bright):
    end = of(bright, network="net (half)", transformation="rotation", side="+", quantity="accuracy at the end")
    assert end["value"] == 1.0
    short = of(
        bright,
        network="net (half)",
        transformation="rotation",
        side="+",
        quantity="below half of the clean accuracy at the end",
    )
    assert short["value"] == -0.5


def test_the_page_can_be_made_and_pictures_are_on_it(bright):
    page = make_report(bright).read_text()
    assert "How much an image may change" in page
    assert "data:image/" in page
    assert len(list((bright / "pictures").glob("*.png"))) >= 6


@pytest.fixture(scope="module")
def smoke(tmp_path_factory) -> Path:
    study = Tolerance.at("smoke", images="builtin:symmetries?per_class=2", epochs=1, replicates=20)
    return conduct_study(study, tmp_path_factory.mktemp("smoke") / "run", scale="smoke", engine="serial")


def test_figures_name_tables_and_columns_that_are_there(smoke):
    figures = json.loads((smoke / "figures.json").read_text())
    assert len({figure["name"] for figure in figures}) == len(figures)
    for figure in figures:
        table = pd.read_parquet(smoke / f"{figure['table']}.parquet")
        named = [figure["x"], figure["y"], figure.get("panel"), figure.get("colour"), figure.get("aside")]
        named += [figure.get("group"), figure.get("note"), *figure["where"]]
        wanted = set(filter(None, named)) - ({"value"} if figure["kind"] in ("gallery",) else set())
        assert wanted <= set(table.columns), figure["name"]


def test_two_networks_stand_side_by_side(smoke):
    results = pd.read_parquet(smoke / "results.parquet")
    assert {"CNN", "ResNet-18"} == set(results["network"])
    assert set(results["other"].dropna()) == {"ResNet-18"}
    shown = pd.read_parquet(smoke / "shown.parquet")
    assert set(shown["network"]) == {"CNN", "ResNet-18"}
    curves = pd.read_parquet(smoke / "curves.parquet")
    assert {"accuracy", "accuracy_low", "accuracy_high", "class"} <= set(curves.columns)
    assert not (smoke / "replicates.parquet").exists()


def test_every_claim_is_named_and_one_seed_decides_nothing_of_trained_networks(smoke):
    findings = json.loads((smoke / "findings.json").read_text())
    assert {f["verdict"] for f in findings} <= {"undecided", ""}
    claims = {f["claim"] for f in findings if f["claim"]}
    assert len(claims) >= 10
    assert not any("nan" in f["sentence"] for f in findings)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"transformations": ()}, SettingError, "at least one transformation"),
        ({"transformations": ("rotate",)}, UnknownNameError, "rotat"),
        ({"magnitudes": (("zoom", (9.0,)),)}, MagnitudeError, "got 9"),
        ({"transformations": ("zoom",), "magnitudes": (("rotation", (9.0,)),)}, SettingError, "not among"),
        ({"classes": ("broom",)}, SettingError, "'broom'"),
        ({"replicates": 0}, SettingError, "got 0"),
    ],
)
def test_bad_settings_are_refused(settings, error, says, tmp_path):
    with pytest.raises(error, match=says):
        conduct_study(Tolerance(**settings), tmp_path / "bad", engine="serial")
    assert not (tmp_path / "bad").exists()


def test_chosen_classes_are_drawn_by_name():
    figures = [figure.plain() for figure in Tolerance(classes=("A", "●"), shown=("zoom",)).figures()]
    roles = [figure["where"]["role"] for figure in figures if figure["name"].startswith("softmax")]
    assert roles == ["all", "A", "●"]
    assert len({figure["name"] for figure in figures}) == len(figures)


def test_all_three_scales_are_there():
    assert {"smoke", "small", "paper"} == set(Tolerance.scales)
    assert Tolerance.at("paper").epochs == 0
    assert Tolerance.at("small").passes() > 100
