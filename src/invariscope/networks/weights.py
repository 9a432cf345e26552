"""Weights from files, without running anything that is in them."""

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from invariscope.core.errors import NetworkError

_NESTED = ("state_dict", "model_state_dict", "model", "net", "state_dict_ema", "model_ema")
_PREFIXES = ("module.", "_orig_mod.")
_COUNTER = "num_batches_tracked"
# The published weights of dense networks say norm.1 where the modules say norm1.
_DENSE = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a weights file, by name.

    Args:
        path: a .safetensors file, or one of torch.save that holds tensors only.

    Returns:
        The tensors; the prefixes of data-parallel and compiled wrappers are removed.

    Raises:
        NetworkError: there is no such file, it is damaged, or reading it would run code.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "weights.pt"
        >>> torch.save({"state_dict": {"module.weight": torch.ones(2)}}, path)
        >>> read_weights(path)
        {'weight': tensor([1., 1.])}
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise NetworkError(f"weights are read from a file; at {path} there is {what}.")
    return _without_prefix(_safetensors(path) if path.suffix == ".safetensors" else _torch(path))


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], source: str, spec: str) -> None:
    """Give a module its weights: every one of them, and nothing else.

    Args:
        module: gets the weights.
        weights: by name.
        source: where they come from, for messages.
        spec: what the module is, for messages.

    Raises:
        NetworkError: they are those of another architecture; the first names and shapes that differ are told.
    """
    own = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    weights = {_DENSE.sub(r"\1\2", name): value for name, value in weights.items()}
    misshapen = [name for name in own if name in weights and own[name].shape != weights[name].shape]
    # Loaded before it is judged: modules of torchvision know how their weights were called in earlier versions.
    fitting = {name: value for name, value in weights.items() if name not in misshapen}
    try:
        names = module.load_state_dict(fitting, strict=False)
    except RuntimeError as error:
        reason = str(error).strip().split("\n")[-1].strip()
        raise NetworkError(f"{source} holds weights of another architecture than {spec}: {reason}") from error
    missing = [name for name in names.missing_keys if name not in misshapen and not name.endswith(_COUNTER)]
    unexpected = [name for name in names.unexpected_keys if not name.endswith(_COUNTER)]
    if missing or unexpected or misshapen:
        reasons = [
            f"{_first(missing)} missing" if missing else "",
            f"{_first(unexpected)} unexpected" if unexpected else "",
            _shapes(misshapen, weights, own) if misshapen else "",
        ]
        hint = "" if unexpected or misshapen else " Where weights end early, name the last layer: &until=LAYER."
        reason = "; ".join(filter(None, reasons))
        raise NetworkError(f"{source} holds weights of another architecture than {spec}: {reason}.{hint}")


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise NetworkError(f"{path} is no readable safetensors file: {error}.") from error


def _torch(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            # What it has to say of a file that it cannot read is said below, in one sentence.
            warnings.simplefilter("ignore", UserWarning)
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" not in str(error).lower():
            raise NetworkError(f"{path} is no readable weights file: torch.load cannot read it.") from error
        raise NetworkError(
            f"{path} holds more than weights, and reading it would run code that is in it; save its state_dict alone, "
            "best as safetensors."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).strip().split("\n")[0]
        raise NetworkError(f"{path} is no readable weights file: {reason}") from error
    while isinstance(loaded, Mapping) and (
        inner := [loaded[key] for key in _NESTED if isinstance(loaded.get(key), Mapping)]
    ):
        loaded = inner[0]
    if not isinstance(loaded, Mapping):
        raise NetworkError(f"{path} holds a {type(loaded).__name__}, not weights by name.")
    weights = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    if not weights:
        raise NetworkError(f"{path} holds no weights.")
    return weights


def _without_prefix(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if weights and all(name.startswith(prefix) for name in weights):
            return _without_prefix({name.removeprefix(prefix): value for name, value in weights.items()})
    return weights


def _first(names: list[str]) -> str:
    rest = f" and {len(names) - 1} more are" if len(names) > 1 else " is"
    return f"{names[0]}{rest}"


def _shapes(names: list[str], weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    first = names[0]
    rest = f", and {len(names) - 1} more differ" if len(names) > 1 else ""
    there, here = ("×".join(map(str, value.shape)) for value in (weights[first], own[first]))
    return f"{first} is {there} in the file and {here} in the network{rest}"
