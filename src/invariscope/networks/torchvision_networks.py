"""Networks of torchvision, with its own input recipes and class names."""

import warnings
from typing import Any

from torch import nn

from invariscope.core.errors import NetworkError
from invariscope.core.names import unknown
from invariscope.networks.build import Order, drawing, imagenet_classes
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe

# Their auxiliary heads do not run in evaluation, and the published weights expect inputs of another range.
_AUXILIARY = ("googlenet", "inception_v3")


def torchvision_network(order: Order) -> Network:
    """A classification network of torchvision (num_classes).

    Args:
        order: its name there, and what it shall have learned.

    Returns:
        The network; its recipe and class names are those of its published weights.

    Raises:
        NetworkError: there is no such network, or its weights could not be downloaded.
    """
    from torchvision import models

    known = models.list_models(module=models)
    if order.name not in known:
        raise NetworkError(unknown("torchvision network", order.name, known, most=6))
    published = _published(order)
    classes = order.options.integer("num_classes", 1000, 1)
    settings: dict[str, Any] = {}
    size = order.options.size()
    if size and order.name.startswith("vit_"):
        settings["image_size"] = size[0]
    if size and order.name.startswith("maxvit_"):
        settings["input_size"] = size
    if order.name in _AUXILIARY and order.pretrained is None:
        settings.update(aux_logits=False, init_weights=True, transform_input=order.weights is not None)
    if order.pretrained is None:
        settings["num_classes"] = classes
    with drawing(order), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = _get(models.get_model, order, weights=None if order.pretrained is None else published, **settings)
    names = published.meta.get("categories") if classes == 1000 else None
    wnids = imagenet_classes()[1] if names and len(names) == 1000 else None
    return Network(module, recipe=_recipe(published, module), classes=names and tuple(names), wnids=wnids)


def _published(order: Order) -> Any:
    from torchvision import models

    weights = models.get_model_weights(order.name)
    if order.pretrained in (None, "DEFAULT"):
        return weights.DEFAULT
    if order.pretrained not in weights.__members__:
        raise NetworkError(
            unknown(f"weights of torchvision's {order.name}", str(order.pretrained), weights.__members__)
        )
    return weights[order.pretrained]


def _get(get_model: Any, order: Order, **settings: Any) -> nn.Module:
    try:
        return get_model(order.name, **settings)  # type: ignore[no-any-return]
    except (OSError, RuntimeError) as error:
        if order.pretrained is None:
            raise NetworkError(f"torchvision:{order.name} could not be built: {error}") from error
        raise NetworkError(
            f"the published weights of torchvision:{order.name} could not be downloaded ({error}); give a file with "
            "?weights=PATH, or ?pretrained=false for random weights."
        ) from error


def _recipe(published: Any, module: nn.Module) -> Recipe:
    transforms = published.transforms()
    crop, resize = transforms.crop_size[0], transforms.resize_size[0]
    fixed = getattr(module, "image_size", None)
    if isinstance(fixed, int) and fixed != crop:
        crop, resize = fixed, round(resize * fixed / crop)
    return Recipe(
        size=(crop, crop),
        resize=resize,
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )
