"""Networks of timm, with its own input recipes and class names."""

import math
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from torch import nn

from invariscope.core.errors import NetworkError
from invariscope.networks.build import Order, drawing, imagenet_classes
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe


def timm_network(order: Order) -> Network:
    """A network of timm (num_classes).

    Args:
        order: its name there, with or without a tag, and what it shall have learned.

    Returns:
        The network; recipe and class names are those of its configuration there.

    Raises:
        NetworkError: there is no such network, or its weights could not be downloaded.
    """
    import timm

    base = order.name.split(".")[0]
    if not timm.is_model(base):
        near = get_close_matches(base, timm.list_models(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise NetworkError(f"no timm network is called {order.name!r}.{hint} timm.list_models() lists all.")
    settings: dict[str, Any] = {}
    if order.options.text("num_classes") is not None:
        settings["num_classes"] = order.options.integer("num_classes", 1000)
    if (size := order.options.size()) and _takes_size(base):
        settings["img_size"] = size
    with drawing(order), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = _create(order, settings)
    config: dict[str, Any] = getattr(module, "pretrained_cfg", {})
    classes, wnids = _class_names(config, getattr(module, "num_classes", None))
    network = Network(module, recipe=_recipe(config), classes=classes, wnids=wnids)
    if config.get("crop_mode", "center") != "center":
        network.notes.append(
            f"timm:{order.name} was evaluated on images that were {config['crop_mode']}ed to its size; here they are "
            "resized and cropped at the centre."
        )
    return network


def _takes_size(name: str) -> bool:
    """Whether its weights depend on the input's size, so that it must be told."""
    import inspect

    import timm

    source = inspect.getmodule(timm.model_entrypoint(name))
    return "img_size" in (inspect.getsource(source) if source else "")


def _create(order: Order, settings: dict[str, Any]) -> nn.Module:
    import timm

    name, pretrained = order.name, order.pretrained is not None
    if order.pretrained not in (None, "DEFAULT"):
        name = f"{name.split('.')[0]}.{order.pretrained}"
    try:
        with _cached_only(pretrained and not _hub_in_reach()):
            return timm.create_model(name, pretrained=pretrained, **settings)  # type: ignore[no-any-return]
    except TypeError:
        if settings.pop("img_size", None) is None:
            raise
        return _create(order, settings)
    except Exception as error:
        if not pretrained:
            raise NetworkError(f"timm:{order.name} could not be built: {error}") from error
        raise NetworkError(
            f"the published weights of timm:{order.name} could not be loaded ({str(error).splitlines()[0]}); give a "
            "file with ?weights=PATH, or ?pretrained=false for random weights."
        ) from error


def _hub_in_reach() -> bool:
    """Whether the hub's name resolves, or a proxy will: without this, timm tries again and again for a minute."""
    from huggingface_hub import constants

    if getproxies():
        return True
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        return False
    return True


@contextmanager
def _cached_only(cached: bool) -> Iterator[None]:
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = cached or before
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _recipe(config: dict[str, Any]) -> Recipe:
    channels, height, width = config.get("input_size", (3, 224, 224))
    interpolation = config.get("interpolation", "bicubic")
    return Recipe(
        size=(height, width),
        resize=math.floor(min(height, width) / config.get("crop_pct", 0.875)),
        interpolation="bilinear" if interpolation == "random" else interpolation,
        mean=tuple(config.get("mean", (0.485, 0.456, 0.406))),
        std=tuple(config.get("std", (0.229, 0.224, 0.225))),
        channels=channels,
    )


def _class_names(config: dict[str, Any], outputs: int | None) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    if config.get("label_names") and len(config["label_names"]) == outputs:
        return tuple(config["label_descriptions"] or config["label_names"]), tuple(config["label_names"])
    if outputs == 1000 == config.get("num_classes"):
        return imagenet_classes()
    return None, None
