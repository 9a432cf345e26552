"""Keeping the response of one unit, or the direction of a layer's, under a learned transformation."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import ImageError, LayerError
from invariscope.images.prepared import Prepared
from invariscope.learned.objective import Judged, Objective, Predictions, strongest
from invariscope.learned.settings import LearnSettings
from invariscope.networks.network import Network
from invariscope.networks.sites import find_sites, select_sites
from invariscope.networks.tap import tap
from invariscope.networks.units import reduce_units


class _Reader:
    """Reads the units of one site, with their gradient."""

    def __init__(self, network: Network, images: Prepared, settings: LearnSettings) -> None:
        assert settings.layer is not None
        if not len(images):
            raise ImageError("there are no images to learn from.")
        example = images.batch([0], network.device)
        self._site = select_sites(find_sites(network, example), [settings.layer])[0]
        self._network, self._reduce = network, settings.reduce

    def __call__(self, shown: Tensor) -> Float[Tensor, "image unit"]:
        found: list[Tensor] = []

        def read(_name: str, activation: Tensor) -> None:
            # What runs next may overwrite the activation, and with it what the gradient needs.
            found.append(reduce_units(activation.clone(), self._site.layout, "channels", self._reduce))

        with tap(self._network, [self._site.name], read):
            self._network(shown)
        return found[0].float()

    def all(self, images: Prepared, batch_size: int) -> Float[Tensor, "image unit"]:
        with torch.no_grad():
            return torch.cat([self(batch).cpu() for _, batch in images.batches(batch_size, self._network.device)])


class UnitResponse:
    """One unit's response r, on the images that drive it most.

    The deviation of an image is r(F(x))/r(x) − 1; the quality 1 − |deviation|, at least 0; the loss the mean squared
    deviation.

    Args:
        network: any that has the layer.
        images: all of the set.
        settings: `layer`, `unit`, `reduce` and `driving`.
        batch_size: of the clean pass.

    Raises:
        LayerError: there is no such layer or unit, or no image drives it.
    """

    message: str | None = None
    classes: list[str] | None = None

    def __init__(self, network: Network, images: Prepared, settings: LearnSettings, batch_size: int = 256) -> None:
        self._reader = _Reader(network, images, settings)
        responses = self._reader.all(images, batch_size)
        assert settings.unit is not None
        if not 0 <= settings.unit < responses.shape[1]:
            raise LayerError(
                f"{settings.layer} has units 0 to {responses.shape[1] - 1}; got {settings.unit}. Choose one of them."
            )
        self._unit, self._clean = settings.unit, responses[:, settings.unit]
        chosen = strongest(self._clean, settings.driving)
        if not bool(chosen.any()):
            raise LayerError(
                f"no image drives unit {settings.unit} of {settings.layer} (its responses are 0 or less); "
                "choose another unit."
            )
        self.places = chosen.nonzero()[:, 0]
        self.clean = torch.where(chosen, 1.0, torch.nan)

    def __call__(self, shown: Float[Tensor, "image channel height width"], places: Int[Tensor, " image"]) -> Judged:
        """Squared relative deviation, and the share of the response that is kept."""
        response = self._reader(shown)[:, self._unit]
        deviation = response / self._clean[places].to(response.device) - 1
        quality = (1 - deviation.detach().abs()).clamp(min=0)
        return Judged(deviation.square().mean(), quality, quality)


class LayerResponse:
    """The direction of a layer's response, seen from its mean over the clean images.

    The quality of an image is the cosine between r(F(x)) − r̄ and r(x) − r̄, at least 0; the loss the mean of
    1 − cosine.

    Args:
        network: any that has the layer.
        images: all of the set.
        settings: `layer` and `reduce`.
        batch_size: of the clean pass.

    Raises:
        LayerError: there is no such layer.
    """

    message: str | None = None
    classes: list[str] | None = None

    def __init__(self, network: Network, images: Prepared, settings: LearnSettings, batch_size: int = 256) -> None:
        self._reader = _Reader(network, images, settings)
        responses = self._reader.all(images, batch_size)
        self._mean = responses.mean(0)
        self._clean = responses - self._mean
        moving = self._clean.norm(dim=1) > 0
        if not bool(moving.any()):
            raise LayerError(f"{settings.layer} answers alike to all images; choose another layer.")
        self.places = moving.nonzero()[:, 0]
        self.clean = torch.where(moving, 1.0, torch.nan)

    def __call__(self, shown: Float[Tensor, "image channel height width"], places: Int[Tensor, " image"]) -> Judged:
        """One less the cosine, and the cosine."""
        response = self._reader(shown)
        device = response.device
        cosine = torch.cosine_similarity(response - self._mean.to(device), self._clean[places].to(device), dim=1)
        quality = cosine.detach().clamp(0, 1)
        return Judged((1 - cosine).mean(), quality, quality)


def make_objective(network: Network, images: Prepared, settings: LearnSettings, batch_size: int = 256) -> Objective:
    """What the settings' target asks to keep, with its clean values on these images.

    Args:
        network: on its device.
        images: at the network's size.
        settings: `target` and what it needs.
        batch_size: of the clean pass.
    """
    if settings.target == "unit":
        return UnitResponse(network, images, settings, batch_size)
    if settings.target == "layer":
        return LayerResponse(network, images, settings, batch_size)
    return Predictions(network, images, settings, batch_size)
