"""Pictorial signs on photograph crops and patterns: objects of many kinds in canonical pose."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.images.backgrounds import background_pool
from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.images import Images
from invariscope.images.placing import Jitter, place
from invariscope.images.prototypes import LIVERIES, object_prototypes
from invariscope.images.symbols import SYMBOLS

PER_CLASS = {"train": 40, "test": 20}
_CHUNK = 256
_JITTER = Jitter(shift=0.04, zoom=(0.95, 1.2), tilt=6.0)


@BUILTIN_IMAGES.add("transforms2d")
def transforms2d(*, split: str = "test", per_class: int = 0, seed: int = 0, size: int = 32) -> Images:
    """Seventy pictorial signs in eight liveries on photograph crops and patterns, 32×32 colour.

    The signs stand upright and nearly centred. Every category wears the same liveries, so its mean colour does not
    give it away. Training and test images share signs and liveries, but no background.

    Args:
        split: "train" or "test".
        per_class: images of each category; 40 for training and 20 for testing unless given.
        seed: another seed draws other images.
        size: side of the images, pixels; 16 to 256.

    Returns:
        The images, category by category in turn.

    Raises:
        SettingError: a setting has a value that cannot be used.

    Example:
        >>> images = transforms2d(per_class=1)
        >>> len(images), images.classes[:3]
        (70, ('aeroplane', 'alembic', 'anchor'))

    Source: Transforms-2D, section 2: foreground objects pasted on backgrounds.
    """
    if split not in PER_CLASS:
        raise SettingError(f"builtin:transforms2d has the splits train and test; got {split!r}.")
    if not 16 <= size <= 256:
        raise SettingError(f"builtin:transforms2d has images of 16 to 256 pixels a side; got size={size}.")
    if per_class < 0:
        raise SettingError(
            f"builtin:transforms2d has a positive number of images per class; got per_class={per_class}."
        )
    n = (per_class or PER_CLASS[split]) * len(SYMBOLS)
    labels = np.arange(n) % len(SYMBOLS)
    draw = np.random.Generator(np.random.PCG64([seed, split == "test", 70]))
    liveries = torch.from_numpy(draw.integers(len(LIVERIES), size=n))
    pool = background_pool(split, size, seed=seed)
    behind = pool[torch.from_numpy(draw.integers(len(pool), size=n))]
    prototypes, categories = object_prototypes(2 * size), torch.from_numpy(labels)
    pixels = torch.empty((n, 3, size, size), dtype=torch.uint8)
    for start in range(0, n, _CHUNK):
        some = slice(start, start + _CHUNK)
        objects = premultiplied(prototypes[categories[some], liveries[some]])
        pixels[some] = paste(place(objects, _JITTER, draw, size), behind[some])
    spec = f"builtin:transforms2d?split={split}&per_class={n // len(SYMBOLS)}&seed={seed}&size={size}"
    return Images(pixels, labels, tuple(SYMBOLS), spec=spec)


def premultiplied(objects: UInt8[Tensor, "image 4 side side"]) -> Float[Tensor, "image 4 side side"]:
    """Objects whose colours are weighted by their opacity, as interpolation needs them.

    Args:
        objects: red, green, blue, opacity, 0 to 255.

    Returns:
        The same from 0 to 1, colours times opacity.
    """
    scaled = objects.float() / 255
    return torch.cat([scaled[:, :3] * scaled[:, 3:], scaled[:, 3:]], 1)


def paste(
    objects: Float[Tensor, "image 4 row column"], backgrounds: UInt8[Tensor, "image 3 row column"]
) -> UInt8[Tensor, "image 3 row column"]:
    """Premultiplied objects over backgrounds.

    Args:
        objects: premultiplied, 0 to 1.
        backgrounds: 0 to 255.

    Returns:
        0 to 255.

    Example:
        >>> half = torch.full((1, 4, 1, 1), 0.5)
        >>> paste(half, torch.full((1, 3, 1, 1), 100, dtype=torch.uint8)).flatten().tolist()
        [178, 178, 178]
    """
    mixed = objects[:, :3] * 255 + backgrounds * (1 - objects[:, 3:])
    return mixed.round().clamp(0, 255).to(torch.uint8)
