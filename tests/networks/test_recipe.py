import pytest
import torch

from invariscope.core.errors import NetworkError, ShapeError
from invariscope.networks.recipe import Recipe


def test_normalise_by_hand() -> None:
    recipe = Recipe(mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 2.0))
    images = torch.tensor([1.0, 0.5, 1.0]).reshape(1, 3, 1, 1)
    assert recipe.normalise(images).flatten().tolist() == [1.0, 1.0, 0.5]


def test_normalise_agrees_with_torchvision() -> None:
    from torchvision.transforms.functional import normalize

    images = torch.rand(2, 3, 4, 5)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    torch.testing.assert_close(Recipe(mean=mean, std=std).normalise(images), normalize(images, mean, std))


def test_no_mean_leaves_the_images_alone() -> None:
    images = torch.rand(2, 2, 3, 3)
    assert Recipe(channels=0).normalise(images) is images


def test_grey_becomes_colour_and_colour_grey() -> None:
    grey = torch.rand(2, 1, 3, 3)
    assert torch.equal(Recipe().normalise(grey), grey.expand(-1, 3, -1, -1))
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    assert float(Recipe(channels=1).normalise(red)) == pytest.approx(0.299)


def test_fill_is_zero_after_normalisation() -> None:
    recipe = Recipe(mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0))
    fill = torch.tensor(recipe.fill).reshape(1, 3, 1, 1)
    assert torch.equal(recipe.normalise(fill), torch.zeros(1, 3, 1, 1))
    assert Recipe(channels=1).fill == (0.5,)
    assert Recipe(mean=(0.3,), std=(1.0,)).fill == (0.3, 0.3, 0.3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": (0, 4)}, "at least 1 pixel; got (0, 4)"),
        ({"mean": (0.5,)}, "got 1 means and 0 stds"),
        ({"mean": (0.5,), "std": (0.0,)}, "are above 0; got std=(0.0,)"),
        ({"mean": (0.5, 0.5), "std": (1.0, 1.0)}, "takes 3 channels; got 2 means"),
    ],
)
def test_impossible_recipes(settings: dict[str, object], message: str) -> None:
    with pytest.raises(NetworkError) as error:
        Recipe(**settings)
    assert message in str(error.value)


def test_wrong_channels() -> None:
    with pytest.raises(ShapeError, match="takes images of 3 channels; got 4"):
        Recipe().normalise(torch.zeros(1, 4, 2, 2))
