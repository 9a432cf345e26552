"""Asking a network about single images at single magnitudes, and counting what that costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import ImageError, NetworkError
from invariscope.core.seeds import image_seeds
from invariscope.images.labels import match_labels
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.tolerance.outputs import check_finite


@runtime_checkable
class Family(Protocol):
    """What transforms images by a magnitude each: a `Transformation`, or several jointly."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def random(self) -> bool:
        """Whether it draws, so that it needs seeds."""

    def __call__(self, images: Tensor, magnitude: Tensor, *, seeds: Tensor | None = None) -> Tensor:
        """The transformed images."""


@dataclass(frozen=True)
class Answers:
    """What a network answered, a row per question.

    Attributes:
        predicted: the class with the highest score; shape (row,).
        softmax_true: the softmax of the image's true class, or of its clean prediction without labels; shape (row,).
        margin: the highest logit minus the second; shape (row,).
        margin_true: the logit of the true class minus the highest other one, negative where another class wins;
            shape (row,). True is the image's label, or its clean prediction without labels.
    """

    predicted: Int[Tensor, " row"]
    softmax_true: Float[Tensor, " row"]
    margin: Float[Tensor, " row"]
    margin_true: Float[Tensor, " row"]


class Examination:
    """A network, images, and the count of forward passes.

    Args:
        network: on its device; answers class scores.
        images: at the network's size.
        seed: of random transformations; an image's noise is the same as in a measurement.
        batch_size: images per forward pass; does not change answers beyond rounding.
        class_names: one name per output, from the person.

    Attributes:
        passes: how many images have been shown so far, the clean ones included.
        clean: the answers for all images as they are.
        labels: of every image as an output, or its clean prediction without labels; shape (image,).
        labelled: whether the labels are the person's.
        names: of the outputs.
        message: what a person should be told of the labels, or None.

    Raises:
        NetworkError: the outputs are no class scores, or not finite.
        ImageError: there are no images, or their labels do not fit the network.
    """

    def __init__(
        self,
        network: Network,
        images: Prepared,
        *,
        seed: int = 0,
        batch_size: int = 64,
        class_names: Sequence[str] | None = None,
    ) -> None:
        if not len(images):
            raise ImageError("there are no images to ask about.")
        self.network, self.images = network, images
        self._seed, self._batch_size = seed, batch_size
        self.passes = 0
        every = torch.arange(len(images))
        logits = torch.cat([self._answer(batch, "clean images") for _, batch in self._batches(every)])
        matching = match_labels(images, network, logits.shape[1], class_names)
        self.names, self.message, self.labelled = matching.names, matching.message, matching.labels is not None
        self.labels = logits.argmax(dim=1) if matching.labels is None else matching.labels.long()
        self.clean = _read(logits, self.labels)

    def ask(
        self,
        family: Family,
        indices: Int[Tensor, " row"],
        magnitudes: Float[Tensor, "row ..."],
    ) -> Answers:
        """What the network answers to some images, each at a magnitude of its own.

        Args:
            family: filled already as it shall be (`with_fill(network.recipe.fill)`).
            indices: places of the images, repeats allowed; shape (row,), on the CPU.
            magnitudes: one per row, or one per row and axis of a joint family.

        Returns:
            A row per question, on the CPU.
        """
        found = []
        for rows, batch in self._batches(indices):
            asked = magnitudes[rows]
            seeds = image_seeds(indices[rows].to(batch.device), self._seed, family.name) if family.random else None
            with torch.no_grad():
                shown = family(batch, asked, seeds=seeds)
            found.append(self._answer(shown, f"images under {family.name}"))
        logits = torch.cat(found) if found else torch.zeros(0, len(self.names))
        return _read(logits, self.labels[indices])

    def _batches(self, indices: Int[Tensor, " row"]) -> Iterator[tuple[Tensor, Tensor]]:
        """Images batch by batch, with the rows that they stand in."""
        start = 0
        for chunk, batch in self.images.batches(self._batch_size, self.network.device, indices):
            yield torch.arange(start, start + len(chunk)), batch
            start += len(chunk)

    def _answer(self, shown: Tensor, when: str) -> Float[Tensor, "image output"]:
        with torch.no_grad():
            outputs = self.network(shown)
        if outputs.ndim != 2 or outputs.shape[1] < 2:
            raise NetworkError(f"class scores are needed, (image, class); the network returns {tuple(outputs.shape)}.")
        self.passes += len(shown)
        logits = outputs.float().cpu()
        check_finite(logits, when)
        return logits


def _read(logits: Float[Tensor, "row output"], labels: Int[Tensor, " row"]) -> Answers:
    first = logits.topk(2, dim=1).values
    softmax = logits.double().softmax(dim=1).gather(1, labels[:, None])[:, 0]
    return Answers(logits.argmax(dim=1), softmax, first[:, 0] - first[:, 1], margin_true(logits, labels))


def margin_true(logits: Float[Tensor, "row output"], labels: Int[Tensor, " row"]) -> Float[Tensor, " row"]:
    """The logit of the true class minus the highest other one.

    Args:
        logits: shape (row, output).
        labels: the true class of each row; shape (row,).

    Returns:
        Shape (row,); negative where another class wins.

    Example:
        >>> margin_true(torch.tensor([[3.0, 1.0], [0.0, 2.0]]), torch.tensor([0, 0]))
        tensor([ 2., -2.])
    """
    column = labels[:, None]
    others = logits.scatter(1, column, float("-inf")).amax(dim=1)
    return logits.gather(1, column)[:, 0] - others
