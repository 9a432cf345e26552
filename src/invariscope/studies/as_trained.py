"""How test images are transformed for a network that was trained on several transformations or a range."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from invariscope.networks.network import Network
from invariscope.responses.recorder import Strength
from invariscope.training.mixture import Mixture
from invariscope.training.sets import Sets
from invariscope.training.settings import Training


@dataclass(frozen=True)
class AsTrained(Strength):
    """What training shows: each image under one of the transformations, or its class's own, at one magnitude.

    The draws are made once per image and are the same for all networks. With one transformation at one magnitude it is
    that `Strength`.

    Args:
        mixture: what images of seen classes were transformed with.
        labels: classes of the test images; shape (image,).
    """

    mixture: Mixture
    labels: Int[Tensor, " every"]

    def __call__(
        self, images: Float[Tensor, "image channel height width"], indices: Int[Tensor, " image"]
    ) -> Float[Tensor, "image channel height width"]:
        """The transformed images; `indices` are their places in the whole set."""
        return self.mixture(images, indices.cpu(), self.labels[indices.cpu()], self.seed)


def as_trained(training: Training, network: Network, sets: Sets) -> AsTrained:
    """The test images' transformation for a training's network.

    Args:
        training: the settings.
        network: whose fill is taken.
        sets: whose test images will be shown.
    """
    mixture = training.mixture(len(sets.classes), network.recipe.fill)
    first = mixture.parts[0]
    return AsTrained(first.transformation, first.high, 0, mixture, sets.test_labels)
