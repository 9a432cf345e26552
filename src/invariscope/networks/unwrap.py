"""The module inside a data-parallel or compiled wrapper; what cannot be opened is refused."""

from collections.abc import Callable

from torch import Tensor, nn

from invariscope.core.errors import NetworkError

_TRANSPARENT = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}
_OPAQUE = {
    "FullyShardedDataParallel": "is sharded, so that no process holds its weights; gather it into one module first",
    "ScriptModule": "is scripted or traced, which hides its operations; give the module it was made from",
    "RecursiveScriptModule": "is scripted or traced, which hides its operations; give the module it was made from",
}


class FunctionModule(nn.Module):
    """A function from images to activations, as a module, so that its operations can be watched.

    Args:
        function: takes a batch of images and returns a tensor or an object with `logits`.
    """

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> object:
        """The function of the images."""
        return self.function(images)


def unwrap(network: object) -> nn.Module:
    """The plain module of a wrapper, or the module made of a function.

    Args:
        network: a module, a wrapper of torch around one, or a function from images to activations.

    Returns:
        A module whose parts can be watched.

    Raises:
        NetworkError: it is none of these, or hides its parts.

    Example:
        >>> unwrap(nn.DataParallel(nn.Identity()))
        Identity()
    """
    while isinstance(network, nn.Module) and (inner := _TRANSPARENT.get(_torch_class(network))):
        network = getattr(network, inner)
    network = getattr(network, "_torchdynamo_orig_callable", network)
    if getattr(network, "__name__", "") in ("forward", "__call__"):
        network = getattr(network, "__self__", network)
    if isinstance(network, nn.Module):
        for path, part in network.named_modules():
            _refuse_opaque(path or "the network", part)
        return network
    if callable(network):
        return FunctionModule(network)
    raise NetworkError(
        f"a network is a torch.nn.Module or a function from images to activations; got {type(network).__name__}."
    )


def _torch_class(module: nn.Module) -> str:
    """The name of the nearest class that torch itself defines."""
    return next(kind.__name__ for kind in type(module).__mro__ if kind.__module__.split(".")[0] == "torch")


def _refuse_opaque(path: str, part: nn.Module) -> None:
    kinds = {kind.__name__ for kind in type(part).__mro__ if kind.__module__.split(".")[0] == "torch"}
    if found := next((reason for kind, reason in _OPAQUE.items() if kind in kinds), None):
        raise NetworkError(f"{path} ({type(part).__name__}) {found}.")
    if "OptimizedModule" in kinds or getattr(part, "_compiled_call_impl", None) is not None:
        raise NetworkError(f"{path} is compiled on its own, which hides its operations; give the uncompiled network.")
