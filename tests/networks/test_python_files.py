"""Networks from a person's own Python file."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from invariscope.core.errors import NetworkError
from invariscope.networks.load import load_network


def message_of(spec: str) -> str:
    with pytest.raises(NetworkError) as error:
        load_network(spec)
    return str(error.value)


CODE = """
import torch
from torch import nn
from neighbour import WIDTH
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe
from invariscope.networks.weights import load_weights

module = nn.Sequential(nn.Flatten(), nn.LazyLinear(WIDTH))
module(torch.zeros(1, 12))

def build(width=3):
    return nn.Sequential(nn.Flatten(), nn.Linear(12, width))

def with_recipe():
    return Network(build(), recipe=Recipe(mean=(1.0,), std=(1.0,), channels=3))

def function(images):
    return images.flatten(1) * 2

def fails():
    return 1 / 0

def text():
    return "text"
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "neighbour.py").write_text("WIDTH = 2")
    (tmp_path / "net.py").write_text(CODE)
    return tmp_path / "net.py"


@pytest.mark.parametrize(("name", "outputs"), [("module", 2), ("build", 3), ("with_recipe", 3), ("function", 12)])
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_python_files(code: Path, name: str, outputs: int) -> None:
    network = load_network(f"{code}:{name}")
    assert network(torch.rand(2, 3, 2, 2)).shape == (2, outputs)
    assert network.notes == [f"the code in {code} was run to make the network."]
    assert network.recipe.mean == ((1.0,) if name == "with_recipe" else ())


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_python_files_take_weights_and_recipes(code: Path) -> None:
    linear = torch.nn.Linear(12, 3)
    save_file({"1.weight": linear.weight.detach(), "1.bias": linear.bias.detach()}, code.parent / "w.safetensors")
    network = load_network(f"{code}:build?weights={code.parent}/w.safetensors&mean=.5,.5,.5&std=.5,.5,.5&size=2")
    images = torch.rand(2, 3, 2, 2)
    torch.testing.assert_close(network(images), linear((images * 2 - 1).flatten(1)))


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_python_files_that_fail(code: Path) -> None:
    assert "fails of net.py failed with ZeroDivisionError: division by zero" in message_of(f"{code}:fails")
    assert "no function of" in message_of(f"{code}:bild")
    assert "Did you mean 'build'?" in message_of(f"{code}:bild")
    assert "got str" in message_of(f"{code}:text")
    code.write_text("import nothing_of_that_name")
    assert "the file of net.py failed with ModuleNotFoundError" in message_of(f"{code}:build")
