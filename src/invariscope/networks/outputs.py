"""Tensors inside whatever a module returns."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from torch import Tensor

from invariscope.core.errors import NetworkError


def tensors_of(output: object, suffix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of an output with the suffix that names its place: "[0]", "[1][logits]", "" for a bare tensor.

    Args:
        output: a tensor, or tuples, lists, mappings and dataclasses of them.
        suffix: what the names begin with.

    Yields:
        (suffix, tensor) in the order of the output; anything else is passed over.

    Example:
        >>> import torch
        >>> [name for name, _ in tensors_of((torch.zeros(1), {"a": torch.zeros(2)}, None))]
        ['[0]', '[1][a]']
    """
    if isinstance(output, Tensor):
        yield suffix, output
        return
    for key, item in _items(output):
        yield from tensors_of(item, f"{suffix}[{key}]")


def logits_of(output: object) -> Tensor:
    """The tensor that a network answers with: the output itself, its `logits`, its "out", or the first tensor in it.

    Raises:
        NetworkError: there is no tensor in it.

    Example:
        >>> import torch
        >>> logits_of({"features": torch.zeros(1, 9), "logits": torch.zeros(1, 2)}).shape
        torch.Size([1, 2])
    """
    if isinstance(output, Tensor):
        return output
    named = output if isinstance(output, Mapping) else vars(output) if hasattr(output, "__dict__") else {}
    for key in ("logits", "out"):
        if isinstance(found := named.get(key, getattr(output, key, None)), Tensor):
            return found
    for _, tensor in tensors_of(output):
        return tensor
    raise NetworkError(
        f"the network returned {type(output).__name__}, in which there is no tensor; "
        "it must return a tensor, or an object with `logits`."
    )


def _items(output: object) -> list[tuple[object, object]]:
    if isinstance(output, Mapping):
        return list(output.items())
    if isinstance(output, (tuple, list)):
        return list(enumerate(output))
    if is_dataclass(output) and not isinstance(output, type):
        return [(field.name, getattr(output, field.name)) for field in fields(output)]
    return []
