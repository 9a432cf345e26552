"""The same networks against independent references: torchvision's modules, and Krizhevsky's description by hand."""

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from invariscope.networks.load import load_network


def parameters_of_alexnet(side: int, channels: int, width: float, classes: int, dense: int = 2) -> int:
    """Krizhevsky et al., section 3.5, without the poolings after the first two layers."""
    kernel, stride = (5, 2) if side < 96 else (11, 4)
    one, two, three, four, five, units = (round(width * n) for n in (96, 256, 384, 384, 256, 4096))
    grid = (side + 4 - kernel) // stride + 1
    inputs = five * ((grid - 3) // 2 + 1) ** 2
    weights = kernel**2 * channels * one + 25 * one // 2 * two + 9 * two * three
    weights += 9 * three // 2 * four + 9 * four // 2 * five
    weights += inputs * units + (dense - 1) * units**2 + units * classes
    return weights + one + two + three + four + five + dense * units + classes


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("size=16&channels=1&width=0.125&classes=60", parameters_of_alexnet(16, 1, 0.125, 60)),
        ("size=64&width=0.25&classes=10&dense=1", parameters_of_alexnet(64, 3, 0.25, 10, 1)),
        ("size=100&width=0.5&classes=388", parameters_of_alexnet(100, 3, 0.5, 388)),
    ],
)
def test_parameters_of_alexnet(options: str, expected: int) -> None:
    assert load_network(f"builtin:alexnet?{options}").n_parameters == expected


def test_alexnet_normalises_responses_as_krizhevsky_does() -> None:
    normalise = load_network("builtin:alexnet?size=16&width=0.125").module.norm1
    responses = torch.rand(1, 7, 1, 1) * 50
    expected = [
        float(responses[0, i]) / (2 + 1e-4 * float((responses[0, max(0, i - 2) : i + 3] ** 2).sum())) ** 0.75
        for i in range(7)
    ]
    torch.testing.assert_close(normalise(responses).flatten(), torch.tensor(expected))


def test_the_original_alexnet_draws_its_weights_as_krizhevsky_does() -> None:
    module = load_network("builtin:alexnet?size=96&classes=3&dense=1").module
    for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"):
        part = getattr(module, name)
        some = part.weight.detach()[:100]
        assert float(some.std()) == pytest.approx(0.01, rel=0.05)
        assert abs(float(some.mean())) < 5e-4
        assert bool((part.bias == (1.0 if name in ("conv2", "conv4", "conv5", "fc6") else 0.0)).all())
    assert [part.groups for part in module if isinstance(part, nn.Conv2d)] == [1, 2, 1, 2, 2]
    assert sum(isinstance(part, nn.MaxPool2d) for part in module) == 1
    assert [part.p for part in module if isinstance(part, nn.Dropout)] == [0.5]


def test_dropout_can_be_left_out() -> None:
    module = load_network("builtin:alexnet?size=16&width=0.125&dropout=false").module
    assert not any(isinstance(part, nn.Dropout) for part in module)
    assert load_network("builtin:inception?size=16&width=0.125&dropout=false").module.dropout.p == 0


def test_resnet18_is_that_of_torchvision() -> None:
    network = load_network("builtin:resnet18?seed=5")
    assert network.n_parameters == 11_689_512
    reference = torchvision.models.resnet18().eval()
    reference.load_state_dict(network.module.state_dict())
    images = torch.rand(1, 3, 224, 224)
    assert torch.equal(network(images), reference(network.recipe.normalise(images)))
    drawn = load_network("torchvision:resnet18?pretrained=false&seed=5").module
    assert torch.equal(drawn.layer4[1].conv2.weight, network.module.layer4[1].conv2.weight)


def test_inception_is_that_of_torchvision() -> None:
    network = load_network("builtin:inception?seed=5")
    reference = torchvision.models.GoogLeNet(aux_logits=False, init_weights=False).eval()
    assert network.n_parameters == sum(weights.numel() for weights in reference.parameters())
    reference.load_state_dict(network.module.state_dict())
    images = torch.rand(1, 3, 224, 224)
    assert torch.equal(network(images), reference(network.recipe.normalise(images)))


def test_the_small_resnet18_starts_without_stride_and_pooling() -> None:
    network = load_network("builtin:resnet18?size=32&classes=10")
    reference = torchvision.models.resnet18(num_classes=10)
    reference.conv1, reference.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    assert network.n_parameters == sum(weights.numel() for weights in reference.parameters()) == 11_173_962
    reference.load_state_dict(network.module.state_dict())
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(network(images), reference.eval()(network.recipe.normalise(images)))


@pytest.mark.parametrize(("name", "kind"), [("resnet18", "resnet18"), ("inception", "googlenet")])
def test_width_divides_every_number_of_channels(name: str, kind: str) -> None:
    narrow = load_network(f"builtin:{name}?size=64&width=0.25&classes=8").module
    settings = {"aux_logits": False, "init_weights": False} if kind == "googlenet" else {}
    wide = dict(getattr(torchvision.models, kind)(**settings).named_parameters())
    for path, weights in narrow.named_parameters():
        outputs = 8 if path.startswith("fc") else wide[path].shape[0] // 4
        assert weights.shape[0] == outputs
        first = path in ("conv1.weight", "conv1.conv.weight")
        if weights.ndim > 1:
            assert weights.shape[1] == (3 if first else wide[path].shape[1] // 4)


def test_weights_of_a_file_are_taken(tmp_path: Path) -> None:
    reference = torchvision.models.resnet18()
    save_file(reference.state_dict(), tmp_path / "resnet18.safetensors")
    network = load_network(f"builtin:resnet18?weights={tmp_path}/resnet18.safetensors&standardise=none")
    images = torch.rand(1, 3, 224, 224)
    assert torch.equal(network(images), reference.eval()(images))
    assert not network.notes
