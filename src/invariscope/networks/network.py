"""A network together with its input recipe and its class names."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from invariscope.networks.outputs import logits_of
from invariscope.networks.recipe import Recipe
from invariscope.networks.unwrap import unwrap


@dataclass(eq=False)
class Network:
    """A function from images in [0,1] to logits: normalise, run in evaluation mode, take the logits.

    Args:
        module: what runs; data-parallel and compiled wrappers are opened, a function becomes a module.
        spec: the specifier it was loaded from, or what it is.
        recipe: its input: size, crop, mean, standard deviation, or each image standardised.
        classes: one name per output, where known.
        wnids: one WordNet identifier per output, where known.
        seen: names of the classes that it saw transformed in training, where known.
        architecture: the specifier that builds it without what it learned, where there is one.
        notes: sentences that the person should be told once.

    Raises:
        NetworkError: the module hides its parts.

    Example:
        >>> network = Network(nn.Flatten(), recipe=Recipe(mean=(0.5,), std=(0.5,), channels=1))
        >>> network(torch.ones(2, 1, 1, 2))
        tensor([[1., 1.],
                [1., 1.]])
    """

    module: nn.Module
    spec: str = ""
    recipe: Recipe = field(default_factory=lambda: Recipe(channels=0))
    classes: tuple[str, ...] | None = None
    wnids: tuple[str, ...] | None = None
    seen: tuple[str, ...] | None = None
    architecture: str = ""
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.module = unwrap(self.module)
        self.spec = self.spec or type(self.module).__name__

    def __call__(self, images: Float[Tensor, "image channel height width"]) -> Float[Tensor, "..."]:
        """Logits of images in [0,1].

        Args:
            images: of the recipe's size, on the network's device; shape (image, channel, height, width).

        Returns:
            What the network answers; shape (image, output), or the shape of the site that it ends in.
        """
        inputs = self.recipe.normalise(images)
        with evaluating(self.module):
            return logits_of(self.module(inputs.to(self.dtype)))

    @property
    def dtype(self) -> torch.dtype:
        """The type of number it computes with: that of its first floating-point weights."""
        return next((weight.dtype for weight in self.module.parameters() if weight.is_floating_point()), torch.float32)

    @property
    def device(self) -> torch.device:
        """Where its first weights or buffers are."""
        tensors = (*self.module.parameters(), *self.module.buffers())
        return tensors[0].device if tensors else torch.device("cpu")

    @property
    def n_parameters(self) -> int:
        """How many numbers it learned."""
        return sum(weight.numel() for weight in self.module.parameters())

    @property
    def fingerprint(self) -> str:
        """A hash of architecture and weights, as they are now: the same for the same network on any device."""
        digest = hashlib.blake2b(digest_size=16)
        if self.recipe.standardise:
            digest.update(b"standardise\n")
        for path, part in self.module.named_modules():
            settings = re.sub(r"0x[0-9a-f]+", "", part.extra_repr())
            digest.update(f"{path}:{type(part).__qualname__}({settings})\n".encode())
        for name, weights in self.module.state_dict().items():
            if isinstance(weights, Tensor):
                digest.update(f"{name}:{weights.dtype}{tuple(weights.shape)}\n".encode())
                digest.update(weights.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def to(self, device: torch.device | str) -> "Network":
        """Move its weights; returns the network itself."""
        self.module.to(device)
        return self


def as_network(network: object) -> Network:
    """A network of anything that computes: a `Network` is returned as it is, a bare module takes the [0,1] image.

    Args:
        network: a `Network`, a module, a wrapper of torch around one, or a function from images to activations.

    Returns:
        A network; that of a bare module has an empty recipe.

    Raises:
        NetworkError: it is none of these, or hides its parts.

    Example:
        >>> as_network(nn.Flatten())(torch.full((1, 1, 1, 2), 0.25))
        tensor([[0.2500, 0.2500]])
    """
    return network if isinstance(network, Network) else Network(unwrap(network))


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within the block every part is in evaluation mode; afterwards each is as it was.

    Example:
        >>> module = nn.Dropout().train()
        >>> with evaluating(module):
        ...     module.training
        False
        >>> module.training
        True
    """
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
