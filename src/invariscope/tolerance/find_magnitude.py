"""The magnitude at which a network's accuracy on a set of images falls to a level."""

import dataclasses

import torch
from torch import Tensor, nn

from invariscope.core.errors import ImageError, NetworkError
from invariscope.core.seeds import image_seeds
from invariscope.images.images import Images
from invariscope.images.labels import match_labels
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network, as_network
from invariscope.tolerance.outputs import check_finite
from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.find_magnitude import FoundMagnitude
from invariscope.transformations.find_magnitude import find_magnitude as search

BATCH_SIZE = 250


def find_magnitude(
    network: Network | nn.Module,
    images: Images | Prepared,
    transformation: str | Transformation,
    accuracy: float = 0.1,
    step: float | None = None,
    *,
    towards: float | None = None,
    tolerance: float | None = None,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
) -> FoundMagnitude:
    """Find the magnitude of a transformation at which a network's accuracy falls to a level.

    Accuracy is the share of images that are classified correctly; without labels, the share that keep their clean
    prediction. Geometric transformations are filled as in a measurement, with the mean of the network's recipe.

    Args:
        network: computes where its weights are.
        images: what it is shown.
        transformation: its name, or the transformation.
        accuracy: the level to fall to; 0 to 1.
        step: the paper's search in steps of this size from the identity (0.5 pixels for a blur); None bisects.
        towards: the magnitude to go to, at most; the sign says the side. Default: the upper limit.
        tolerance: the width of the final bracket when bisecting.
        batch_size: images per forward pass.
        seed: of a random transformation.

    Returns:
        `.magnitude`, `.accuracy` there, `.bracket`, `.tried`; where the level is not reached, `.reached` is false, the
        magnitude NaN, and `.message` says how far the accuracy fell.

    Raises:
        NetworkError: the outputs are no class scores, or not finite.
        ImageError: there are no images, or their labels do not fit the network.
        UnknownNameError: no transformation has that name.
        SettingError: the level, step or tolerance cannot be used.
        MagnitudeError: `towards` lies outside the transformation's limits.

    Example:
        >>> class Bright(nn.Module):
        ...     def forward(self, images):
        ...         mean = images.mean(dim=(1, 2, 3))
        ...         return torch.stack([mean - 0.6, 0.6 - mean], dim=1)
        >>> images = Images(torch.full((4, 1, 2, 2), 0.8))
        >>> found = find_magnitude(Bright(), images, "brightness", accuracy=0.5, towards=-1.0)
        >>> round(found.magnitude, 2), found.accuracy
        (-0.2, 0.0)

    Source: Jang et al., appendix A.
    """
    network = as_network(network)
    family = TRANSFORMATIONS[transformation]() if isinstance(transformation, str) else transformation
    prepared = images.fit(network.recipe) if isinstance(images, Images) else images
    if not len(prepared):
        raise ImageError("there are no images to find a magnitude on.")
    judge = _Judge(network, prepared, family.with_fill(network.recipe.fill), batch_size, seed)
    size = (prepared.height, prepared.width)
    found = search(judge, family, accuracy=accuracy, size=size, towards=towards, step=step, tolerance=tolerance)
    if judge.message is None:
        return found
    return dataclasses.replace(found, message=f"{found.message} {judge.message}")


class _Judge:
    """The accuracy at a magnitude, of all images."""

    def __init__(
        self, network: Network, images: Prepared, transformation: Transformation, batch_size: int, seed: int
    ) -> None:
        self._network, self._images, self._transformation = network, images, transformation
        self._batch_size, self._seed = batch_size, seed
        self.message: str | None = None
        clean, n_outputs = self._predict(None)
        matching = match_labels(images, network, n_outputs)
        self.message = matching.message
        self._truth = clean if matching.labels is None else matching.labels

    def __call__(self, magnitude: float) -> float:
        predicted, _ = self._predict(magnitude)
        return float((predicted == self._truth).double().mean())

    def _predict(self, magnitude: float | None) -> tuple[Tensor, int]:
        predicted, n_outputs = [], 0
        kind = self._transformation
        when = "clean images" if magnitude is None else f"images under {kind.name} of {magnitude:g}"
        for indices, batch in self._images.batches(self._batch_size, self._network.device):
            seeds = image_seeds(indices.to(batch.device), self._seed, kind.name) if kind.random else None
            with torch.no_grad():
                shown = batch if magnitude is None else kind(batch, magnitude, seeds=seeds)
                outputs = self._network(shown)
            if outputs.ndim != 2 or outputs.shape[1] < 2:
                raise NetworkError(
                    f"accuracy needs class scores, (image, class); the network returns {tuple(outputs.shape)}."
                )
            check_finite(outputs, when)
            predicted.append(outputs.argmax(dim=1).cpu())
            n_outputs = outputs.shape[1]
        return torch.cat(predicted), n_outputs
