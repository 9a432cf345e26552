"""The training: repeatable, resumable, gated, and indifferent to who is beside it."""

import pandas as pd
import pytest
import torch
from learned_world import OneProjection, colour_fields
from torch import nn

from invariscope.core.errors import ImageError, LayerError, NetworkError, SettingError
from invariscope.images.images import Images
from invariscope.learned import training
from invariscope.learned.draws import Draws
from invariscope.learned.files import load_transformer, read_about
from invariscope.learned.learn import learn_transformer
from invariscope.learned.settings import LearnSettings
from invariscope.networks.network import as_network
from invariscope.networks.recipe import Recipe

FEW = {"steps": 12, "batch_size": 16, "scales": (0.5, 1.0), "k_grid": 2, "holdout": 20}


@pytest.fixture(scope="module")
def world():
    network = OneProjection()
    return network, colour_fields(network, n=80)


def weights(learned):
    return torch.cat([value.flatten() for value in learned.module.state_dict().values()])


def test_one_seed_gives_the_same_bits_and_another_does_not(world):
    torch.manual_seed(1)
    first = learn_transformer(*world, seed=3, **FEW)
    torch.manual_seed(2)
    again = learn_transformer(*world, seed=3, **FEW)
    assert torch.equal(weights(first), weights(again))
    pd.testing.assert_frame_equal(first.certificate, again.certificate)
    assert not torch.equal(weights(first), weights(learn_transformer(*world, seed=4, **FEW)))


@pytest.mark.parametrize("optimisers", ["one", "two"])
def test_an_interrupted_training_goes_on_to_the_same_bits(world, tmp_path, monkeypatch, optimisers):
    settings = FEW | {"optimisers": optimisers}
    straight = learn_transformer(*world, **settings)
    path = tmp_path / "learning.safetensors"
    monkeypatch.setattr("invariscope.learned.checkpoint.SECONDS", 0.0)
    steps = []

    class Tired:
        def start(self, what, total):
            pass

        def advance(self, count=1):
            steps.append(count)
            if sum(steps) == 7:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn_transformer(*world, checkpoint=path, progress=Tired(), **settings)
    assert path.is_file()
    monkeypatch.setattr(training.Training, "_step", _counted(training.Training._step, done := []))
    resumed = learn_transformer(*world, checkpoint=path, **settings)
    assert len(done) == 12 - 6
    assert torch.equal(weights(straight), weights(resumed))
    pd.testing.assert_frame_equal(straight.history, resumed.history)
    assert not path.exists()


def _counted(step, done):
    def counted(self, number):
        done.append(number)
        return step(self, number)

    return counted


def test_a_checkpoint_of_other_settings_is_not_gone_on_with(world, tmp_path, monkeypatch):
    path = tmp_path / "learning.safetensors"
    monkeypatch.setattr("invariscope.learned.checkpoint.Keeper.remove", lambda self: None)
    learn_transformer(*world, checkpoint=path, seed=1, **FEW)
    assert path.is_file()
    other = learn_transformer(*world, checkpoint=path, seed=2, **FEW)
    assert torch.equal(weights(other), weights(learn_transformer(*world, seed=2, **FEW)))


def test_batches_of_the_examination_do_not_matter(world):
    one = learn_transformer(*world, LearnSettings(**FEW), examine_batch=7)
    pd.testing.assert_frame_equal(one.certificate, learn_transformer(*world, LearnSettings(**FEW)).certificate)


def test_the_network_is_left_as_it_was():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout())
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    learn_transformer(network, Images(torch.rand(30, 3, 4, 4)), target="agreement", **FEW | {"holdout": 10})
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())
    assert network[4].training


def test_steps_enlarge_while_the_average_holds_and_repair_below_it(world):
    history = learn_transformer(*world, **FEW | {"steps": 150, "learning_rate": 5e-3}).history
    assert list(history["step"]) == list(range(1, 151))
    before = history.average.shift(fill_value=1.0)
    assert (history.open == (before >= history.gate)).all()
    assert 0 < history.open.mean() < 1
    expected = before * 0.9 + history.accuracy * 0.1
    pd.testing.assert_series_equal(history.average, expected, check_names=False, atol=1e-6)
    assert history.open_share.iloc[-1] == history.open.mean()
    assert history.loss_colour.iloc[-1] < history.loss_colour.iloc[0] < 0


def test_the_paper_s_version_switches_by_the_batch_and_gives_up_on_the_identity(world):
    learned = learn_transformer(*world, literal=True, **FEW)
    history = learned.history
    assert (history.open == (history.accuracy >= history.gate)).all()
    assert history.gate.iloc[0] == learned.baseline
    still = learned.family[(learned.family.k1 == 0) & (learned.family.k2 == 0)].set_index(["head", "parameter"]).value
    assert still["colour", "distance"] > 0.5
    assert learned.settings.literal


def test_a_weighted_sum_never_switches(world):
    history = learn_transformer(*world, switch="sum", sum_weight=0.1, **FEW).history
    assert not history.open.any()


def test_the_penalty_tells_the_components_apart(world):
    def cosine(learned):
        ends = learned.module.deviations({"colour": torch.eye(2)})["colour"]
        return float(torch.cosine_similarity(ends[:1].flatten(1), ends[1:].flatten(1)).abs())

    settings = FEW | {"steps": 100, "heads": "colour", "learning_rate": 5e-3}

    alike, distinct = (learn_transformer(*world, distinct=weight, **settings) for weight in (0.0, 0.3))
    assert cosine(distinct) < 0.5 * cosine(alike)


def test_without_labels_the_clean_predictions_are_kept(world):
    network, images = world
    pixels = images.fit(Recipe()).pixels
    with_labels = learn_transformer(network, images, **FEW)
    without = learn_transformer(network, Images(pixels), **FEW)
    assert torch.equal(weights(with_labels), weights(without))
    assert "agreement" in without.message
    assert with_labels.message is None


def test_a_module_is_the_same_from_its_file(world, tmp_path):
    learned = learn_transformer(*world, heads=("colour", "spatial", "convolution", "displacement"), **FEW)
    learned.save(tmp_path / "transformer.safetensors")
    again = load_transformer(tmp_path / "transformer.safetensors")
    images = torch.rand(2, 3, 6, 6)
    k = dict.fromkeys(again.heads, torch.tensor([0.7, 0.2]))
    assert torch.equal(again(images, k), learned.module(images, k))
    assert read_about(tmp_path / "transformer.safetensors")["scale"] == learned.scale


def test_files_that_hold_no_net(tmp_path):
    (tmp_path / "x.safetensors").write_text("no")
    for path in (tmp_path / "x.safetensors", tmp_path / "none.safetensors"):
        with pytest.raises(NetworkError, match="holds no transformer net"):
            load_transformer(path)


def test_every_image_is_drawn_once_before_any_comes_again():
    draws = Draws(0, torch.arange(100, 107), 4)
    seen = torch.cat([draws.images(step) for step in range(14)])
    for epoch in range(8):
        assert seen[epoch * 7 : epoch * 7 + 7].sort().values.tolist() == list(range(100, 107))
    assert not torch.equal(seen[:7], seen[7:14])
    k = torch.cat([draws.k(step, "colour", 50) for step in range(40)])
    assert k.min() >= 0
    torch.testing.assert_close(k.mean(0), torch.tensor([0.5, 0.5]), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"steps": 0}, SettingError, "steps is 1 or more; got 0"),
        ({"heads": ("color",)}, SettingError, "'color'"),
        ({"heads": ()}, SettingError, "at least one head"),
        ({"target": "label"}, SettingError, "target"),
        ({"target": "unit", "unit": 3}, SettingError, "needs layer="),
        ({"target": "unit", "layer": "output"}, SettingError, "needs unit="),
        ({"target": "unit", "layer": "output", "unit": 99}, LayerError, "units 0 to 9; got 99"),
        ({"target": "unit", "layer": "output", "unit": 0}, LayerError, "no image drives unit 0"),
        ({"target": "layer", "layer": "nowhere"}, LayerError, "nowhere"),
        ({"holdout": 80}, ImageError, "cannot be split into 0 to learn from and 80"),
        ({"holdout": 0.01}, ImageError, "cannot be split"),
        ({"kernel_size": 4}, SettingError, "kernel size is odd"),
        ({"stepz": 3}, SettingError, "stepz"),
        ({"tolerance": 1.5}, SettingError, "tolerance is from 0 to below 1"),
    ],
)
def test_bad_input_in_a_sentence(world, options, error, words):
    with pytest.raises(error, match=words):
        learn_transformer(*world, **{**FEW, **options})


def test_outputs_that_are_no_class_scores():
    images = Images(torch.rand(10, 3, 4, 4))
    with pytest.raises(NetworkError, match=r"need class scores.*target='unit' or 'layer'"):
        learn_transformer(nn.AvgPool2d(2), images, **FEW)
    with pytest.raises(NetworkError, match="not finite"):
        learn_transformer(as_network(lambda shown: shown.flatten(1) / 0), images, **FEW)
