"""Networks that end early: at the layer where their weights end."""

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from invariscope.core.errors import NetworkError
from invariscope.core.names import unknown
from invariscope.networks.network import Network

_CALLS = "_invariscope_calls"


class Removed(nn.Module):
    """Stands where a module was that the network does not reach; its code may still mention it."""


class Reached(Exception):
    """The last module has run; carries what it returned."""

    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output


def truncate(network: Network, until: str, images: Tensor) -> Network:
    """The network up to one of its modules, whose output becomes its own; what would run later is removed.

    Args:
        network: is changed.
        until: the path of a module, with "#2" and on for its second call and later ones.
        images: a batch in [0,1] that the network can run on; shape (image, channel, height, width).

    Returns:
        The same network; its module has the names it had.

    Raises:
        NetworkError: there is no such module, or it does not run.

    Example:
        >>> network = truncate(Network(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))), "0", torch.zeros(1, 1, 2, 2))
        >>> network.module
        Sequential(
          (0): Flatten(start_dim=1, end_dim=-1)
        )
    """
    path, _, number = until.partition("#")
    module = network.module
    parts = dict(module.named_modules())
    if path not in parts or not path:
        raise NetworkError(unknown(f"layer of {network.spec}", path, [name for name in parts if name], most=12))
    if number and not number.isdigit():
        raise NetworkError(f"&until= names a module, such as features.17 or relu#2; got {until!r}.")
    last = parts[path]
    _stop_at(module, last, path, int(number or 1))
    entered: set[str] = set()
    finished: set[str] = set()
    handles = [part.register_forward_pre_hook(lambda *_, name=name: entered.add(name)) for name, part in parts.items()]
    handles += [part.register_forward_hook(lambda *_, name=name: finished.add(name)) for name, part in parts.items()]
    try:
        _dry_run(network, images)
    finally:
        for handle in handles:
            handle.remove()
    if getattr(last, _CALLS) < int(number or 1):
        raise NetworkError(f"{network.spec} never runs {until!r}, so that it cannot end there.")
    _remove_unreached(parts, entered, finished - {""})
    network.classes = network.wnids = None
    return network


def _dry_run(network: Network, images: Tensor) -> None:
    """Run all but the arithmetic, or, where the values matter, that as well."""
    try:
        with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True) as mode:
            network(mode.from_tensor(images))
    except Exception:
        with torch.no_grad():
            network(images)


def _stop_at(module: nn.Module, last: nn.Module, path: str, number: int) -> None:
    """Make the pass of `module` end at the call of that number of `last`."""
    whole, part = type(module), type(last)

    def call(self: nn.Module, *inputs: object, **settings: object) -> object:
        output = part.__call__(self, *inputs, **settings)
        setattr(self, _CALLS, getattr(self, _CALLS) + 1)
        if getattr(self, _CALLS) == number:
            raise Reached(output)
        return output

    def forward(self: nn.Module, *inputs: object, **settings: object) -> object:
        setattr(self.get_submodule(path), _CALLS, 0)
        try:
            return whole.forward(self, *inputs, **settings)
        except Reached as reached:
            return reached.output

    # Subclasses made for these two modules: all hooks on the last one still run, and every weight keeps its name.
    last.__class__ = type(part.__name__, (part,), {"__call__": call})
    module.__class__ = type(whole.__name__, (whole,), {"forward": forward})
    setattr(last, _CALLS, 0)


def _remove_unreached(parts: dict[str, nn.Module], entered: set[str], finished: set[str]) -> None:
    """Drop what never ran from the modules that were left early; a module that finished may read its parts' weights."""
    for name in entered - finished:
        for child in list(parts[name]._modules):
            path = f"{name}.{child}" if name else child
            inside = any(other == path or other.startswith(path + ".") for other in entered)
            if not inside:
                if isinstance(parts[name], (nn.Sequential, nn.ModuleList)):
                    del parts[name]._modules[child]
                else:
                    parts[name]._modules[child] = Removed()
