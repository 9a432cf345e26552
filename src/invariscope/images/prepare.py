"""Decode, resize and crop a whole set, on all cores, once."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from invariscope.core.errors import ImageError
from invariscope.images.decode import Unreadable, decode
from invariscope.images.geometry import fit_images
from invariscope.images.parallel import ahead
from invariscope.images.source import Loader, Source
from invariscope.images.spool import NpyWriter, TemporaryFolder, open_pixels
from invariscope.networks.recipe import Recipe

_CHUNK = 256


@dataclass
class Decoded:
    """What comes of preparing a source: the pixels and what there is to tell about them."""

    pixels: Tensor | np.memmap
    kept: list[int] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    stored_as: Counter[str] = field(default_factory=Counter)
    owner: object = None


def decode_all(
    source: Source, indices: Sequence[int], recipe: Recipe, *, file: Path | None, memory: int, strict: bool
) -> Decoded:
    """Read, decode and fit images in parallel; at most a few hundred are held beside the result.

    Args:
        source: where the images lie.
        indices: which of them, in the order of the result.
        recipe: size, crop and channels.
        file: where to write the pixels, or None.
        memory: largest number of bytes of pixels to hold in memory.
        strict: refuse an unreadable image instead of skipping it.

    Returns:
        The pixels of the readable images in order.

    Raises:
        ImageError: none can be read, one cannot and `strict`, their sizes differ and the recipe names none, or one is
            a decompression bomb.
    """
    result = Decoded(torch.empty(0))
    ready = _in_order(source, indices, recipe, result, strict)
    first = next(ready, None)
    if first is None:
        name, reason = result.skipped[0]
        raise ImageError(f"none of the {len(indices)} images could be read; {name}: {reason}.")
    shape = tuple(first.shape[1:])

    def name_of(place: int) -> str:
        return source.name(indices[place])

    if file is None and first.numel() * len(indices) > memory:
        result.owner = TemporaryFolder()
        file = result.owner.path / "pixels.npy"
    if file is None:
        pixels = torch.empty((len(indices), *shape), dtype=torch.uint8)
        count = 0
        for image in _same_size(first, ready, result, name_of):
            pixels[count : count + 1] = image
            count += 1
        result.pixels = pixels if count == len(pixels) else pixels[:count].clone()
    else:
        with NpyWriter(file, shape, np.dtype(np.uint8)) as writer:
            for image in _same_size(first, ready, result, name_of):
                writer.write(image)
        result.pixels = open_pixels(file, memory)
    return result


def fit_array(images: Tensor, recipe: Recipe) -> Tensor:
    """Images that are in memory already, fitted a few hundred at a time.

    Args:
        images: (image, channel, height, width), uint8 or float.
        recipe: size, crop and channels.

    Returns:
        The fitted images; the same memory when there is nothing to do.
    """
    fitted = fit_images(images[:1], recipe)
    if fitted.shape[1:] == images.shape[1:]:
        return images
    result = torch.empty((len(images), *fitted.shape[1:]), dtype=images.dtype)
    for start in range(0, len(images), _CHUNK):
        result[start : start + _CHUNK] = fit_images(images[start : start + _CHUNK], recipe)
    return result


def _in_order(
    source: Source, indices: Sequence[int], recipe: Recipe, result: Decoded, strict: bool
) -> Iterator[Tensor]:
    """Each readable image, (1, channel, height, width), in order; the others go to the skipped ones."""

    def work(job: tuple[int, Loader]) -> tuple[Tensor, str | None]:
        pixels, stored_as = decode(job[1](), source.name(job[0]))
        return fit_images(pixels[None], recipe).contiguous(), stored_as

    jobs = zip(indices, source.loaders(indices), strict=True)
    for place, outcome in enumerate(ahead(work, jobs)):
        try:
            image, stored_as = outcome()
        except (Unreadable, OSError) as error:
            name = source.name(indices[place])
            reason = str(error) if isinstance(error, Unreadable) else error.strerror or str(error)
            if strict:
                raise ImageError(f"{name} cannot be read: {reason}. Without --strict it would be skipped.") from error
            result.skipped.append((name, reason))
            continue
        result.kept.append(place)
        if stored_as:
            result.stored_as[stored_as] += 1
        yield image


def _same_size(first: Tensor, rest: Iterator[Tensor], result: Decoded, names: Callable[[int], str]) -> Iterator[Tensor]:
    yield first
    for image in rest:
        if image.shape != first.shape:
            (h, w), (rows, columns) = first.shape[2:], image.shape[2:]
            one, other = names(result.kept[0]), names(result.kept[-1])
            raise ImageError(
                f"the images differ in size ({one} has {h} rows and {w} columns, {other} has {rows} and {columns}) and "
                f"the network names no input size; give one, as in NETWORK?size={min(h, w, rows, columns)}."
            )
        yield image
