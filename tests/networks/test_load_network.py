from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from invariscope.core.errors import NetworkError
from invariscope.networks.build import BUILTIN_NETWORKS
from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network
from invariscope.networks.recipe import Recipe
from invariscope.networks.weights import load_weights


def message_of(spec: str) -> str:
    with pytest.raises(NetworkError) as error:
        load_network(spec)
    return str(error.value)


def test_torchvision_recipe_and_classes_are_its_own() -> None:
    network = load_network("torchvision:squeezenet1_1?pretrained=false")
    assert network.recipe == Recipe(
        size=(224, 224), resize=256, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), interpolation="bilinear"
    )
    assert network.classes is not None
    assert network.classes[:2] == ("tench", "goldfish")
    assert network.wnids is not None
    assert (len(network.wnids), network.wnids[-1]) == (1000, "n15075141")
    assert network.notes == ["torchvision:squeezenet1_1?pretrained=false has random weights (seed 0)."]


def test_timm_recipe_is_its_own() -> None:
    network = load_network("timm:convnext_atto?pretrained=false")
    assert (network.recipe.size, network.recipe.resize, network.recipe.interpolation) == ((224, 224), 256, "bicubic")
    assert network.classes is not None
    assert network.classes[0] == "tench"


def test_recipe_can_be_overridden() -> None:
    network = load_network(
        "torchvision:squeezenet1_1?pretrained=false&size=112x96&mean=.5,.5,.5&std=.25,.25,.25&interpolation=bicubic"
    )
    # The crop keeps its share of the shorter side: 224 of 256.
    assert network.recipe == Recipe((112, 96), 110, "bicubic", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    assert load_network("torchvision:squeezenet1_1?pretrained=false&resize=300").recipe.resize == 300


def test_sizes_that_weights_depend_on_are_told_to_the_network() -> None:
    for spec in ("torchvision:vit_b_32?pretrained=false&size=64", "timm:vit_tiny_patch16_224?pretrained=false&size=32"):
        network = load_network(spec)
        assert network(torch.rand(1, 3, *(network.recipe.size or ()))).shape == (1, 1000)


def test_random_weights_follow_the_seed_and_nothing_else() -> None:
    spec = "torchvision:squeezenet1_1?num_classes=7&seed={}"
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = load_network(spec.format(1))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(6)
    assert load_network(spec.format(1)).fingerprint == first.fingerprint != load_network(spec.format(2)).fingerprint
    assert first(torch.rand(1, 3, 32, 32)).shape == (1, 7)
    assert first.classes is None


def test_architecture_alone() -> None:
    assert "random weights" in load_network("torchvision:squeezenet1_1", trained=False).notes[0]
    assert "random weights" in load_network("timm:test_resnet", trained=False).notes[0]


def test_weights_from_a_file(tmp_path: Path) -> None:
    module = torchvision.models.squeezenet1_1()
    save_file(module.state_dict(), tmp_path / "weights.safetensors")
    torch.save({"state_dict": {f"module.{k}": v for k, v in module.state_dict().items()}}, tmp_path / "weights.pth")
    images = torch.rand(1, 3, 32, 32)
    for name in ("weights.safetensors", "weights.pth"):
        network = load_network(f"torchvision:squeezenet1_1?weights={tmp_path / name}")
        expected = module.eval()(network.recipe.normalise(images))
        assert torch.equal(network(images), expected)
        assert network.notes == []


def test_weights_with_the_names_of_earlier_versions() -> None:
    models, images = torchvision.models, torch.rand(1, 3, 32, 32)
    for build, new, old in (
        (lambda: models.DenseNet(8, (2, 2), 16), ".norm1.", ".norm.1."),
        (lambda: models.VisionTransformer(32, 16, 1, 2, 8, 16), ".mlp.0.", ".mlp.linear_1."),
    ):
        source, module = build().eval(), build().eval()
        renamed = {name.replace(new, old): value for name, value in source.state_dict().items()}
        assert any(old in name for name in renamed)
        load_weights(module, renamed, "file", "network")
        assert torch.equal(module(images), source(images))


def test_paths_are_taken_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a+b %20c.safetensors"
    save_file(torchvision.models.squeezenet1_1().state_dict(), path)
    assert load_network(f"torchvision:squeezenet1_1?weights={path}").notes == []


def test_weights_of_another_architecture(tmp_path: Path) -> None:
    weights = torchvision.models.squeezenet1_1().state_dict()
    save_file(weights, tmp_path / "w.safetensors")
    assert message_of(f"torchvision:squeezenet1_0?weights={tmp_path}/w.safetensors") == (
        f"{tmp_path}/w.safetensors holds weights of another architecture than torchvision:squeezenet1_0: "
        "features.5.squeeze.weight and 11 more are missing; features.6.expand1x1.bias and 11 more are unexpected; "
        "features.0.weight is 64×3×3×3 in the file and 96×3×7×7 in the network, and 9 more differ."
    )
    short = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    save_file(short, tmp_path / "short.safetensors")
    assert message_of(f"torchvision:squeezenet1_1?weights={tmp_path}/short.safetensors").endswith(
        "classifier.1.weight and 1 more are missing. Where weights end early, name the last layer: &until=LAYER."
    )


class Trap:
    """Would run code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('the pickle ran')",)


def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    torch.save({"weights": Trap()}, tmp_path / "trap.pth")
    message = message_of(f"torchvision:squeezenet1_1?weights={tmp_path}/trap.pth")
    assert "holds more than weights, and reading it would run code" in message
    assert message.count(". ") == 0
    torch.save(torchvision.models.squeezenet1_1(), tmp_path / "module.pth")
    assert "would run code" in message_of(f"torchvision:squeezenet1_1?weights={tmp_path}/module.pth")


def test_damaged_and_missing_weights(tmp_path: Path) -> None:
    for name in ("w.safetensors", "w.pth"):
        (tmp_path / name).write_bytes(b"not weights at all")
        assert "is no readable" in message_of(f"torchvision:squeezenet1_1?weights={tmp_path}/{name}")
    assert "there is no file" in message_of("torchvision:squeezenet1_1?weights=nowhere/w.safetensors")
    assert "there is a folder" in message_of(f"torchvision:squeezenet1_1?weights={tmp_path}/")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("torchvision:resnet81", "no torchvision network is called 'resnet81'. Did you mean 'resnet18'?"),
        ("timm:resnet_18", "no timm network is called 'resnet_18'. Did you mean 'resnet18'?"),
        ("builtin:cn", "no builtin network is called 'cn'. Did you mean 'cnn'?"),
        (
            "resnet18",
            "no network is called 'resnet18'. Did you mean 'torchvision:resnet18'? A network is torch",
        ),
        ("model.pth", "name its architecture and give the file as weights: torchvision:NAME?weights=model.pth."),
        ("builtin:cnn?clases=3", "has no option 'clases'. Did you mean 'classes'?"),
        ("builtin:cnn?classes=none", "classes is a whole number from 1 up; got classes=none"),
        ("builtin:cnn?size=big", "size is pixels, such as 224 or 224x192; got size=big"),
        ("builtin:cnn?mean=a", "mean is numbers separated by commas, such as .5,.5,.5; got mean=a"),
        ("builtin:cnn?std=0", "standard deviations are above 0"),
        ("torchvision:squeezenet1_1?pretrained=maybe", "pretrained is true or false; got pretrained=maybe"),
        ("torchvision:squeezenet1_1?pretrained=false&interpolation=cubic", "interpolation is one of bilinear, bicubic"),
        ("torchvision:squeezenet1_1?weights=IMAGENET1K_V9", "Did you mean 'IMAGENET1K_V1'?"),
        ("torchvision:squeezenet1_1?pretrained=false&until=features.99", "no layer of torchvision:squeezenet1_1"),
        ("builtin:cnn?classes", "options are written ?name=value&name=value; got 'classes'"),
        ("nowhere/net.py:build", "the network's code is read from a file; at nowhere/net.py there is none."),
        ("nowhere/net.pt2", "an exported network is read from a file; at nowhere/net.pt2 there is none."),
        ("nowhere/net.safetensors", "weights are read from a file; at nowhere/net.safetensors there is no file."),
    ],
)
def test_messages(spec: str, message: str) -> None:
    assert message in message_of(spec)


def test_downloads_that_fail_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no route")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", unreachable)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    message = message_of("torchvision:squeezenet1_1?weights=DEFAULT")
    assert "could not be downloaded (<urlopen error no route>)" in message
    assert "?pretrained=false for random weights" in message


def test_until_ends_the_network_and_takes_weights_that_end_there(tmp_path: Path) -> None:
    module = torchvision.models.squeezenet1_1()
    kept = {k: v for k, v in module.state_dict().items() if k.startswith(("features.0.", "features.3."))}
    save_file(kept, tmp_path / "early.safetensors")
    network = load_network(f"torchvision:squeezenet1_1?weights={tmp_path}/early.safetensors&until=features.3")
    images = torch.rand(2, 3, 64, 64)
    expected = module.eval().features[:4](network.recipe.normalise(images))
    assert torch.equal(network(images), expected)
    assert network.module.state_dict().keys() == kept.keys()
    assert network.classes is None


@pytest.mark.parametrize("name", list(BUILTIN_NETWORKS))
def test_builtin_networks_run_on_their_own_recipe(name: str) -> None:
    network = load_network(f"builtin:{name}")
    assert network.recipe.size is not None
    logits = network(torch.rand(2, network.recipe.channels, *network.recipe.size))
    assert logits.shape == (2, 10 if "cnn" in name or "cifar" in name else 1000)
    assert network.classes is None or len(network.classes) == logits.shape[1]
    assert BUILTIN_NETWORKS[name].__doc__


def test_the_small_network_takes_its_options() -> None:
    network = load_network("builtin:cnn?channels=3&size=20x13&classes=4")
    assert network(torch.rand(2, 3, 20, 13)).shape == (2, 4)
    assert network.recipe.channels == 3
    flat = network.module[0](torch.rand(2, 3, 20, 13)).flatten(1)
    torch.testing.assert_close(flat.mean(1), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(flat.std(1, correction=0), torch.ones(2))
    assert not network.module[0](torch.full((1, 3, 20, 13), 0.3)).isnan().any()


def test_the_small_network_has_the_published_sizes() -> None:
    shapes = {k: tuple(v.shape) for k, v in load_network("builtin:cnn").module.state_dict().items() if v.ndim > 1}
    assert shapes == {
        "conv1.weight": (16, 1, 3, 3),
        "conv2.weight": (24, 16, 3, 3),
        "conv3.weight": (32, 24, 3, 3),
        "fc1.weight": (128, 512),
        "fc2.weight": (10, 128),
    }


def test_checkpoints_carry_everything(tmp_path: Path) -> None:
    network = load_network("builtin:cnn?classes=3&size=8&seed=4")
    network.classes, network.seen = ("a", "b", "c"), ("b",)
    with torch.no_grad():
        network.module.bn1.running_mean += 1
    save_network(network, tmp_path / "networks" / "n.safetensors")
    again = load_network(str(tmp_path / "networks" / "n.safetensors"))
    assert again.fingerprint == network.fingerprint
    assert (again.classes, again.seen, again.recipe) == (network.classes, network.seen, network.recipe)
    assert again.architecture == "builtin:cnn?classes=3&size=8"
    assert again.notes == []
    images = torch.rand(2, 1, 8, 8)
    assert torch.equal(again(images), network(images))
    save_network(again, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "networks" / "n.safetensors").read_bytes()


def test_a_truncated_network_can_be_saved(tmp_path: Path) -> None:
    network = load_network("builtin:cifar-resnet20?until=layer1")
    save_network(network, tmp_path / "n.safetensors")
    images = torch.rand(1, 3, 32, 32)
    assert torch.equal(load_network(str(tmp_path / "n.safetensors"))(images), network(images))


def test_what_no_specifier_builds_cannot_be_saved(tmp_path: Path) -> None:
    from invariscope.networks.network import as_network

    with pytest.raises(NetworkError, match="Flatten cannot be saved"):
        save_network(as_network(torch.nn.Flatten()), tmp_path / "n.safetensors")


def test_weights_without_an_architecture_are_no_network(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "w.safetensors")
    assert "does not say of which architecture" in message_of(str(tmp_path / "w.safetensors"))
