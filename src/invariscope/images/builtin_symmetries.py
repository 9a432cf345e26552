"""Signs of known symmetry: what a turn or a mirror leaves as it is, by construction."""

import numpy as np
import torch

from invariscope.core.errors import SettingError
from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.builtin_glyphs import PER_CLASS, compose
from invariscope.images.images import Images

DISCS = "●⊙°"
"""The same after any turn."""
HALF_TURN = "HINSXZИΞ∞%"
"""The same after half a turn, and not after a quarter; some of them mirror-symmetric besides."""
MIRROR = "AMTUVWYΔΛΨ♀"
"""The same in an upright mirror, and not after half a turn."""
PLAIN = "BDEFGJKLPQRadfghkt23457ΓΣβλξБЦЧЮЯ&$?"
"""The same after none of these."""
SIGNS = DISCS + HALF_TURN + MIRROR + PLAIN


@BUILTIN_IMAGES.add("symmetries")
def symmetries(
    *, split: str = "test", per_class: int = 0, seed: int = 0, size: int = 16, color: bool = False
) -> Images:
    """Sixty signs of known symmetry, drawn as the glyphs are: discs, letters that half a turn or a mirror keeps.

    Three categories are the same after any turn, ten after half a turn, eleven in an upright mirror, the others after
    none of these, as far as their faces draw them evenly.

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
        >>> images = symmetries(per_class=2)
        >>> len(images), images.classes[:4]
        (120, ('●', '⊙', '°', 'H'))

    Source: Bunne et al., section IV-A, speaks of point-symmetric and of axis-symmetric items under rotation.
    """
    if split not in PER_CLASS:
        raise SettingError(f"builtin:symmetries has the splits train and test; got {split!r}.")
    if not 8 <= size <= 256:
        raise SettingError(f"builtin:symmetries has images of 8 to 256 pixels a side; got size={size}.")
    if per_class < 0:
        raise SettingError(f"builtin:symmetries has a positive number of images per class; got per_class={per_class}.")
    n = (per_class or PER_CLASS[split]) * len(SIGNS)
    labels = np.arange(n) % len(SIGNS)
    pixels = compose(torch.from_numpy(labels), split, seed, size, color, SIGNS)
    spec = f"builtin:symmetries?split={split}&per_class={n // len(SIGNS)}&seed={seed}&size={size}"
    return Images(pixels, labels, tuple(SIGNS), spec=spec + ("&color=true" if color else ""))
