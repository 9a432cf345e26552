"""One pass over all images: transform, run the network, keep each unit's response and the network's output."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import NetworkError
from invariscope.core.progress import Progress, Silent
from invariscope.core.seeds import image_seeds
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.networks.sites import Site
from invariscope.networks.tail import Tail, record_tail
from invariscope.networks.tap import tap
from invariscope.networks.units import reduce_units
from invariscope.responses.matrix import Columns
from invariscope.transformations.base import Transformation


@dataclass(frozen=True)
class Strength:
    """A transformation at one magnitude; its noise follows the image, not the batch.

    Args:
        transformation: the family.
        magnitude: in the family's unit of measure.
        seed: of the run.
    """

    transformation: Transformation
    magnitude: float
    seed: int

    def __call__(
        self, images: Float[Tensor, "image channel height width"], indices: Int[Tensor, " image"]
    ) -> Float[Tensor, "image channel height width"]:
        """The transformed images; `indices` are their places in the whole set."""
        seeds = None
        if self.transformation.random:
            seeds = image_seeds(indices.to(images.device), self.seed, self.transformation.name)
        return self.transformation(images, self.magnitude, seeds=seeds)


@dataclass
class Recording:
    """What one pass leaves behind besides the matrix of responses.

    Args:
        outputs: of the network, positions averaged away; shape (image, output), float32, on the CPU.
        tails: the rest of the network after one site, a batch each, for the first images.
    """

    outputs: Float[Tensor, "image output"]
    tails: list[Tail] = field(default_factory=list)


@dataclass(frozen=True)
class Recorder:
    """Runs the network over all images in one order, once per strength.

    Args:
        network: on its device.
        images: at the network's size.
        sites: whose units are read.
        order: the images' places in the order of processing; shape (image,).
        batch_size: images per forward pass.
        device: where the network runs.
        units: "channels" or "positions".
        reduce: "max", "mean" or "centre" over positions or tokens, for "channels".
        progress: told of every image.
    """

    network: Network
    images: Prepared
    sites: Sequence[Site]
    order: Int[Tensor, " image"]
    batch_size: int
    device: torch.device
    units: str = "channels"
    reduce: str = "max"
    progress: Progress = field(default_factory=Silent)

    def columns(self) -> Columns:
        """Which columns of a matrix of responses belong to which site."""
        positions = self.units == "positions"
        return Columns({site.name: site.positions if positions else site.units for site in self.sites})

    def batches(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Rows, places in the whole set, and images, batch by batch."""
        for start in range(0, len(self.order), self.batch_size):
            indices = self.order[start : start + self.batch_size]
            yield slice(start, start + len(indices)), indices, self.images.batch(indices, self.device)

    def forward(
        self, images: Tensor, matrix: Float[Tensor, "image unit"] | None = None, tail_site: str | None = None
    ) -> tuple[Float[Tensor, "image output"], list[Tail]]:
        """One forward pass.

        Args:
            images: as the network sees them; shape (image, channel, height, width).
            matrix: is overwritten with the units' responses; shape (image, unit); None reads none.
            tail_site: after which site the rest of the network is kept.

        Returns:
            The output with positions averaged away, float32, on the CPU; and the tail, if one was asked for.
        """
        columns, layouts = self.columns(), {site.name: site.layout for site in self.sites}

        def keep(name: str, activation: Tensor) -> None:
            if matrix is not None:
                matrix[:, columns[name]] = reduce_units(activation, layouts[name], self.units, self.reduce)

        # Hooks and no_grad open and close here: held across a yield they would leak into the reader's code.
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(tap(self.network, list(layouts) if matrix is not None else [], keep))
            recorder = stack.enter_context(record_tail(self.network, tail_site)) if tail_site else None
            output = self.network(images)
        return _flat(output), recorder.tails if recorder else []

    def record(
        self,
        matrix: Float[Tensor, "image unit"],
        strength: Strength | None = None,
        *,
        tail_site: str | None = None,
        tail_images: int = 0,
    ) -> Recording:
        """Fill `matrix` with the responses to all images, in processing order.

        Args:
            matrix: is overwritten; shape (image, unit).
            strength: how the images are transformed; None leaves them clean.
            tail_site: after which site the rest of the network is kept, to be run again with units silenced.
            tail_images: for how many images at least (whole batches).

        Returns:
            The outputs, and the tails that were asked for.

        Raises:
            NetworkError: an output is not a number.
        """
        columns, layouts = self.columns(), {site.name: site.layout for site in self.sites}
        outputs: Tensor | None = None
        tails: list[Tail] = []
        rows = slice(0, 0)

        def keep(name: str, activation: Tensor) -> None:
            matrix[rows, columns[name]] = reduce_units(activation, layouts[name], self.units, self.reduce)

        with torch.no_grad(), tap(self.network, list(layouts), keep):
            for rows, indices, batch in self.batches():
                images = batch if strength is None else strength(batch, indices)
                with ExitStack() as stack:
                    wanted = tail_site is not None and rows.start < tail_images
                    recorder = stack.enter_context(record_tail(self.network, str(tail_site))) if wanted else None
                    output = _flat(self.network(images))
                tails += recorder.tails if recorder else []
                if outputs is None:
                    outputs = torch.empty(len(self.order), output.shape[1])
                outputs[rows] = output
                self.progress.advance(len(indices))
        assert outputs is not None
        check_numbers(outputs, strength)
        return Recording(outputs, tails)


def _flat(output: Tensor) -> Float[Tensor, "image output"]:
    while output.ndim > 2:
        output = output.mean(-1)
    return output.reshape(len(output), -1).float().cpu()


def check_numbers(outputs: Float[Tensor, "image output"], strength: Strength | None) -> None:
    """Refuse a network whose output is not a number.

    Raises:
        NetworkError: with how many images, and under which transformation.
    """
    bad = int((~torch.isfinite(outputs)).any(1).sum())
    if bad:
        where = "clean images"
        if strength is not None:
            where = f"images under {strength.transformation.name} {strength.magnitude:g}"
        raise NetworkError(
            f"the network returned NaN or infinite outputs for {bad} of {len(outputs)} {where}; "
            "check its weights and that its input recipe (size, mean, std) is the one it was trained with."
        )
