import math
from pathlib import Path

import pytest
import torch

from invariscope.core.errors import NetworkError
from invariscope.networks.checkpoint import save_network
from invariscope.networks.load import load_network
from invariscope.networks.recipe import Recipe
from invariscope.networks.standardise import Standardise, standardise


def test_by_hand() -> None:
    image = torch.tensor([0.1, 0.2, 0.6, 0.7]).reshape(1, 1, 2, 2)
    # Mean 0.4; variance (0.09 + 0.04 + 0.04 + 0.09) / 4 = 0.065, its root 0.25495 below the floor of 1/√4.
    expected = torch.tensor([-0.3, -0.2, 0.2, 0.3]) / 0.5
    torch.testing.assert_close(standardise(image).flatten(), expected)
    large = torch.cat([image] * 16, dim=1)
    # Of 64 numbers the floor is 1/8, and the image's own deviation counts.
    expected = torch.tensor([-0.3, -0.2, 0.2, 0.3]) / math.sqrt(0.065)
    torch.testing.assert_close(standardise(large)[0, 5].flatten(), expected)


def test_each_image_by_itself_over_all_channels() -> None:
    images = torch.rand(3, 3, 5, 7) * torch.tensor([0.2, 0.5, 1.0])[:, None, None, None]
    done = standardise(images)
    torch.testing.assert_close(done.flatten(1).mean(1), torch.zeros(3), atol=1e-6, rtol=0)
    assert torch.equal(done[1:2], standardise(images[1:2]))
    colours = done.mean((2, 3)) - done.mean((1, 2, 3))[:, None]
    assert float(colours.abs().max()) > 0.01, "channels keep their differences"


def test_brightness_and_contrast_make_no_difference() -> None:
    images = torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(standardise(images * 0.5 + 0.3), standardise(images), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(standardise(1 - images), -standardise(images), atol=1e-5, rtol=1e-5)


def test_a_constant_image_becomes_nothing() -> None:
    assert torch.equal(standardise(torch.full((1, 3, 4, 4), 0.5)), torch.zeros(1, 3, 4, 4))


def test_the_recipe_the_module_and_the_small_network_do_the_same() -> None:
    images = torch.rand(4, 1, 8, 8)
    recipe = Recipe(channels=1, standardise=True)
    first = load_network("builtin:cnn?size=8&classes=3").module[0]
    assert isinstance(first, Standardise)
    assert torch.equal(recipe.normalise(images), first(images))
    assert torch.equal(recipe.normalise(images), standardise(images))


def test_grey_is_standardised_as_the_colours_that_it_becomes() -> None:
    grey = torch.rand(2, 1, 6, 6)
    expected = standardise(grey.expand(-1, 3, -1, -1))
    assert torch.equal(Recipe(standardise=True).normalise(grey), expected)


def test_what_comes_in_at_a_border_is_mid_grey() -> None:
    assert Recipe(standardise=True).fill == (0.5, 0.5, 0.5)
    assert load_network("torchvision:resnet18?pretrained=false&standardise=image").recipe.fill == (0.5, 0.5, 0.5)


def test_any_network_takes_the_option() -> None:
    plain = load_network("builtin:cifar-resnet20")
    network = load_network("builtin:cifar-resnet20?standardise=image")
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(network(images), plain.module.eval()(standardise(images)))
    assert (network.recipe.mean, network.recipe.std) == ((), ())
    assert network.fingerprint != plain.fingerprint


def test_mean_and_std_or_none_take_it_away() -> None:
    options = "builtin:resnet18?size=16&width=0.125&classes=2"
    assert load_network(options).recipe.standardise
    assert not load_network(f"{options}&standardise=none").recipe.standardise
    given = load_network(f"{options}&mean=.5,.5,.5&std=.25,.25,.25").recipe
    assert (given.standardise, given.mean) == (False, (0.5, 0.5, 0.5))
    kept = load_network("torchvision:resnet18?pretrained=false&standardise=none").recipe
    assert len(kept.mean) == 3


def test_a_kept_network_standardises_again(tmp_path: Path) -> None:
    network = load_network("builtin:cnn?size=8&classes=2&standardise=image&seed=4")
    save_network(network, tmp_path / "kept.safetensors")
    again = load_network(str(tmp_path / "kept.safetensors"))
    images = torch.rand(2, 1, 8, 8)
    assert again.recipe == network.recipe
    assert again.recipe.standardise
    assert again.fingerprint == network.fingerprint
    assert torch.equal(again(images), network(images))
    other = load_network(f"{tmp_path}/kept.safetensors?standardise=none")
    assert not other.recipe.standardise
    assert other.fingerprint != network.fingerprint


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("builtin:cnn?standardise=batch", "standardise is image or none; got 'batch'"),
        ("builtin:cnn?standardise=image&mean=.5&std=.5", "leave out mean= and std="),
    ],
)
def test_impossible_wishes(spec: str, message: str) -> None:
    with pytest.raises(NetworkError) as error:
        load_network(spec)
    assert message in str(error.value)


def test_a_recipe_has_one_of_the_two() -> None:
    with pytest.raises(NetworkError, match=r"in place of given ones; got mean=\(0.5,\)"):
        Recipe(mean=(0.5,), std=(0.5,), standardise=True)
