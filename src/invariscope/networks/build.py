"""What every source of networks is given, and what its networks share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from invariscope.core.registry import Registry
from invariscope.networks.network import Network
from invariscope.networks.specifier import Options

_DRAWS = {"normal_", "uniform_", "trunc_normal_", "erfinv_", "orthogonal_"} | {
    f"{name}_{shape}_" for name in ("kaiming", "xavier") for shape in ("normal", "uniform")
}
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Order:
    """What to build.

    Args:
        name: of the network within its source.
        options: the source asks for those it understands.
        weights: the weights that it will get, by name; a network may end where they end. None where there is no file.
        pretrained: get the published weights; a name of some of them, or "DEFAULT". None builds random ones.
        seed: of random weights.
    """

    name: str
    options: Options
    weights: Mapping[str, Tensor] | None = None
    pretrained: str | None = None
    seed: int = 0


# A builder makes an untrained network; its first line is what a list of them shows.
BUILTIN_NETWORKS: Registry[Callable[[Order], Network]] = Registry("builtin network", "invariscope.networks")


@contextmanager
def drawing(order: Order) -> Iterator[None]:
    """Within the block torch draws from the order's seed; afterwards its generator is where it was.

    Parameters that the weights of a file will replace are not drawn at all: that takes seconds in large networks.

    Example:
        >>> with drawing(Order("", Options({}, ""), seed=3)):
        ...     first = torch.rand(2)
        >>> with drawing(Order("", Options({}, ""), seed=3)):
        ...     bool((torch.rand(2) == first).all())
        True
    """
    with torch.random.fork_rng(devices=[]), ExitStack() as stack:
        torch.default_generator.manual_seed(order.seed)
        if order.weights is not None:
            stack.enter_context(_Undrawn())
        yield


class _Undrawn(TorchFunctionMode):
    """Leaves parameters as they are where they would be drawn."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        if func.__name__ in _DRAWS:
            tensor = args[0] if args else kwargs.get("tensor")
            if isinstance(tensor, nn.Parameter):
                return tensor
        return func(*args, **kwargs)


def imagenet_classes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and WordNet identifiers of the thousand ImageNet classes, in the usual order.

    Example:
        >>> names, wnids = imagenet_classes()
        >>> len(names), names[0], wnids[0]
        (1000, 'tench', 'n01440764')
    """
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    # timm carries the identifiers in a text file; to import it for that would take a second.
    found = find_spec("timm")
    assert found is not None
    assert found.origin is not None
    synsets = Path(found.origin).parent / "data" / "_info" / "imagenet_synsets.txt"
    return tuple(_IMAGENET_CATEGORIES), tuple(synsets.read_text().split())
