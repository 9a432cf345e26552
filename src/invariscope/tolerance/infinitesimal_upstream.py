"""Which layers a layer is computed from: the nearest sites before it, whatever branches and sums lie between."""

from collections.abc import Mapping, MutableMapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from invariscope.networks.network import Network
from invariscope.networks.outputs import tensors_of
from invariscope.networks.watch import Event, watch

IMAGE = "image"


def nearest_before(
    network: Network, sites: Sequence[str], images: Float[Tensor, "image channel height width"]
) -> dict[str, tuple[str, ...]]:
    """For every site the sites whose activations reach it without passing another one.

    Args:
        network: what runs.
        sites: by name, in order of execution.
        images: a few in [0,1].

    Returns:
        By site, names in order of execution; "image" stands for the image itself. A site of which nothing is known
        follows the one before it.

    Example:
        >>> from torch import nn
        >>> network = Network(nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten()))
        >>> nearest_before(network, ["1", "output"], torch.zeros(1, 1, 2, 2))
        {'1': ('image',), 'output': ('1',)}
    """
    places = {IMAGE: -1, **{name: place for place, name in enumerate(sites)}}
    reached: MutableMapping[Tensor, frozenset[str]] = WeakTensorKeyDictionary()
    found: dict[str, frozenset[str]] = {}

    def observe(function: object, args: Sequence[object], kwargs: Mapping[str, object], result: object) -> None:
        inputs = [tensor for _, tensor in tensors_of([*args, *kwargs.values()])]
        sources = frozenset[str]().union(*(reached.get(tensor, frozenset()) for tensor in inputs))
        for _, tensor in tensors_of(result):
            reached[tensor] = sources

    def note(event: Event) -> None:
        if event.name in places:
            found[event.name] = reached.get(event.tensor, frozenset())
            reached[event.tensor] = frozenset((event.name,))

    def begin(_module: object, inputs: tuple[Tensor, ...]) -> None:
        reached[inputs[0]] = frozenset((IMAGE,))

    handle = network.module.register_forward_pre_hook(begin)
    try:
        with torch.no_grad(), watch(network.module, note, observe=observe):
            network(images)
    finally:
        handle.remove()
    before = [IMAGE, *sites]
    return {
        name: tuple(sorted(found.get(name) or {before[place]}, key=places.__getitem__))
        for place, name in enumerate(sites)
    }
