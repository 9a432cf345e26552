"""Transformer nets on disk: safetensors, with how to build the net in the header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from invariscope.core.errors import NetworkError
from invariscope.core.files import whole
from invariscope.learned.module import TransformerNet

_KEY = "invariscope-transformer"


def save_transformer(net: TransformerNet, path: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a net to a file that `load_transformer` reads.

    Args:
        net: trained or not.
        path: NAME.safetensors, replaced as a whole.
        about: further plain values for the header, such as the certified scale.

    Raises:
        StorageError: the file could not be written.
    """
    header = {"version": 1, "net": net.about, "about": dict(about or {})}
    weights = {name: value.detach().cpu().clone().contiguous() for name, value in net.state_dict().items()}
    with whole(Path(path)) as draft:
        save_file(weights, draft, metadata={_KEY: json.dumps(header)})


def load_transformer(path: str | Path) -> TransformerNet:
    """Read a net that `save_transformer` wrote.

    Args:
        path: NAME.safetensors.

    Returns:
        The net, on the CPU.

    Raises:
        NetworkError: there is no such file, or it holds no transformer net.

    Example:
        >>> import tempfile, torch
        >>> path = Path(tempfile.mkdtemp()) / "transformer.safetensors"
        >>> net, images, k = TransformerNet(seed=3), torch.rand(1, 3, 4, 4), torch.tensor([1.0, 0.5])
        >>> save_transformer(net, path)
        >>> torch.equal(load_transformer(path)(images, k_colour=k), net(images, k_colour=k))
        True
    """
    try:
        with safe_open(path, "pt") as file:
            settings = json.loads((file.metadata() or {})[_KEY])["net"]
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise NetworkError(
            f"{path} holds no transformer net ({type(error).__name__}); give a file that `learn` wrote."
        ) from error
    settings["heads"] = tuple(settings["heads"])
    if isinstance(settings["fill"], list):
        settings["fill"] = tuple(settings["fill"])
    net = TransformerNet(**settings)
    net.load_state_dict(weights)
    return net


def read_about(path: str | Path) -> dict[str, Any]:
    """The further values in the header of a net's file.

    Raises:
        NetworkError: there is no such file, or it holds no transformer net.
    """
    load_transformer(path)
    with safe_open(path, "pt") as file:
        about: dict[str, Any] = json.loads((file.metadata() or {})[_KEY])["about"]
    return about
