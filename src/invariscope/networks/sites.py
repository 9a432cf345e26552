"""Sites: the places of a network where an activation can be read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

import torch
from jaxtyping import Float
from torch import Tensor, nn

from invariscope.core.errors import LayerError, NetworkError
from invariscope.networks.layout import AxisFollower
from invariscope.networks.network import Network, as_network
from invariscope.networks.truncate import Removed
from invariscope.networks.watch import OUTPUT, Event, watch

LAYOUTS = ("features", "channels-first", "channels-last", "tokens")


@dataclass(frozen=True)
class Site:
    """A place where an activation can be read, and what is found there.

    Args:
        name: "layer1.0.relu", "layer1.0.relu#2" for its second call, "layer1.0.relu()#1" for a function, "output".
        kind: "activation" (a rectifying nonlinearity), "module", "sum" (of a residual connection) or "output".
        operation: the class of the module, or the name of the function.
        shape: of one image's activation.
        layout: "features" (unit), "channels-first" (channel, height, width), "channels-last" (height, width, channel)
            or "tokens" (token, feature).
        weighted_after: how many weighted operations (convolutions, linear maps) run after it in a pass.
    """

    name: str
    kind: str
    operation: str
    shape: tuple[int, ...]
    layout: str
    weighted_after: int = 0

    @property
    def units(self) -> int:
        """How many units it has when a channel or a feature is one."""
        if not self.shape:
            return 1
        return self.shape[0] if self.layout == "channels-first" else self.shape[-1]

    @property
    def positions(self) -> int:
        """How many units it has when every channel at every position is one."""
        return math.prod(self.shape)


def find_sites(network: object, example_images: Float[Tensor, "image channel height width"]) -> list[Site]:
    """Every measurable site of a network, in the order in which the activations are produced.

    Measurable is what has one row per image: the network runs on two and on three images, and a site is kept where the
    first axis follows. So windows, position tables and weights are none.

    Args:
        network: a `Network`, or anything that `as_network` takes.
        example_images: at least one image in [0,1], of the size to be measured, on the network's device.

    Returns:
        Sites, the network's output last.

    Raises:
        NetworkError: the network cannot run on such images, or nothing in it has one row per image.

    Example:
        >>> from torch import nn
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten())
        >>> [(site.name, site.layout, site.units) for site in find_sites(network, torch.zeros(1, 3, 5, 5))]
        [('0', 'channels-first', 4), ('1', 'channels-first', 4), ('2', 'features', 36), ('output', 'features', 36)]
    """
    network = as_network(network)
    two, three = (_found(network, example_images, count) for count in (2, 3))
    shapes = {site.name: site.shape for site in three}
    sites = [
        Site(site.name, site.kind, site.operation, site.shape[1:], site.layout, site.weighted_after)
        for site in two
        if site.shape[:1] == (2,) and shapes.get(site.name) == (3, *site.shape[1:]) and 0 not in site.shape
    ]
    if not sites:
        raise NetworkError(f"{network.spec} has no units: none of its activations has one row per image of the batch.")
    return sites


def never_called(network: object, example_images: Float[Tensor, "image channel height width"]) -> list[str]:
    """Modules that a forward pass never calls, so that they are no sites: auxiliary heads, weights read directly.

    Args:
        network: a `Network`, or anything that `as_network` takes.
        example_images: at least one image in [0,1].

    Returns:
        Their paths, in the order of the network; plain lists and dictionaries of modules are left out.

    Example:
        >>> from torch import nn
        >>> network = nn.Sequential(nn.ReLU())
        >>> network.spare = nn.Linear(2, 2)
        >>> network.forward = lambda images: network[0](images)
        >>> never_called(network, torch.zeros(1, 3, 5, 5))
        ['spare']
    """
    network = as_network(network)
    called: set[str] = set()

    def note(event: Event) -> None:
        called.add(event.name.split("#")[0].split("[")[0])

    with torch.no_grad(), watch(network.module, note):
        network(example_images[:1])
    silent = (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict, Removed)
    return [
        path
        for path, part in network.module.named_modules()
        if path and path not in called and not isinstance(part, silent)
    ]


def select_sites(sites: Sequence[Site], patterns: str | Sequence[str]) -> list[Site]:
    """The sites that are asked for, in their order in the network.

    Args:
        sites: what `find_sites` found.
        patterns: "activations" (rectifying nonlinearities and the output), "all", names and globs; one or many,
            separated by commas where they are one string.

    Returns:
        Each site once.

    Raises:
        LayerError: a name or a glob that fits no site.

    Example:
        >>> sites = [Site("conv1", "module", "Conv2d", (8, 4, 4), "channels-first"),
        ...          Site("relu1", "activation", "ReLU", (8, 4, 4), "channels-first")]
        >>> [site.name for site in select_sites(sites, "activations")]
        ['relu1']
        >>> [site.name for site in select_sites(sites, ["*1"])]
        ['conv1', 'relu1']
    """
    wanted = [pattern.strip() for pattern in (patterns.split(",") if isinstance(patterns, str) else patterns)]
    chosen: set[str] = set()
    for pattern in filter(None, wanted):
        found = {site.name for site in sites if _fits(site, pattern)}
        if not found:
            raise LayerError(_no_layer(pattern, [site.name for site in sites]))
        chosen |= found
    if not chosen:
        raise LayerError("no layer was named; give names, globs, 'activations' or 'all'.")
    return [site for site in sites if site.name in chosen]


def last_hidden_site(sites: Sequence[Site]) -> Site:
    """The last activation that is followed by at least one weighted operation before the output.

    A network without rectifying nonlinearities has its last such sum or module instead, and one without either its
    output.

    Args:
        sites: what `find_sites` found.

    Returns:
        The site.

    Example:
        >>> sites = [Site("relu", "activation", "ReLU", (8,), "features", weighted_after=1),
        ...          Site("output", "output", "Linear", (2,), "features")]
        >>> last_hidden_site(sites).name
        'relu'
    """
    hidden = [site for site in sites if site.weighted_after and site.kind != "output"]
    rectified = [site for site in hidden if site.kind == "activation"]
    return (rectified or hidden or list(sites))[-1]


def _found(network: Network, images: Tensor, count: int) -> list[Site]:
    """The sites of one pass over `count` images, with the batch as the first number of their shapes."""
    batch = images[torch.arange(count, device=images.device) % len(images)].to(network.device)
    follower = AxisFollower()
    found: list[tuple[Site, int]] = []

    def note(event: Event) -> None:
        tensor = event.tensor
        if tensor.is_floating_point() and tensor.ndim and event.alike:
            layout = follower.layout(tensor)
            site = Site(event.name, event.kind, event.operation, tuple(tensor.shape), layout)
            found.append((site, follower.weighted))

    def begin(_module: object, inputs: tuple[Tensor, ...]) -> None:
        follower.begin(inputs[0])

    handle = network.module.register_forward_pre_hook(begin)
    try:
        with torch.no_grad(), watch(network.module, note, observe=follower.observe):
            network(batch)
    except (RuntimeError, ValueError, TypeError, AssertionError, IndexError) as error:
        if isinstance(error, (NetworkError, torch.OutOfMemoryError)):
            raise
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        size = "×".join(map(str, images.shape[1:]))
        raise NetworkError(f"{network.spec} cannot run on images of {size}: {reason}") from error
    finally:
        handle.remove()
    return [
        Site(site.name, site.kind, site.operation, site.shape, site.layout, follower.weighted - before)
        for site, before in found
    ]


def _fits(site: Site, pattern: str) -> bool:
    if pattern == "all":
        return True
    if pattern == "activations":
        return site.kind in ("activation", OUTPUT)
    # Names hold brackets, which a glob would read as a set of letters.
    return site.name == pattern or fnmatchcase(site.name, pattern.replace("[", "[[]"))


def _no_layer(pattern: str, names: list[str]) -> str:
    near = get_close_matches(pattern, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    rest = f", … ({len(names)} in all)" if len(names) > 12 else ""
    return f"no layer is called {pattern!r}.{hint} Known: {', '.join(names[:12])}{rest}."
