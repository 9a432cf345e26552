"""Networks that a person's own code makes."""

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

from torch import nn

from invariscope.core.errors import InvariscopeError, NetworkError
from invariscope.core.names import unknown
from invariscope.networks.build import Order, drawing
from invariscope.networks.network import Network, as_network


def python_network(order: Order) -> Network:
    """What a name in a Python file stands for: a module, a function that returns one, or a function of the images.

    Args:
        order: named "path/to/file.py:name". A function that needs no argument is called, and returns the network; one
            that needs an argument is the network itself. Either may also be, or return, a `Network` with its recipe.

    Returns:
        The network; a note says that the code was run.

    Raises:
        NetworkError: there is no such file or name, or the code fails.
    """
    file, _, name = order.name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise NetworkError(f"the network's code is read from a file; at {path} there is none.")
    with drawing(order):
        code = _run(path)
        if not hasattr(code, name):
            raise NetworkError(unknown(f"function of {path}", name, [key for key in vars(code) if key[0] != "_"]))
        found = getattr(code, name)
        if not isinstance(found, (nn.Module, Network)) and callable(found) and not _needs_argument(found):
            try:
                found = found()
            except Exception as error:
                raise _failed(path, name, error) from error
    network = as_network(found)
    network.notes.append(f"the code in {path} was run to make the network.")
    return network


def _run(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    code = importlib.util.module_from_spec(specification)
    # The file may import its neighbours.
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        specification.loader.exec_module(code)
    except Exception as error:
        raise _failed(path, "the file", error) from error
    finally:
        sys.path.remove(str(path.parent.resolve()))
    return code


def _failed(path: Path, name: str, error: Exception) -> InvariscopeError:
    if isinstance(error, InvariscopeError):
        return error
    reason = str(error).strip().split("\n")[0]
    return NetworkError(f"{name} of {path.name} failed with {type(error).__name__}: {reason.rstrip('.')}.")


def _needs_argument(function: object) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return True
    return any(
        parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in parameters
    )
