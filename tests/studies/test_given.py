"""Studies of networks that are given by specifier, or trained first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pytest
import torch

from invariscope.core.errors import ImageError, NetworkError, SettingError
from invariscope.findings.figures import Bars, Figure
from invariscope.findings.finding import Finding
from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.conduct import conduct_study
from invariscope.studies.given import Given, GivenStudy, make_given, shown_images
from invariscope.studies.network_names import network_labels
from invariscope.studies.tidy import found

GLYPHS = "builtin:glyphs?per_class=2"
NARROW = "builtin:resnet18?size=16&channels=1&width=.125"


@dataclass(frozen=True)
class Clean(GivenStudy):
    """How often is a network right?"""

    source = "none"

    def observe(self, given: Given) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        right = (given.logits.argmax(1) == given.labels).double()
        return {"results": [found("accuracy", right.mean().item(), n=len(right))]}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        return [Finding(f"{len(tables['networks'])} networks")]

    def figures(self) -> list[Figure]:
        return [Bars(name="accuracy", title="Accuracy", caption="", x="network")]


@pytest.fixture(autouse=True, scope="module")
def _registered():
    STUDIES.add("clean-for-this-test")(Clean)
    yield
    del STUDIES._entries["clean-for-this-test"]


@pytest.fixture(scope="module")
def study():
    return Clean(images=GLYPHS, networks=("builtin:cnn", NARROW), seeds=(0, 1), epochs=1)


@pytest.fixture(scope="module")
def out(study, tmp_path_factory):
    return conduct_study(study, tmp_path_factory.mktemp("runs") / "given", scale="smoke", engine="serial")


def test_one_job_per_network_and_seed(study):
    assert [job.label for job in study.jobs()] == [
        "CNN, seed 0",
        "ResNet-18, seed 0",
        "CNN, seed 1",
        "ResNet-18, seed 1",
    ]


def test_the_tables_say_network_and_seed(out):
    results, networks = (pd.read_parquet(out / f"{name}.parquet") for name in ("results", "networks"))
    assert results.columns.tolist()[:3] == ["network", "seed", "quantity"]
    single = results[results.seed.notna()]
    assert len(single) == len(networks) == 4
    means = results[results.seed.isna()]
    assert means.set_index("network").n.to_dict() == {"CNN": 2, "ResNet-18": 2}
    assert dict(zip(networks.network, networks.spec, strict=True)) == {"CNN": "builtin:cnn", "ResNet-18": NARROW}
    assert networks.clean.tolist() == single.value.tolist()
    assert networks.trained.all()
    assert (networks.clean_low < networks.clean).all()
    assert (networks.clean < networks.clean_high).all()


def test_trained_networks_are_kept_and_found_by_another_study(out, study, tmp_path):
    files = sorted(file.name for file in (out / "networks").glob("*.safetensors"))
    assert len(files) == 4
    again = conduct_study(study, tmp_path / "again", engine="serial", networks=out / "networks")
    for name in files:
        assert (again / "networks" / name).read_bytes() == (out / "networks" / name).read_bytes()
    # Found, not trained again: what was found in training is the same to the microsecond.
    name = files[0].replace(".safetensors", ".json")
    assert (again / "networks" / name).read_text() == (out / "networks" / name).read_text()


def test_what_a_job_computes_is_the_same_with_a_kept_network(out, study):
    fresh = make_given(study, NARROW, "ResNet-18", 1)
    kept = make_given(study, NARROW, "ResNet-18", 1, out)
    assert torch.equal(fresh.logits, kept.logits)
    assert (fresh.folder, kept.folder) == (None, out)
    assert kept.row["k"] == 0
    assert kept.network.seen is None


def test_networks_are_used_as_loaded(tmp_path):
    network = load_network("builtin:cnn?classes=10&seed=3")
    network.classes = tuple("9876543210")
    path = tmp_path / "mine.safetensors"
    save_network(network, path)
    study = Clean(images="builtin:digits", networks=(str(path),), seeds=(5,), epochs=0, limit=20)
    given = make_given(study, str(path), "mine", 5)
    assert not given.trained
    assert given.row == {}
    assert sorted(given.images.labels.tolist()) == [place // 2 for place in range(20)]
    # Labels are outputs of the network, which names its classes the other way round.
    assert given.labels.tolist() == (9 - given.images.labels).tolist()
    assert given.classes == network.classes
    with torch.inference_mode():
        assert torch.allclose(given.logits, network(given.images.batch(range(20))), atol=1e-5)
    assert given.summary["n"] == 20
    assert given.summary["spec"] == str(path)


def test_seeds_draw_other_images_of_the_same_classes():
    study = Clean(images=GLYPHS, networks=("builtin:cnn?classes=60",), epochs=0, limit=30)
    one, other = (shown_images(study, seed) for seed in (0, 1))
    assert len(one) == len(other) == 30
    assert one.fingerprint != other.fingerprint
    assert max(pd.Series(one.labels).value_counts()) == 1


def test_images_that_do_not_fit_the_classes_have_no_labels():
    study = Clean(images=GLYPHS, networks=("builtin:cnn?classes=7",), epochs=0)
    given = make_given(study, study.networks[0], "CNN", 0)
    assert given.labels is None
    assert pd.isna(given.summary["clean"])
    assert "60 classes" in given.summary["note"]


def test_a_family_is_filled_as_the_network_has_it():
    study = Clean(images=GLYPHS, networks=("builtin:cnn?classes=60&mean=.25&std=.5",), epochs=0, limit=2)
    given = make_given(study, study.networks[0], "CNN", 0)
    assert given.transformation("rotation").fill == (0.25,)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"networks": ()}, SettingError, "at least one network"),
        ({"seeds": ()}, SettingError, "one seed"),
        ({"networks": ("builtin:cnn", "builtin:cnn")}, SettingError, "once each"),
        ({"epochs": -1}, SettingError, "got -1"),
        ({"limit": 0}, SettingError, "got 0"),
        ({"networks": ("builtin:cmm",), "epochs": 0}, NetworkError, "cmm"),
        ({"images": "nowhere/at/all", "epochs": 0}, ImageError, "nowhere"),
        ({"images": "nowhere/at/all"}, ImageError, "nowhere"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(settings, error, says, tmp_path):
    with pytest.raises(error, match=says):
        conduct_study(Clean(**settings), tmp_path / "bad", engine="serial")
    assert not (tmp_path / "bad").exists()


def test_the_estimate_is_a_time(study):
    assert 0 < study.estimate_seconds() < 600


def test_labels_of_networks_are_short_and_all_different():
    specs = [
        "builtin:cifar-resnet20?weights=w/cifar10_resnet20.safetensors",
        "torchvision:squeezenet1_1?weights=w/squeezenet1_1_gluon.safetensors",
        "torchvision:squeezenet1_1?weights=w/squeezenet1_1_caffe.safetensors",
        "torchvision:resnet50",
        "torchvision:mobilenet_v3_large",
        "builtin:alexnet-bvlc",
        "builtin:resnet50v2",
        "timm:vit_tiny_patch16_224",
        "runs/a/networks/inversion-1-k0-seed0-1a2b.safetensors",
        "torchvision:vgg16_bn",
    ]
    assert network_labels(specs) == [
        "ResNet-20",
        "SqueezeNet 1.1 (squeezenet1_1_gluon)",
        "SqueezeNet 1.1 (squeezenet1_1_caffe)",
        "ResNet-50",
        "MobileNet v3 large",
        "AlexNet bvlc",
        "ResNet-50v2",
        "ViT tiny patch16 224",
        "inversion-1-k0-seed0-1a2b",
        "VGG-16 bn",
    ]
    assert network_labels(["a/net.py:make", "b/net.py:make"]) == ["net (a)", "net (b)"]
    assert network_labels(["a/net.py:one", "a/net.py:two"]) == ["net (one)", "net (two)"]
    assert network_labels(["x/a/net.safetensors", "x/b/net.safetensors"]) == ["net (a)", "net (b)"]
    assert network_labels(["builtin:resnet18", "torchvision:resnet18"]) == [
        "ResNet-18 (builtin)",
        "ResNet-18 (torchvision)",
    ]
    assert network_labels(["a/net.py:make", "a/net.py:make"]) == ["net", "net [2]"]
