"""Networks that were exported as programs of torch.export."""

import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.export import ExportedProgram

from invariscope.core.errors import NetworkError
from invariscope.networks.build import Order
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe

_CODE = ("custom_obj_", "opaque_obj_")
_FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def exported_network(order: Order) -> Network:
    """The program in a .pt2 file; its rectifiers and sums are sites, as functions.

    Args:
        order: named "path/to/exported.pt2".

    Returns:
        The network; its recipe has the size it was exported for, where that is fixed.

    Raises:
        NetworkError: there is no such file, it is no exported program, it holds pickled code, or it runs on batches of
            one size only.
    """
    path = Path(order.name)
    if not path.is_file():
        raise NetworkError(f"an exported network is read from a file; at {path} there is none.")
    _refuse_code(path)
    try:
        with _weights_only(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(path)
            module = program.module()
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise NetworkError(f"{path} is no program that torch.export can load: {reason}") from error
    return Network(module, recipe=Recipe(size=_size(program, path), channels=0))


def _refuse_code(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        raise NetworkError(f"{path} is no program of torch.export.")
    with zipfile.ZipFile(path) as archive:
        if any(Path(name).name.startswith(_CODE) for name in archive.namelist()):
            raise NetworkError(
                f"{path} holds pickled objects, and reading them would run code; export it without them."
            )


@contextmanager
def _weights_only() -> Iterator[None]:
    """Within the block torch.load takes tensors only, whatever it is told: the loader of torch.export tells it to."""
    before = os.environ.get(_FORCE)
    os.environ[_FORCE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FORCE]
        else:
            os.environ[_FORCE] = before


def _size(program: ExportedProgram, path: Path) -> tuple[int, int] | None:
    (name,) = program.graph_signature.user_inputs[:1] or (None,)
    images = next((node.meta["val"] for node in program.graph.nodes if node.name == name), None)
    if not isinstance(images, torch.Tensor) or images.ndim != 4:
        raise NetworkError(f"{path} does not take images of shape (image, channel, height, width).")
    if isinstance(images.shape[0], int):
        raise NetworkError(
            f"{path} was exported for batches of {images.shape[0]} only; export it with a dynamic first axis: "
            "dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)."
        )
    height, width = images.shape[2:]
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None
