"""Reading activations while a network runs."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from torch import Tensor

from invariscope.networks.network import as_network
from invariscope.networks.watch import Event, watch


@contextmanager
def tap(network: object, names: Collection[str], read: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Within the block, each forward pass hands every named activation to `read` the moment it is produced.

    What runs next may overwrite the activation (an in-place ReLU, `x += y`), so `read` must reduce or clone it.

    Args:
        network: a `Network`, or the module that runs.
        names: sites, as `find_sites` names them; one that does not run is silently absent.
        read: called with the site's name and the activation, in order of production.

    Yields:
        Nothing; hooks are gone after the block.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> network, seen = nn.Sequential(nn.Flatten(), nn.ReLU()), {}
        >>> with tap(network, ["1"], lambda name, activation: seen.update({name: activation.clone()})):
        ...     _ = network(torch.tensor([[[-1.0, 2.0]]]))
        >>> seen
        {'1': tensor([[0., 2.]])}
    """

    def hand_on(event: Event) -> None:
        # What `read` returns must not take the activation's place.
        read(event.name, event.tensor)

    with watch(as_network(network).module, hand_on, frozenset(names)):
        yield
