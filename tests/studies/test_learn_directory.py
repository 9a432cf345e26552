"""The directory of a learned family: its tables, its sentences, and that a kill changes nothing."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from invariscope.core.errors import ImageError, LayerError, RunError, SettingError
from invariscope.images.images import Images
from invariscope.learned.files import load_transformer
from invariscope.learned.learn import learn_transformer
from invariscope.learned.module import TransformerNet
from invariscope.learned.settings import LearnSettings
from invariscope.networks.network import as_network
from invariscope.networks.recipe import Recipe
from invariscope.report.page import make_report
from invariscope.studies.learn import conduct_learn
from invariscope.studies.learn_answer import answer_of
from invariscope.studies.learn_effects import effects
from invariscope.studies.learn_findings import cards, findings
from invariscope.studies.learn_pictures import write_examples
from invariscope.studies.learn_tables import course_table, parameters_table, scales_table

QUICK = LearnSettings(steps=12, batch_size=16, learning_rate=0.002, k_grid=3, scales=(0.5, 1.0))
TABLES = ("family", "history", "certificate", "kept", "examples", "course", "parameters", "scales")


class Hues(nn.Module):
    """Says which of red, green and blue is the strongest in the mean over the image: it minds no movement."""

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(3, 3, bias=False)
        self.read.weight.data = 20 * torch.eye(3)

    def forward(self, images):
        return self.read(images.mean((2, 3)))


def coloured(count=48, seed=0, side=8):
    """Images of noise in which one channel is the strongest: that is their class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    pixels = random.uniform(0, 0.4, (count, 3, side, side)).astype(np.float32)
    pixels[np.arange(count), labels] += 0.4
    return Images(pixels, labels, ("red", "green", "blue"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return conduct_learn(Hues(), coloured(), tmp_path_factory.mktemp("learn") / "run", QUICK, test=coloured(24, 1))


def tables_of(path):
    return {name: (path / f"{name}.parquet").read_bytes() for name in TABLES}


def test_everything_that_was_promised_is_there(run):
    columns = {
        "family": ["k1", "k2", "head", "part", "parameter", "value", "unit_of_measure"],
        "certificate": ["scale", "k1", "k2", "accuracy", "low", "high", "n"],
        "kept": ["scale", "head", "k1", "k2", "class", "kept", "low", "high", "n"],
        "examples": ["image", "name", "k", "scale", "heads", "file", "predicted", "right"],
        "history": ["step", "loss_colour", "loss_spatial", "cross_entropy", "accuracy", "average", "gate", "open"],
    }
    for name, wanted in columns.items():
        assert set(wanted) <= set(pd.read_parquet(run / f"{name}.parquet").columns)
    assert len(pd.read_parquet(run / "history.parquet")) == 12
    info = json.loads((run / "run.json").read_text())
    assert info["kind"] == "learn"
    assert info["question"] == "Which transformations does Hues ignore?"
    assert sorted(info["tables"]) == sorted(TABLES)
    assert info["images"]["n"] == 48
    assert info["test"]["n"] == 24
    assert not (run / "learning").exists()
    net, images = load_transformer(run / "transformer.safetensors"), torch.rand(2, 3, 8, 8)
    assert torch.equal(net(images, k_colour=torch.zeros(2), k_spatial=torch.zeros(2)), images)


def test_a_family_that_the_network_ignores_is_certified_and_told(run):
    """Nothing that moves pixels about changes the mean colour much, and small changes of colour no answer."""
    answer = json.loads((run / "run.json").read_text())["answer"]
    assert answer["found"]
    assert answer["scale"] == 1.0
    certificate = pd.read_parquet(run / "certificate.parquet")
    sure = certificate[(certificate.part == "certify") & (certificate.scale == 1.0)]
    assert answer["worst"] == sure.accuracy.min() >= 0.95 * answer["clean"]
    assert answer["mean"] == pytest.approx(sure.accuracy.mean())
    first, *_, course = (each["sentence"] for each in json.loads((run / "findings.json").read_text()))
    assert first.startswith("The network ignores the learned family up to scale 1: 100.0\u202f% of the images are")
    assert "12 steps" in course


def test_the_page_asks_answers_and_shows(run):
    text = make_report(run).read_text(encoding="utf-8")
    assert "<h1>Which transformations does Hues ignore?</h1>" in text
    assert "<dt>Certified scale</dt><dd><strong>1</strong>" in text
    assert "is not drawn" not in text
    names = [each["name"] for each in json.loads((run / "figures.json").read_text())]
    assert names[:3] == ["pictures", "certificate", "heads"]
    assert all((run / "figures" / f"{name}.svg").is_file() for name in names)
    order = [text.index(f'id="{name}"') for name in ("top", "pictures", "findings", "certificate", "limits")]
    assert order == sorted(order)


class Killed:
    """Progress of somebody who loses patience."""

    def __init__(self, after):
        self.after = after

    def start(self, what, total):
        pass

    def advance(self, steps=1):
        self.after -= steps
        if self.after < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [7, 30])
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(run, tmp_path, monkeypatch, after):
    """Killed while it learns, and while it certifies."""
    monkeypatch.setattr("invariscope.learned.checkpoint.SECONDS", 0.0)
    out, test = tmp_path / "run", coloured(24, 1)
    with pytest.raises(KeyboardInterrupt):
        conduct_learn(Hues(), coloured(), out, QUICK, test=test, progress=Killed(after))
    assert (out / "learning" / "checkpoint.safetensors").is_file()
    assert not (out / "run.json").exists()
    with pytest.raises(RunError, match="unfinished run; say --resume"):
        conduct_learn(Hues(), coloured(), out, QUICK, test=test)
    conduct_learn(Hues(), coloured(), out, QUICK, test=test, resume=True)
    assert tables_of(out) == tables_of(run)
    for name in ("findings.json", "figures.json", "transformer.safetensors"):
        assert (out / name).read_bytes() == (run / name).read_bytes()
    pictures = sorted(file.name for file in (run / "examples").iterdir())
    assert pictures == sorted(file.name for file in (out / "examples").iterdir())


def test_what_lies_in_the_directory_is_safe(run, tmp_path):
    before = (run / "run.json").read_bytes()
    with pytest.raises(RunError, match="a finished run; say --resume"):
        conduct_learn(Hues(), coloured(), run, QUICK, test=coloured(24, 1))
    with pytest.raises(RunError, match="other settings, images or weights"):
        conduct_learn(Hues(), coloured(), run, QUICK, test=coloured(24, 2), resume=True)
    conduct_learn(Hues(), coloured(), run, QUICK, test=coloured(24, 1), resume=True)
    assert (run / "run.json").read_bytes() == before
    out = tmp_path / "run"
    conduct_learn(Hues(), coloured(), out, LearnSettings(steps=2, heads=("colour",), k_grid=2, scales=(1.0,)))
    (out / "mine.txt").write_text("mine")
    more = LearnSettings(steps=3, heads=("spatial",), k_grid=2, scales=(1.0,))
    conduct_learn(Hues(), coloured(), out, more, overwrite=True)
    assert (out / "mine.txt").exists()
    assert pd.read_parquet(out / "family.parquet")["head"].unique().tolist() == ["spatial"]


@pytest.mark.parametrize(
    ("settings", "more", "kind", "message"),
    [
        ({"target": "unit", "layer": "nowhere", "unit": 0}, {}, LayerError, "nowhere"),
        ({"target": "unit", "layer": "output", "unit": 9}, {}, LayerError, "output has units 0 to 2; got 9"),
        ({"holdout": 48}, {}, ImageError, "48 images cannot be split into 0 to learn from"),
        ({}, {"seed": -1}, SettingError, "a seed is 0 or more; got -1"),
    ],
)
def test_bad_input_leaves_nothing(tmp_path, settings, more, kind, message):
    with pytest.raises(kind, match=message):
        conduct_learn(Hues(), coloured(), tmp_path / "run", LearnSettings(steps=2, **settings), **more)
    assert not (tmp_path / "run").exists()


class Corner(nn.Module):
    """Says whether the one pixel in the corner is bright: it minds everything."""

    def forward(self, images):
        corner = images[:, :, 0, 0].mean(1)
        return torch.stack([corner, 0.5 + 0 * corner], 1) * 50


def test_nothing_found_is_said_so(tmp_path):
    pixels = np.random.default_rng(0).random((60, 3, 8, 8), dtype=np.float32)
    settings = LearnSettings(steps=10, learning_rate=0.1, target="agreement", k_grid=2, scales=(0.5, 1.0))
    out = conduct_learn(Corner(), Images(pixels), tmp_path / "run", settings)
    told = [each["sentence"] for each in json.loads((out / "findings.json").read_text())]
    assert told[0].startswith("Nothing found: at no scale of the learned family does every k keep 95\u202f% of what")
    answer = json.loads((out / "run.json").read_text())["answer"]
    assert (answer["found"], answer["scale"], answer["quality"]) == (False, 0.0, "agreement")
    text = make_report(out).read_text(encoding="utf-8")
    assert "<strong>nothing found</strong>" in text
    assert "at scale 1, which is not certified" in text


@pytest.fixture(scope="module")
def learned():
    return learn_transformer(Hues(), coloured(), QUICK, holdout=0.5)


def fixed(learned, **deviations):
    """The same family with parameters of one's own, whatever k."""
    net = TransformerNet(tuple(deviations), anchor=False)
    with torch.no_grad():
        for head, deviation in deviations.items():
            last = net.steering[head].layers[-1]
            last.weight.zero_()
            last.bias.copy_(torch.tensor(deviation).flatten())
    net.requires_grad_(False)
    return replace(learned, module=net)


def test_what_a_matrix_does_is_said_with_units(learned):
    """Coordinates times two show the image at half its size; 0.5 halves of 8 pixels are 2 to the left."""
    space = fixed(learned, spatial=[[1.0, 0.0, 0.5], [0.0, 1.0, -0.25]])
    (sentence,) = effects(space, 1.0, answer_of(space, True))
    assert "zooms out, to 0.5 of the width and 0.5 of the height" in sentence
    assert "moves the image by 2 px to the left and 1 px down" in sentence
    colour = fixed(learned, colour=[[0.25, 0, 0, 0.1], [0, 0, -0.5, 0], [0, 0, -0.2, 0]])
    (sentence,) = effects(colour, 1.0, answer_of(colour, True))
    assert "multiplies red by 1.25, green by 1 and blue by 0.8" in sentence
    assert "most: −0.5 of blue into green" in sentence
    assert "adds 0.1 to red, 0 to green and 0 to blue" in sentence
    half = effects(colour, 0.5, answer_of(colour, True))[0]
    assert "red by 1.12" in half or "red by 1.13" in half


def test_kernels_and_fields_are_told_too(learned):
    taps, field = np.zeros((5, 5)), np.zeros((2, 5, 5))
    taps[2, 1:4], field[0] = [0.25, -0.5, 0.25], 0.5
    both = fixed(learned, convolution=taps.tolist(), displacement=field.tolist())
    blur, moved = effects(both, 1.0, answer_of(both, True))
    assert "blurs, like a Gaussian of 0.5 px" in blur
    assert "pixels move by 2 px in the mean and by at most 2 px; an affine map explains 100\u202f%" in moved


def test_the_two_components_are_compared(learned):
    answer = answer_of(learned, True)
    assert all("° between them)" in sentence for sentence in effects(learned, 1.0, answer))


def test_tables_for_figures(learned):
    course = course_table(learned)
    assert set(course.quantity) == {"Network's loss", "Accuracy", "colour", "spatial"}
    first = course[course.quantity == "Accuracy"].iloc[0]
    assert first.value == learned.history.accuracy.iloc[0]
    assert (course.low <= course.high).all()
    parameters = parameters_table(learned, 0.5)
    at = parameters[(parameters.k == 1) & (parameters.way == "both") & (parameters.parameter == "rotation")]
    family = learned.family_at(0.5)
    wanted = family[(family.k1 == 1) & (family.k2 == 1) & (family.parameter == "rotation")]
    assert at.value.item() == pytest.approx(wanted.value.item())
    assert parameters[parameters.k == 0].query("head == 'colour'").value.abs().max() == 0
    scales = scales_table(learned)
    worst = scales[scales.over == "worst k"]
    assert worst.scale.tolist() == [0.5, 1.0]
    assert (worst.low <= worst.kept).all()


def test_pictures_are_of_held_out_images_and_begin_clean(learned, tmp_path):
    images = coloured()
    prepared = images.fit(Recipe())
    table = write_examples(tmp_path / "examples", learned, answer_of(learned, True), as_network(Hues()), prepared)
    assert set(table.image) <= set(learned.held_out[1].tolist())
    together = table[table.figure == "together"]
    assert together.groupby("image").k.apply(list).tolist() == [np.linspace(0, 1, 9).tolist()] * 4
    apart = table[table.figure == "head by head"]
    assert apart.groupby("shown").size().to_dict().items() >= {"in colour": 5, "in space": 5}.items()
    assert (table[table.k == 0].right).all()
    for row in together[together.k == 0].itertuples():
        pixels = np.asarray(Image.open(tmp_path / row.file))[::14, ::14]
        clean = (prepared.pixels[row.image].permute(1, 2, 0) * 255).round().numpy()
        np.testing.assert_array_equal(pixels, clean.astype(np.uint8))


def test_cards_say_what_was_found(learned):
    found = cards(answer_of(learned, True))
    assert [each["question"] for each in found][:2] == ["Certified scale", "Accuracy, mean over k"]
    assert cards(answer_of(learned, False))[1]["question"] == "Predictions kept, mean over k"
    assert len(findings(learned, answer_of(learned, True))) >= 5
