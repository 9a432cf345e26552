"""A network from its specifier."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from invariscope.core.errors import NetworkError, UnknownNameError
from invariscope.networks.build import BUILTIN_NETWORKS, Order
from invariscope.networks.checkpoint import Checkpoint, read_checkpoint
from invariscope.networks.exported import exported_network
from invariscope.networks.network import Network
from invariscope.networks.python_file import python_network
from invariscope.networks.recipe import Recipe
from invariscope.networks.specifier import Options, Specifier, parse
from invariscope.networks.timm_networks import timm_network
from invariscope.networks.torchvision_networks import torchvision_network
from invariscope.networks.truncate import truncate
from invariscope.networks.weights import load_weights, read_weights

INTERPOLATIONS = ("bilinear", "bicubic", "lanczos", "nearest", "box", "hamming")
_PUBLISHED = ("torchvision", "timm")
_LEARNED = ("weights", "pretrained", "seed")


def load_network(spec: str, *, trained: bool = True) -> Network:
    """A network, ready to be measured.

    `torchvision:NAME` and `timm:NAME` come with their published weights, from a file with `?weights=PATH`, or random
    with `?pretrained=false` (seeded: `&seed=0`; `&num_classes=10` makes a new read-out, so its weights are random too).
    `builtin:NAME` has random weights or those of a file. `&until=features.17` ends the network at that module.
    `path/to/file.py:function` runs that code; `path/to/exported.pt2` is a program of torch.export, and
    `path/to/networks/NAME.safetensors` a network that was trained here. `&size=224`, `&resize=`, `&interpolation=`,
    `&mean=.5,.5,.5` and `&std=` replace parts of the input recipe; `&standardise=image` standardises each image with
    its own mean and standard deviation instead, `&standardise=none` does not.

    Args:
        spec: the specifier.
        trained: fetch published weights where none are named; False leaves them random, for a look at the architecture.

    Returns:
        The network, on the CPU; what the person should be told is in its `notes`.

    Raises:
        NetworkError: it cannot be found, built or given its weights.

    Example:
        >>> network = load_network("builtin:cnn?channels=1&size=8&classes=10")
        >>> network(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """
    specifier = parse(spec)
    if specifier.source == "checkpoint":
        return _from_checkpoint(specifier)
    options = specifier.options
    network, random = _build(specifier, options, trained)
    network.spec = spec
    network.architecture = specifier.without(_LEARNED)
    if random:
        network.notes.append(f"{spec} has random weights (seed {random}).")
    return network


def _build(specifier: Specifier, options: Options, trained: bool) -> tuple[Network, str]:
    """The network, and the seed of its random weights or nothing."""
    named = options.text("weights")
    published = specifier.source in _PUBLISHED and (named is None or named.isupper() or _is_tag(named))
    weights = None if named is None or published else read_weights(named)
    new = "num_classes" in specifier.given or "seed" in specifier.given
    wanted = options.flag("pretrained")
    pretrained = named if published else None
    if pretrained is None and weights is None and specifier.source in _PUBLISHED and wanted is not False:
        pretrained = "DEFAULT" if wanted or (trained and not new) else None
    order = Order(specifier.name, options, weights, pretrained, options.integer("seed", 0))
    network = _BUILDERS[specifier.source](order)
    network.spec = specifier.text
    _override(network, options)
    until = options.text("until")
    options.finish()
    if until:
        truncate(network, until, _blank(network.recipe))
    if weights is not None:
        load_weights(network.module, _without_auxiliary(weights, network), str(named), specifier.without(["weights"]))
    made_here = specifier.source in (*_PUBLISHED, "builtin")
    return network, str(order.seed) if made_here and weights is None and pretrained is None else ""


def _builtin(order: Order) -> Network:
    try:
        return BUILTIN_NETWORKS[order.name](order)
    except UnknownNameError as error:
        raise NetworkError(str(error)) from None


_BUILDERS: Mapping[str, Callable[[Order], Network]] = {
    "torchvision": torchvision_network,
    "timm": timm_network,
    "builtin": _builtin,
    "python": python_network,
    "exported": exported_network,
}


def _from_checkpoint(specifier: Specifier) -> Network:
    options = specifier.options
    checkpoint: Checkpoint = read_checkpoint(Path(specifier.name))
    network = load_network(checkpoint.architecture, trained=False)
    load_weights(network.module, checkpoint.weights, specifier.name, checkpoint.architecture)
    network.spec, network.notes = specifier.text, []
    network.recipe, network.seen = checkpoint.recipe, checkpoint.seen
    network.classes, network.wnids = checkpoint.classes, checkpoint.wnids
    _override(network, options)
    options.finish()
    return network


def _override(network: Network, options: Options) -> None:
    recipe = network.recipe
    size, resize = options.size(), options.integer("resize", 0, 1)
    interpolation = options.text("interpolation")
    if interpolation not in (None, *INTERPOLATIONS):
        raise NetworkError(f"interpolation is one of {', '.join(INTERPOLATIONS)}; got {interpolation!r}.")
    if size:
        # The same share of the image stays in the crop.
        share = recipe.resize / min(recipe.size) if recipe.resize and recipe.size else 1.0
        recipe = replace(recipe, size=size, resize=round(min(size) * share))
    mean, std = options.numbers("mean"), options.numbers("std")
    standardise = options.text("standardise")
    if standardise not in (None, "image", "none"):
        raise NetworkError(f"standardise is image or none; got {standardise!r}.")
    if standardise == "image":
        if mean or std:
            raise NetworkError("standardise=image takes each image's own mean and std; leave out mean= and std=.")
        recipe = replace(recipe, mean=(), std=(), standardise=True)
    elif mean or std or standardise:
        recipe = replace(recipe, standardise=False)
    if mean or std:
        count = len(mean or std or ())
        recipe = replace(
            recipe,
            mean=mean or recipe.mean or (0.0,) * count,
            std=std or recipe.std or (1.0,) * count,
            channels=recipe.channels or count,
        )
    network.recipe = replace(
        recipe, resize=resize or recipe.resize, interpolation=interpolation or recipe.interpolation
    )


def _is_tag(named: str) -> bool:
    """Whether it names published weights, not a file: it has neither a suffix nor a folder, and is no file."""
    return not Path(named).suffix and "/" not in named and not Path(named).exists()


def _blank(recipe: Recipe) -> Tensor:
    return torch.full((1, recipe.channels or 3, *(recipe.size or (64, 64))), 0.5)


def _without_auxiliary(weights: Mapping[str, Tensor], network: Network) -> Mapping[str, Tensor]:
    """Without the auxiliary heads of training, where the network was built without them."""
    own = network.module.state_dict()
    heads = ("aux1.", "aux2.", "AuxLogits.")
    return {name: value for name, value in weights.items() if name in own or not name.startswith(heads)}
