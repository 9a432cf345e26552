"""Networks that were trained here, on disk: weights, and how to build what they belong to."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from invariscope.core.errors import NetworkError
from invariscope.core.files import whole
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe
from invariscope.networks.weights import read_weights

_KEY = "invariscope"


@dataclass(frozen=True)
class Checkpoint:
    """What is in a checkpoint.

    Args:
        architecture: the specifier that builds the network.
        weights: by name.
        recipe: of the input.
        classes: one name per output, where known.
        wnids: one WordNet identifier per output, where known.
        seen: the classes that it saw transformed in training, where known.
    """

    architecture: str
    weights: dict[str, Tensor]
    recipe: Recipe
    classes: tuple[str, ...] | None
    wnids: tuple[str, ...] | None
    seen: tuple[str, ...] | None


def save_network(network: Network, path: Path) -> None:
    """Write a network to a file that `load_network` takes: safetensors, with the rest as JSON in its header.

    Args:
        network: one that `load_network` built from a specifier.
        path: NAME.safetensors.

    Raises:
        NetworkError: no specifier builds the network.
        StorageError: the file could not be written.

    Example:
        >>> import tempfile
        >>> from invariscope.networks.load import load_network
        >>> network = load_network("builtin:cnn?size=8&classes=2")
        >>> network.classes, network.seen = ("cat", "dog"), ("cat",)
        >>> path = Path(tempfile.mkdtemp()) / "small.safetensors"
        >>> save_network(network, path)
        >>> again = load_network(str(path))
        >>> again.seen, again.fingerprint == network.fingerprint
        (('cat',), True)
    """
    if ":" not in network.architecture:
        raise NetworkError(
            f"{network.spec} cannot be saved: only a network that was built from a specifier can be built again."
        )
    about = {
        "version": 1,
        "architecture": network.architecture,
        "recipe": asdict(network.recipe),
        "classes": network.classes,
        "wnids": network.wnids,
        "seen": network.seen,
    }
    weights = {name: value.detach().cpu().clone().contiguous() for name, value in network.module.state_dict().items()}
    with whole(path) as draft:
        save_file(weights, draft, metadata={_KEY: json.dumps(about)})


def read_checkpoint(path: Path) -> Checkpoint:
    """What `save_network` wrote.

    Raises:
        NetworkError: there is no such file, or it does not say what its weights belong to.
    """
    weights = read_weights(path)
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get(_KEY, "null"))
    except (SafetensorError, OSError, ValueError) as error:
        raise NetworkError(f"{path} is no readable checkpoint: {error}.") from error
    if not isinstance(about, dict) or "architecture" not in about:
        raise NetworkError(
            f"{path} holds weights, but does not say of which architecture; name it and give the file as weights: "
            f"torchvision:NAME?weights={path}."
        )
    names = {key: None if about.get(key) is None else tuple(about[key]) for key in ("classes", "wnids", "seen")}
    return Checkpoint(about["architecture"], weights, _recipe(about.get("recipe", {})), **names)


def _recipe(fields: dict[str, object]) -> Recipe:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return Recipe(**values)  # type: ignore[arg-type]
