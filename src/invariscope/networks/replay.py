"""A check that nothing overwrote what was recorded: every site against its operation, run again on its own."""

import copy
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from invariscope.networks.activations import CANDIDATES, is_rectifier, plain_name, site_of
from invariscope.networks.network import as_network
from invariscope.networks.outputs import tensors_of
from invariscope.networks.sites import find_sites
from invariscope.networks.tap import tap
from invariscope.networks.truncate import Reached


@dataclass(frozen=True)
class Deviation:
    """How far a recorded activation is from its operation's result.

    Args:
        site: its name.
        absolute: the largest difference of a number.
        relative: that, over the largest magnitude of the result (0 where nothing differs).
    """

    site: str
    absolute: float
    relative: float


def replay_check(network: object, images: Float[Tensor, "image channel height width"]) -> list[Deviation]:
    """Compare what a tap reads with a second run of every operation on its captured input.

    Modules are run again on clones of their inputs, in a copy of the network in which nothing happens in place;
    functions are called again on clones of their arguments. So an activation that was read too late, from the wrong
    call or under the wrong name shows.

    Args:
        network: a `Network`, or anything that `as_network` takes.
        images: a batch in [0,1].

    Returns:
        One row per site, the output among them, in order of production.

    Example:
        >>> worst = replay_check(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True)), torch.rand(2, 1, 4, 4))
        >>> max(row.absolute for row in worst)
        0.0
    """
    network = as_network(network)
    names = [site.name for site in find_sites(network, images) if site.name != "output"]
    module = network.module
    witness = _Witness(module)
    rows: list[Deviation] = []

    def read(name: str, activation: Tensor) -> None:
        expected = witness.expected.pop(name, None)
        if expected is None:
            rows.append(Deviation(name, float("inf"), float("inf")))
            return
        finite = torch.isfinite(expected) & torch.isfinite(activation)
        same = bool((torch.isfinite(expected) == torch.isfinite(activation)).all())
        difference = float((activation - expected)[finite].abs().max()) if bool(finite.any()) else 0.0
        scale = float(expected[finite].abs().max()) if bool(finite.any()) else 0.0
        difference = difference if same and activation.shape == expected.shape else float("inf")
        rows.append(Deviation(name, difference, difference / scale if scale else difference))

    with torch.no_grad():
        with witness, tap(network, names, read):
            recorded = network(images)
        plain = network(images)
    rows.append(Deviation("output", *_difference(recorded, plain)))
    missed = set(names) - {row.site for row in rows}
    return rows + [Deviation(name, float("inf"), float("inf")) for name in sorted(missed)]


class _Witness(ExitStack):
    """Runs every operation a second time, on its own, before the tap reads its result."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.expected: dict[str, Tensor] = {}
        self.running: list[str] = []
        self.calls: dict[str, int] = {}
        self._module = module
        self._apart = dict(_out_of_place(module).named_modules())

    def __enter__(self) -> "_Witness":
        super().__enter__()
        for path, part in self._module.named_modules():
            self.callback(part.register_forward_pre_hook(partial(self._before, path), with_kwargs=True).remove)
            self.callback(part.register_forward_hook(partial(self._after, path)).remove)
        self.enter_context(_Again(self))
        return self

    def inside_rectifier(self) -> bool:
        """Whether a rectifier's own operations are running."""
        return any(is_rectifier(self._apart[path]) for path in self.running)

    def _before(self, path: str, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if path == "":
            self.running.clear()
            self.calls.clear()
            self.expected.clear()
        self.running.append(path)
        if path:
            output = self._alone(path, args, kwargs)
            label = self.number(path, "{}")
            self.expected.update({label + suffix: tensor for suffix, tensor in tensors_of(output)})

    def _alone(self, path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        # Nobody watches the second run; what cannot run alone, in a network that ends early, has no result.
        with torch._C.DisableTorchFunction():
            try:
                return self._apart[path](*_clones(args), **_clones(kwargs))
            except Reached as reached:
                return reached.output
            except Exception:
                return None

    def _after(self, path: str, _module: nn.Module, _args: object, _output: object) -> None:
        if path == "":
            self.running.clear()
        else:
            self.running.pop()

    def number(self, place: str, first: str = "{}#1") -> str:
        """The name of the next call there."""
        self.calls[place] = self.calls.get(place, 0) + 1
        return first.format(place) if self.calls[place] == 1 else f"{place}#{self.calls[place]}"


class _Again(TorchFunctionMode):
    def __init__(self, witness: _Witness) -> None:
        super().__init__()
        self._witness = witness

    def __torch_function__(
        self, func: Any, types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs, witness = kwargs or {}, self._witness
        name = plain_name(func)
        if not witness.running or name not in CANDIDATES:
            return func(*args, **kwargs)
        site = site_of(name, args, kwargs)
        if site is not None and not witness.inside_rectifier():
            place = ".".join(filter(None, (witness.running[-1], f"{site[1]}()")))
            witness.expected[witness.number(place)] = func(*_clones(args), **_clones(kwargs))
        return func(*args, **kwargs)


def _clones(value: Any) -> Any:
    return tree_map(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf, value)


def _out_of_place(module: nn.Module) -> nn.Module:
    apart = copy.deepcopy(module).eval()
    for part in apart.modules():
        if isinstance(getattr(part, "inplace", None), bool):
            setattr(part, "inplace", False)  # noqa: B010
    return apart


def _difference(first: Tensor, second: Tensor) -> tuple[float, float]:
    difference = float((first - second).abs().nan_to_num(0).max())
    scale = float(second.abs().nan_to_num(0).max())
    return difference, difference / scale if scale else difference
