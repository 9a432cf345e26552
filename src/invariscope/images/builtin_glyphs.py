"""Letters and signs of sixty kinds on darkened crops of photographs: where invariance of many classes shows fast."""

from functools import cache

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.images.artwork import draw_signs
from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.images import Images
from invariscope.images.photographs import photograph_crops
from invariscope.images.placing import Jitter, place
from invariscope.networks.recipe import LUMA

GLYPHS = "ABDEFGJKLNPQRTYadfghkt23457ΓΔΛΞΠΣΨΩβλμξБДЦЧЮЯИЭЩ&$%?§¶€£♫♪♀∞"
"""The sixty categories. No two are the same shape after a quarter turn, and none is its own."""

PER_CLASS = {"train": 40, "test": 20}
_BANK = 400
_BEHIND, _LIGHT = (0.3, 0.6), (0.75, 1.0)
_HUE, _SATURATION = (-0.05, 0.2), (0.4, 0.9)
_JITTER = Jitter(shift=0.1, zoom=(0.75, 1.2), tilt=8.0)


@BUILTIN_IMAGES.add("glyphs")
def glyphs(*, split: str = "test", per_class: int = 0, seed: int = 0, size: int = 16, color: bool = False) -> Images:
    """Sixty letters, digits and signs in twelve faces, light on darkened photograph crops, 16×16 grey or in colour.

    Place, size, tilt and brightness differ from image to image. In colour, signs are red to yellow, whatever their
    category: half a turn of hue makes them cold, as none is in training. Training and test images share faces, but
    neither the draws nor a pixel of the photographs behind them.

    Args:
        split: "train" or "test".
        per_class: images of each category; 40 for training and 20 for testing unless given.
        seed: another seed draws other images.
        size: side of the images, pixels; 8 to 256.
        color: the same signs at the same places in warm colours, on photographs in colour.

    Returns:
        The images, category by category in turn.

    Raises:
        SettingError: a setting has a value that cannot be used.

    Example:
        >>> images = glyphs(per_class=2)
        >>> len(images), images.n_classes, images.classes[:3]
        (120, 60, ('A', 'B', 'D'))

    Source: the seen/unseen paradigm of Jang et al., section 2.1, needs many categories; these are its smallest form.
    """
    if split not in PER_CLASS:
        raise SettingError(f"builtin:glyphs has the splits train and test; got {split!r}.")
    if not 8 <= size <= 256:
        raise SettingError(f"builtin:glyphs has images of 8 to 256 pixels a side; got size={size}.")
    if per_class < 0:
        raise SettingError(f"builtin:glyphs has a positive number of images per class; got per_class={per_class}.")
    n = (per_class or PER_CLASS[split]) * len(GLYPHS)
    labels = np.arange(n) % len(GLYPHS)
    pixels = compose(torch.from_numpy(labels), split, seed, size, color)
    spec = f"builtin:glyphs?split={split}&per_class={n // len(GLYPHS)}&seed={seed}&size={size}"
    spec += "&color=true" if color else ""
    return Images(pixels, labels, tuple(GLYPHS), spec=spec)


def compose(
    labels: Tensor, split: str, seed: int, size: int, color: bool = False, signs: str = GLYPHS
) -> UInt8[Tensor, "image channel row column"]:
    """One picture for each label.

    Args:
        labels: places in the signs; shape (image,).
        split: whose photograph crops are used, and part of the seed.
        seed: of everything that is drawn.
        size: side of the pictures, pixels.
        color: three channels in place of one.
        signs: one character per category.

    Returns:
        Grey levels or colours, 0 to 255.
    """
    draw = np.random.Generator(np.random.PCG64([seed, split == "test", 60]))
    n = len(labels)
    faces = torch.from_numpy(draw.integers(_ink(signs).shape[1], size=n))
    ink = place(_ink(signs)[labels, faces][:, None].float() / 255, _JITTER, draw, size)

    bank = photograph_crops(_BANK, size, split, seed).float() / 255
    ground = bank if color else (bank * torch.tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True)
    behind = ground[torch.from_numpy(draw.integers(_BANK, size=n))] * _column(draw.uniform(*_BEHIND, n))
    light = _column(draw.uniform(*_LIGHT, n))
    if color:
        light = light * _colours(draw.uniform(*_HUE, n), draw.uniform(*_SATURATION, n))
    return (255 * (behind + ink * (light - behind))).round().to(torch.uint8)


def _colours(hues: np.ndarray, saturations: np.ndarray) -> Tensor:
    """The brightest colour of each hue (in turns), mixed with white."""
    sixths = 6 * hues[:, None] + np.array([0.0, 4.0, 2.0])
    pure = np.clip(np.abs(sixths % 6 - 3) - 1, 0, 1)
    return torch.from_numpy(1 - saturations[:, None] * (1 - pure)).float()[:, :, None, None]


def _column(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values).float()[:, None, None, None]


@cache
def _ink(signs: str) -> Tensor:
    return draw_signs(signs)
