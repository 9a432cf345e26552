"""Images that are ready for a network: one size, in memory or on disk, served in batches on a device."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

_SHARE_OF_DEVICE = 0.25


@dataclass
class Prepared:
    """Decoded images of one size.

    Args:
        pixels: (image, channel, height, width), uint8 0 to 255 or float32 0 to 1: a tensor, or an array on disk.
        labels: the class of each image as an index into `classes`, or None.
        classes: the names of the classes, or None.
        wnids: the WordNet identifiers of the classes, or None.
        names: what a person calls each image.
        skipped: names and reasons of the images that could not be read.
        notes: what a person should be told once.
        kept: place of each image in the set it was made from; shape (image,).
    """

    pixels: Tensor | npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None
    classes: tuple[str, ...] | None
    wnids: tuple[str, ...] | None
    names: Sequence[str]
    skipped: list[tuple[str, str]]
    notes: list[str]
    kept: npt.NDArray[np.int64]
    owner: object = field(default=None, repr=False)
    _there: dict[torch.device, Tensor] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def n_skipped(self) -> int:
        """How many images could not be read."""
        return len(self.skipped)

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of an image."""
        return int(self.pixels.shape[2])

    @property
    def width(self) -> int:
        """Columns of an image."""
        return int(self.pixels.shape[3])

    @property
    def resident(self) -> bool:
        """Whether the pixels are in memory, and not read from disk batch by batch."""
        return isinstance(self.pixels, Tensor)

    def batch(
        self, indices: Int[Tensor, " image"] | Sequence[int], device: torch.device | str = "cpu"
    ) -> Float[Tensor, "image channel height width"]:
        """These images on the device.

        Args:
            indices: places in this set; shape (image,).
            device: where they shall be.

        Returns:
            float32, 0 to 1.
        """
        device = torch.device(device)
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        return _as_float(self._gather(chosen, device).to(device, non_blocking=True))

    def batches(
        self, batch_size: int, device: torch.device | str = "cpu", order: Int[Tensor, " image"] | None = None
    ) -> Iterator[tuple[Int[Tensor, " image"], Float[Tensor, "image channel height width"]]]:
        """All images, batch by batch; what lies on disk is read one batch ahead.

        Args:
            batch_size: images in a batch; the last may be smaller.
            device: where the images shall be.
            order: places in this set, in the order to serve; None is all, in their own order.

        Yields:
            The places of the batch's images (int64, on the CPU) and the images (float32, 0 to 1, on the device).
        """
        device = torch.device(device)
        places = torch.arange(len(self)) if order is None else order.cpu()
        chunks = [places[start : start + batch_size] for start in range(0, len(places), batch_size)]
        if self.resident:
            for chunk in chunks:
                yield chunk, self.batch(chunk, device)
            return
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._gather, chunks[0], device) if chunks else None
            for i, chunk in enumerate(chunks):
                assert ahead is not None
                pixels = ahead.result()
                ahead = reader.submit(self._gather, chunks[i + 1], device) if i + 1 < len(chunks) else None
                yield chunk, _as_float(pixels.to(device, non_blocking=True))

    def _gather(self, indices: Tensor, device: torch.device) -> Tensor:
        if isinstance(self.pixels, Tensor):
            pixels = self._on(device)
            first, n = int(indices[0]) if len(indices) else 0, len(indices)
            if n and bool((indices == torch.arange(first, first + n)).all()):
                return pixels[first : first + n]
            return pixels[indices.to(pixels.device)]
        read = torch.from_numpy(np.array(self.pixels[indices.numpy()]))
        return read.pin_memory() if device.type == "cuda" else read

    def _on(self, device: torch.device) -> Tensor:
        """The pixels on the device if they take a small share of what is free there, else where they are."""
        assert isinstance(self.pixels, Tensor)
        if device.type != "cuda":
            return self.pixels
        if device not in self._there:
            free, _ = torch.cuda.mem_get_info(device)
            fits = self.pixels.nbytes <= _SHARE_OF_DEVICE * free
            self._there[device] = self.pixels.to(device) if fits else self.pixels
        return self._there[device]


def _as_float(pixels: Tensor) -> Tensor:
    return pixels.float().div_(255) if pixels.dtype == torch.uint8 else pixels.to(torch.float32, copy=True)
