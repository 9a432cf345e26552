"""What a network answers under the strengths of a contract: one pass per strength, no units."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import ImageError
from invariscope.core.progress import Progress, Silent
from invariscope.images.labels import Matching, match_labels
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.responses.recorder import Recorder, Strength
from invariscope.tolerance.outputs import Sweep, check_finite
from invariscope.transformations.base import Transformation


@dataclass
class Show:
    """A network and images, shown strength by strength.

    Args:
        network: on its device.
        images: at the network's size.
        seed: of random transformations; an image's noise is the same as in a measurement.
        batch_size: images per forward pass; does not change answers beyond rounding.
        device: where the network runs.
        class_names: one name per output, from the person.
        progress: told of every image.

    Attributes:
        passes: how many images have been shown so far.
        scores: whether the outputs are class scores.
        matching: the labels as outputs, and a name per output; None without class scores.

    Raises:
        ImageError: there are no images, or their labels do not fit the network.
    """

    network: Network
    images: Prepared
    seed: int
    batch_size: int
    device: torch.device
    class_names: Sequence[str] | None = None
    progress: Progress = field(default_factory=Silent)
    passes: int = field(default=0, init=False)
    matching: Matching | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not len(self.images):
            raise ImageError("there is no image that can be read.")
        order = torch.arange(len(self.images))
        self._recorder = Recorder(self.network, self.images, (), order, self.batch_size, self.device)
        with torch.no_grad():
            first = self.network(self.images.batch(order[:1], self.device))
        self.passes += 1
        self.scores = first.ndim == 2 and first.shape[1] > 1
        if self.scores:
            self.matching = match_labels(self.images, self.network, first.shape[1], self.class_names)

    @property
    def labels(self) -> Int[Tensor, " image"] | None:
        """The output that is right for each image; None without labels or class scores."""
        return None if self.matching is None else self.matching.labels

    @property
    def names(self) -> tuple[str, ...]:
        """A name per output; none where they are no class scores."""
        return () if self.matching is None else self.matching.names

    def clean(self) -> Float[Tensor, "image output"]:
        """The outputs for the images as they are.

        Raises:
            NetworkError: an output is not finite.
        """
        outputs = []
        for _, _, batch in self._recorder.batches():
            outputs.append(self._recorder.forward(batch)[0])
            self._count(len(batch))
        found = torch.cat(outputs)
        check_finite(found, "clean images")
        return found

    def sweep(
        self, family: Transformation, magnitudes: tuple[float, ...], clean: Float[Tensor, "image output"]
    ) -> Sweep:
        """The outputs along one transformation, every batch of images read once.

        Args:
            family: filled already.
            magnitudes: ascending, the identity among them; it costs nothing.
            clean: the outputs for the images as they are.

        Raises:
            NetworkError: an output is not finite.
        """
        identity = float(family.identity)
        outputs = torch.empty(len(magnitudes), *clean.shape)
        outputs[magnitudes.index(identity)] = clean
        for rows, indices, batch in self._recorder.batches():
            for place, magnitude in enumerate(magnitudes):
                if magnitude != identity:
                    shown = Strength(family, magnitude, self.seed)(batch, indices)
                    outputs[place, rows] = self._recorder.forward(shown)[0]
                    self._count(len(batch))
        unit, names = family.unit_of_measure, self.names or None
        return Sweep(family.name, magnitudes, identity, unit, outputs, self.labels, names, self.scores)

    def _count(self, n: int) -> None:
        self.passes += n
        self.progress.advance(n)


def part_of(sweep: Sweep, magnitudes: Sequence[float]) -> Sweep:
    """A sweep of fewer magnitudes, from the same answers.

    Args:
        sweep: outputs along one transformation.
        magnitudes: some of its own; the identity is added.
    """
    kept = sorted({*magnitudes, sweep.identity})
    places = [sweep.magnitudes.index(magnitude) for magnitude in kept]
    outputs = sweep.outputs if len(kept) == len(sweep.magnitudes) else sweep.outputs[places]
    return Sweep(
        sweep.name,
        tuple(kept),
        sweep.identity,
        sweep.unit_of_measure,
        outputs,
        sweep.labels,
        sweep.classes,
        sweep.scores,
    )
