"""What networks and images may be, and what is said of those that may not."""

import numpy as np
import pandas as pd
import pytest
import torch
from run_world import N_IMAGES, QUICK, measured, small_network, some_images
from torch import nn

import invariscope as inv
from invariscope.core.errors import ImageError, InvariscopeError, LayerError, NetworkError, SettingError

AT = {"inversion": [1]}


def of(network, images=None, **settings):
    return inv.measure(network, images or some_images(), transformations=AT, **QUICK | settings)


def layer(run, name="1"):
    return run.units[(run.units["layer"] == name) & run.units["magnitude"].notna()]


def test_unlabelled_images_have_agreement_in_place_of_accuracy():
    run = of(small_network(), some_images(labelled=False))
    assert run.info["clean_accuracy"] is None
    assert run.curves["accuracy"].isna().all()
    assert run.curves["softmax_true"].isna().all()
    assert run.curves["agreement"].notna().all()
    assert set(run.thresholds["criterion"]) == {"agreement", "first-flip"}
    assert [warning for warning in run.info["warnings"] if "no labels" in warning]
    assert layer(run)["invariance"].notna().any()
    assert run.verdicts["relative_accuracy"].notna().all()


def test_classes_of_other_names_have_agreement_too():
    run = of(small_network(outputs=5))
    assert run.info["clean_accuracy"] is None
    [warning] = [warning for warning in run.info["warnings"] if "--classes" in warning]
    assert "3 classes" in warning
    assert "5 outputs" in warning


def test_names_of_the_outputs_put_labels_in_place(tmp_path):
    """The same network with its outputs named in another order has other right answers."""
    names = ["blue", "green", "red"]
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n")
    by_file, by_list = (of(small_network(), class_names=given) for given in (tmp_path / "names.txt", names))
    pd.testing.assert_frame_equal(by_file.curves, by_list.curves)
    assert by_file.info["network"]["classes"] == names
    with torch.no_grad():
        pixels = torch.from_numpy(some_images().fit(inv.Recipe(channels=0)).pixels.numpy())
        predicted = small_network().eval()(pixels).argmax(1).numpy()
    assert by_file.info["clean_accuracy"] == pytest.approx(np.mean(predicted == 2 - some_images().labels))
    with pytest.raises(ImageError, match=r"2 class names are given and the network has 3 outputs"):
        of(small_network(), class_names=["a", "b"])


def test_a_file_of_seen_classes(tmp_path):
    (tmp_path / "seen.txt").write_text("red\n\n green \n")
    run = of(small_network(), group_classes=tmp_path / "seen.txt")
    assert run.info["configuration"]["group_classes"] == ["red", "green"]
    assert dict(run.units.groupby("group")["n_images"].first()) == {"all": 20, "seen": 14, "unseen": 6}
    everything = of(small_network(), group_classes=["red", "green", "blue"])
    assert set(everything.units["group"]) == {"all", "seen"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "text file with one class per line"),
        ("", "names no class"),
        ("rad\n", "Did you mean 'red'"),
        ("\xff", None),
    ],
)
def test_a_file_of_seen_classes_that_is_none(text, words, tmp_path):
    file = tmp_path / "seen.txt"
    if text is not None:
        file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingError, match=words or "text file") as told:
        of(small_network(), group_classes=file)
    assert "group-classes" in str(told.value)


def test_groups_need_labels():
    with pytest.raises(SettingError, match="group-classes needs labelled images"):
        of(small_network(), some_images(labelled=False), group_classes=["red"])


def test_a_limit_is_even_over_classes():
    run = of(small_network(), limit=6)
    counts = run.curves.query("magnitude == 0").set_index("class")["n"].to_dict()
    assert counts == {"all": 6, "red": 2, "green": 2, "blue": 2}
    assert run.info["images"]["n"] == 6


def clean_and_inverted(network):
    pixels = torch.from_numpy(some_images().fit(inv.Recipe(channels=0)).pixels.numpy())
    with torch.no_grad():
        return [network.eval()[:2](one).mean((2, 3)) for one in (pixels, 1 - pixels)]


@pytest.mark.parametrize("how", [None, "rectify", "abs", "shift"])
def test_negative_responses(how):
    network = small_network(nn.GELU)
    run = of(network, reduce="mean", negative=how)
    units = layer(run)
    clean, moved = clean_and_inverted(network)
    assert units["negative"].all()
    assert units["correlation"].notna().all()
    told = [warning for warning in run.info["warnings"] if "negative responses" in warning]
    if how is None:
        assert units[["invariance", "specialization", "n_active", "null"]].isna().all(axis=None)
        assert len(told) == 1
        assert told[0].startswith("3 of 3 sites")
        assert set(run.verdicts["verdict"]) <= {"unknown", "not tolerated"}
        return
    assert not told
    low = torch.minimum(clean.amin(0), moved.amin(0))
    change = {"rectify": lambda f: f.clamp_min(0), "abs": torch.abs, "shift": lambda f: f - low}[how]
    expected = inv.invariance_coefficient(change(clean), change(moved))
    assert units["invariance"].to_numpy() == pytest.approx(expected.numpy(), abs=1e-4, nan_ok=True)


def test_a_network_of_features_has_the_cosine():
    features = small_network()[:2]
    run = of(features, layers="all")
    assert run.info["clean_accuracy"] is None
    assert [warning for warning in run.info["warnings"] if "cosine" in warning]
    assert run.curves["accuracy"].isna().all()
    pixels = torch.from_numpy(some_images().fit(inv.Recipe(channels=0)).pixels.numpy())
    with torch.no_grad():
        clean, moved = (features.eval()(one).mean((2, 3)) for one in (pixels, 1 - pixels))
    cosine = nn.functional.cosine_similarity(clean.double(), moved.double()).mean().item()
    row = run.curves.query("magnitude == 1 and `class` == 'all'")
    assert row["agreement"].item() == pytest.approx(cosine, abs=1e-6)
    assert run.predictions.empty
    assert run.softmax.empty
    assert len(run.units)
    assert run.report().exists()


class Broken(nn.Module):
    """Answers NaN to images that are brighter than a limit."""

    def __init__(self, limit):
        super().__init__()
        self.limit, self.head = limit, nn.Linear(3, 3)

    def forward(self, images):
        means = images.mean((2, 3))
        return torch.where(means.mean(1, keepdim=True) > self.limit, float("nan"), self.head(means).relu())


def test_a_network_that_answers_nan_leaves_nothing_behind(tmp_path):
    with pytest.raises(NetworkError, match=r"NaN or infinite outputs for 20 of 20 clean images; check its weights"):
        of(Broken(0.0), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_network_that_answers_nan_later_keeps_what_was_finished(tmp_path):
    grids = {"inversion": [1], "brightness": [0.5]}
    with pytest.raises(NetworkError, match=r"NaN or infinite outputs for 20 of 20 images under brightness 0.5"):
        inv.measure(Broken(0.7), some_images(), transformations=grids, out=tmp_path / "run", **QUICK)
    assert (tmp_path / "run" / ".parts" / "inversion").is_dir()
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_network_without_units():
    class Nothing(nn.Module):
        def forward(self, images):
            return images.mean().reshape(1)

    with pytest.raises(NetworkError, match="has no units"):
        of(Nothing())


def test_a_network_that_cannot_run_on_such_images():
    with pytest.raises(NetworkError, match=r"cannot run on images of 3×12×12"):
        of(nn.Sequential(nn.Flatten(), nn.Linear(10, 2)))


def test_a_layer_that_is_not_there():
    with pytest.raises(LayerError, match=r"no layer is called 'outpt'. Did you mean 'output'"):
        of(small_network(), layers="outpt")


def test_a_function_is_a_network():
    run = of(
        lambda images: torch.stack([images.mean((1, 2, 3)), 1 - images.mean((1, 2, 3)), images.amax((1, 2, 3))], 1)
    )
    assert set(run.units["layer"]) == {"output"}


def test_one_image_has_no_null_and_no_interval():
    run = of(small_network(), some_images(count=1))
    units = layer(run)
    assert units["null"].isna().all()
    assert units["clean_variance"].isna().all()
    assert units["invariance"].notna().any()
    assert run.layers["low"].isna().all()


def test_modules_are_left_as_they_were():
    network = small_network()
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    of(network)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())


def test_dropout_and_batch_norms_do_not_depend_on_the_batch():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(400, 3)
    )
    one, other = (of(network, batch_size=size) for size in (2, 20))
    pd.testing.assert_frame_equal(one.units, other.units, rtol=1e-5, atol=1e-6)


def test_images_of_bytes_and_of_numbers_are_the_same():
    pixels = np.random.default_rng(0).integers(0, 256, (N_IMAGES, 12, 12, 3), dtype=np.uint8)
    floats = (pixels.transpose(0, 3, 1, 2) / np.float32(255)).astype(np.float32)
    one, other = (of(small_network(), inv.Images(some)) for some in (pixels, floats))
    pd.testing.assert_frame_equal(one.units, other.units, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tau": 1.0}, r"tau takes a fraction of the peak from 0 to below 1; got 1.0"),
        ({"tau": -0.1}, "tau takes"),
        ({"firing": 0.0}, "firing takes a share"),
        ({"limit": 0}, "limit takes a number of images, 1 or more; got 0"),
        ({"batch_size": 0}, "batch-size takes 1 or more"),
        ({"replicates": 5}, "replicates takes 20 or more"),
        ({"controls": 0}, "controls takes 1 or more"),
        ({"units": "neurons"}, "units takes one of channels, positions; got 'neurons'"),
        ({"reduce": "median"}, "reduce takes one of max, mean, centre"),
        ({"negative": "drop"}, "negative takes one of rectify, abs, shift"),
        ({"tolerated": 1.5}, "tolerated takes a share above 0 and at most 1"),
        ({"invariant": 0.0}, "invariant takes"),
        ({"memory": "much"}, "memory takes an amount such as 2GiB"),
        ({"memory": "0"}, "memory takes"),
        ({"seed": -1}, "seed takes a whole number, 0 or more; got -1"),
        ({"device": "gpu"}, "device takes auto, cpu, mps, cuda or cuda:N; got 'gpu'"),
        ({"device": "cuda:99"}, "device 'cuda:99' is not here"),
        ({"layers": ""}, "no layer was named"),
    ],
)
def test_a_setting_that_cannot_be_used(settings, words, tmp_path):
    with pytest.raises(InvariscopeError, match=words):
        measured(tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_a_setting_that_does_not_exist():
    with pytest.raises(TypeError, match="tua"):
        measured(tua=0.1)


def test_a_chain_is_measured_like_one_transformation(tmp_path):
    """A quarter turn and a negative of it, at half and at full strength."""
    chain = inv.Chain((inv.Rotation(fill="zero"), 90.0), (inv.Inversion(), 1.0))
    run = inv.measure(small_network(), some_images(), transformations=[chain], out=tmp_path / "run", **QUICK)
    pixels = torch.from_numpy(some_images().fit(inv.Recipe(channels=0)).pixels.numpy())
    network = small_network().eval()
    with torch.no_grad():
        clean, moved = (network[:2](one).amax((2, 3)) for one in (pixels, 1 - pixels.rot90(1, (2, 3))))
    rows = run.units.query("layer == '1' and magnitude == 1")
    assert set(rows["transformation"]) == {chain.name}
    assert rows["invariance"].to_numpy() == pytest.approx(inv.invariance_coefficient(clean, moved).numpy(), abs=1e-5)
    again = inv.measure(
        small_network(), some_images(), transformations=[chain], out=tmp_path / "run", resume=True, **QUICK
    )
    assert again.info == run.info
    assert run.report().exists()


@pytest.mark.parametrize("fill", [0.5, "zero", 0.25])
def test_what_comes_in_is_the_recipes_mean_unless_it_was_chosen(fill):
    network = inv.Network(small_network(), recipe=inv.Recipe(mean=(0.9,) * 3, std=(1.0,) * 3))
    rotation = inv.Rotation(fill=fill)
    run = inv.measure(network, some_images(), transformations=[rotation], magnitudes=["rotation=45"], **QUICK)
    chosen = inv.Rotation(fill=(0.9,) * 3) if fill == 0.5 else rotation
    pixels = torch.from_numpy(some_images().fit(inv.Recipe(channels=0)).pixels.numpy())
    with torch.no_grad():
        clean, moved = (small_network().eval()[:2](one - 0.9).amax((2, 3)) for one in (pixels, chosen(pixels, 45.0)))
    rows = run.units.query("layer == '1' and magnitude == 45")
    assert rows["invariance"].to_numpy() == pytest.approx(
        inv.invariance_coefficient(clean, moved).numpy(), abs=1e-5, nan_ok=True
    )
